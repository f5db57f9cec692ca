"""Three threads, decode | model | encode, with bounded queues between them.

An error in any stage stops all three and is the error that the caller sees. Ctrl-C (raised in the calling thread) does the
same. When `run_stages` returns or raises, no thread is left. Queues hold a few items, so memory does not grow with the film.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

POLL = 0.2
"""Seconds between two looks of the waiting thread, for systems where a signal does not interrupt waiting."""


class Stopped(Exception):
    """Raised in a stage when another one has failed."""


class Channel(Generic[A]):
    """A bounded queue between two threads that can be ended (no more items come) and stopped (nobody wants them)."""

    def __init__(self, depth: int) -> None:
        self.items: deque[A] = deque()
        self.depth = depth
        self.ended = self.stopped = False
        self.changed = threading.Condition()

    def put(self, item: A) -> None:
        """Wait for room, then add. Raises Stopped."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopped or len(self.items) < self.depth)
            if self.stopped:
                raise Stopped
            self.items.append(item)
            self.changed.notify_all()

    def __iter__(self) -> Iterator[A]:
        """Items as they come, until the channel is ended. Raises Stopped."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.stopped or self.ended or self.items)
                if self.stopped:
                    raise Stopped
                if not self.items:
                    return
                item = self.items.popleft()
                self.changed.notify_all()
            yield item
            del item  # not held while waiting for the next one

    def end(self) -> None:
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.stopped = True
            self.items.clear()
            self.changed.notify_all()


@dataclass
class StageSeconds:
    """How long each stage worked (not waited), in seconds."""

    decode: float = 0.0
    model: float = 0.0
    encode: float = 0.0

    @contextmanager
    def measure(self, stage: str) -> Generator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, stage, getattr(self, stage) + time.perf_counter() - begun)


def run_stages(
    source: Iterable[A],
    work: Callable[[A], B],
    sink: AbstractContextManager[Callable[[B], None]],
    *,
    depth: int = 2,
) -> StageSeconds:
    """Send every item of `source` through `work` into `sink`, in order, each stage in a thread of its own.

    Args:
        source: iterated (and, if a generator, closed) in the first thread.
        work: called in the second thread.
        sink: entered, called with each result and left in the third thread; it is left with an exception when any stage
            fails, so that it can discard what is unfinished.
        depth: items that may wait between two stages.

    Raises:
        The first error of any stage; KeyboardInterrupt after the threads have ended.
    """
    decoded: Channel[A] = Channel(depth)
    styled: Channel[B] = Channel(depth)
    seconds = StageSeconds()
    errors: list[BaseException] = []
    guard = threading.Lock()

    def stop_all() -> None:
        decoded.stop()
        styled.stop()

    def decode() -> None:
        items = iter(source)
        try:
            while True:
                with seconds.measure("decode"):
                    try:
                        item = next(items)
                    except StopIteration:
                        break
                decoded.put(item)
                del item
            decoded.end()
        finally:
            if isinstance(items, Generator):
                items.close()

    def model() -> None:
        for item in decoded:
            with seconds.measure("model"):
                result = work(item)
            del item
            styled.put(result)
            del result
        styled.end()

    def encode() -> None:
        with sink as write:
            for item in styled:
                with seconds.measure("encode"):
                    write(item)
                del item

    def guarded(stage: Callable[[], None]) -> None:
        try:
            stage()
        except Stopped:
            pass
        except BaseException as error:
            with guard:
                errors.append(error)
            stop_all()

    threads = [
        threading.Thread(target=guarded, args=(stage,), name=f"vidstyle-{stage.__name__}", daemon=True)
        for stage in (decode, model, encode)
    ]
    run_threads(threads, stop_all)
    if errors:
        raise errors[0]
    return seconds


def run_threads(threads: Sequence[threading.Thread], stop: Callable[[], None]) -> None:
    """Start threads and wait until all have ended. What interrupts the waiting (Ctrl-C, in the calling thread) calls `stop`,
    waits for them, and is raised."""
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(POLL)
    except BaseException:
        stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        raise
