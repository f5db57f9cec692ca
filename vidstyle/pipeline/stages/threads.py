"""Four threads, decode | model | detail | encode, with bounded queues between them.

An error in any stage stops all and is the error that the caller sees. Ctrl-C (raised in the calling thread) does the
same. When `run_stages` returns or raises, no thread is left. Queues hold a few items, so memory does not grow with the film.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

_POLL = 0.2
"""Seconds between two looks of the waiting thread, for systems where a signal does not interrupt waiting."""


class Stopped(Exception):
    """Raised in a stage when another one has failed."""


class Channel(Generic[A]):
    """A bounded queue between two threads that can be ended (no more items come) and stopped (nobody wants them)."""

    def __init__(self, depth: int) -> None:
        self.items: deque[A] = deque()
        self.depth = depth
        self.ended = self.stopped = False
        self.waited = 0.0
        """Seconds that its reader has waited for items."""
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
                begun = time.perf_counter()
                self.changed.wait_for(lambda: self.stopped or self.ended or self.items)
                self.waited += time.perf_counter() - begun
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
    detail: float = 0.0
    encode: float = 0.0

    def add(self, stage: str, seconds: float) -> None:
        """Count working time of a stage."""
        setattr(self, stage, getattr(self, stage) + seconds)

    def busy(self, stage: str, items: Iterable[A], source: Channel[Any] | None = None) -> Generator[A]:
        """The items, counting how long each takes to make, less what was waited for in `source`, where they are made from.
        When it is closed, so is `items` if it is a generator."""
        made = iter(items)
        try:
            while True:
                begun = time.perf_counter() - (source.waited if source else 0.0)
                try:
                    item = next(made)
                except StopIteration:
                    return
                finally:
                    self.add(stage, time.perf_counter() - (source.waited if source else 0.0) - begun)
                yield item
                del item
        finally:
            if isinstance(made, Generator):
                made.close()


def run_stages(
    source: Iterable[A],
    work: Callable[[Iterable[A]], Iterable[B]],
    sink: AbstractContextManager[Callable[[B], None]],
    *,
    finish: Callable[[B], B] | None = None,
    depth: int = 2,
) -> StageSeconds:
    """Send the items of `source` through `work` into `sink`, in order, each stage in a thread of its own.

    Args:
        source: iterated (and, if a generator, closed) in the first thread.
        work: given the items as they come, in the second thread; its results are iterated there.
        sink: entered, called with each result and left in the last thread; it is left with an exception when any stage
            fails, so that it can discard what is unfinished.
        finish: called with each result on its way to the sink, in a thread of its own.
        depth: items that may wait between two stages.

    Raises:
        The first error of any stage; KeyboardInterrupt after the threads have ended.
    """
    decoded: Channel[A] = Channel(depth)
    styled: Channel[B] = Channel(depth)
    finished: Channel[B] = Channel(2) if finish else styled
    seconds = StageSeconds()

    def stop_all() -> None:
        for channel in (decoded, styled, finished):
            channel.stop()

    def pump(stage: str, items: Iterable[Any], into: Channel[Any], origin: Channel[Any] | None = None) -> None:
        with closing(seconds.busy(stage, items, origin)) as made:
            for item in made:
                into.put(item)
                del item
        into.end()

    def encode() -> None:
        with sink as write:
            for item in finished:
                begun = time.perf_counter()
                write(item)
                seconds.add("encode", time.perf_counter() - begun)
                del item

    stages: dict[str, Callable[[], None]] = {
        "decode": lambda: pump("decode", source, decoded),
        "model": lambda: pump("model", work(decoded), styled, decoded),
        **({"detail": lambda: pump("detail", map(finish, styled), finished, styled)} if finish else {}),
        "encode": encode,
    }

    _run_together(stages, stop_all)
    return seconds


def _run_together(stages: Mapping[str, Callable[[], None]], stop: Callable[[], None]) -> None:
    """Run each stage in a thread named after it. An error in any calls `stop`; when all have ended the first one is raised."""
    errors: list[BaseException] = []
    guard = threading.Lock()

    def guarded(stage: Callable[[], None]) -> None:
        try:
            stage()
        except Stopped:
            pass
        except BaseException as error:
            with guard:
                errors.append(error)
            stop()

    threads = [
        threading.Thread(target=guarded, args=(stage,), name=f"vidstyle-{name}", daemon=True)
        for name, stage in stages.items()
    ]
    run_threads(threads, stop)
    if errors:
        raise errors[0]


def run_threads(threads: Sequence[threading.Thread], stop: Callable[[], None]) -> None:
    """Start threads and wait until all have ended. What interrupts the waiting (Ctrl-C, in the calling thread) calls `stop`,
    waits for them, and is raised."""
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_POLL)
    except BaseException:
        stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        raise
