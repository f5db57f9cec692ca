"""An accelerator that is not there: it keeps the promises of `engines.device.Device` and no others.

What is queued runs late, in whatever order the schedule picks, held back only by the order within a stream and by events. So
code that lacks an event, or fills a buffer too early, reads what it should not. It also keeps a clock: every piece of work
takes one tick, streams run beside each other, the program takes no time.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

GARBAGE = 77


@dataclass(eq=False)
class Mark:
    """An event."""

    done: bool = False
    time: int = 0


@dataclass(eq=False)
class Op:
    kind: str
    """copy, launch, record, wait."""
    run: Callable[[], object] = lambda: None
    mark: Mark | None = None
    queued: int = 0
    """The program's clock when it was queued."""


@dataclass(eq=False)
class Queue:
    """A stream."""

    name: int
    ops: deque[Op] = field(default_factory=deque)
    time: int = 0


class FakeDevice:
    """Args:
    pick: index of the next to run among the streams that could, given their names; None picks by chance.
    eager: how many may run, by chance, each time that something is queued.
    fails_to_capture: `capture` raises, as CUDA does where the work waits for the device.
    """

    where = torch.device("cpu")

    def __init__(
        self,
        *,
        seed: int = 0,
        pick: Callable[[Sequence[int]], int] | None = None,
        eager: int = 2,
        fails_to_capture: bool = False,
    ) -> None:
        self.random = random.Random(seed)
        self.pick = pick or (lambda names: self.random.randrange(len(names)))
        self.eager, self.fails_to_capture = eager, fails_to_capture
        self.streams: list[Queue] = []
        self.log: list[tuple[int, str]] = []
        """(stream, kind) of what has run, in order."""
        self.captured = 0
        self.time = 0

    def buffer(self, shape: tuple[int, ...]) -> Tensor:
        return torch.full(shape, GARBAGE, dtype=torch.uint8)

    pinned = buffer

    def stream(self) -> Queue:
        self.streams.append(Queue(len(self.streams)))
        return self.streams[-1]

    def copy(self, target: Tensor, source: Tensor, stream: Queue) -> None:
        self.queue(stream, Op("copy", lambda: target.copy_(source)))

    def launch(self, stream: Queue, work: Callable[[], None]) -> None:
        self.queue(stream, Op("launch", work))

    def capture(self, stream: Queue, work: Callable[[], None]) -> Callable[[], None]:
        if self.fails_to_capture:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        self.captured += 1
        return work

    def record(self, stream: Queue) -> Mark:
        mark = Mark()
        self.queue(stream, Op("record", mark=mark))
        return mark

    def wait(self, stream: Queue, event: Mark) -> None:
        self.queue(stream, Op("wait", mark=event))

    def finish(self, event: Mark) -> None:
        while not event.done:
            self.step()
        self.time = max(self.time, event.time)

    def drain(self) -> None:
        while any(s.ops for s in self.streams):
            self.step()
        self.time = max([self.time, *(s.time for s in self.streams)])

    def queue(self, stream: Queue, op: Op) -> None:
        op.queued = self.time
        stream.ops.append(op)
        for _ in range(self.random.randint(0, self.eager)):
            if self.ready():
                self.step()

    def ready(self) -> list[Queue]:
        return [s for s in self.streams if s.ops and not (s.ops[0].kind == "wait" and not s.ops[0].mark.done)]

    def step(self) -> None:
        """Run one more piece of work."""
        ready = self.ready()
        assert ready, "everything waits for something that is not queued"
        stream = ready[self.pick([s.name for s in ready])]
        op = stream.ops.popleft()
        stream.time = max(stream.time, op.queued)
        if op.kind == "wait":
            assert op.mark is not None
            stream.time = max(stream.time, op.mark.time)
        elif op.kind == "record":
            assert op.mark is not None
            op.mark.done, op.mark.time = True, stream.time
        else:
            stream.time += 1
            self.log.append((stream.name, op.kind))
            op.run()
