"""What a ring of buffers needs of an accelerator: memory, queues of work (streams) and marks in them (events)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Stream = TypeVar("Stream")
Event = TypeVar("Event")
Shape = tuple[int, ...]
Work = Callable[[], None]
"""Work on tensors of the device; by the time it returns it may have been queued only."""


class Device(Protocol[Stream, Event]):
    """An accelerator whose streams run beside each other and beside the program. A stream does what it is given in order;
    between two streams, and between a stream and the program, nothing is in order but by an event.

    Any method may raise what went wrong earlier: an accelerator tells late.
    """

    where: torch.device
    """What tensors that lie there say."""

    def buffer(self, shape: Shape) -> Tensor:
        """uint8 memory of the device; what is in it is undefined."""
        ...

    def pinned(self, shape: Shape) -> Tensor:
        """uint8 memory of the host that the device reads and writes by itself, so that the program need not wait."""
        ...

    def stream(self) -> Stream: ...

    def copy(self, target: Tensor, source: Tensor, stream: Stream) -> None:
        """Queue a copy between pinned memory and the device's, or within the device's. Both must live until it has run."""
        ...

    def launch(self, stream: Stream, work: Work) -> None:
        """Queue `work`; its closure must live until it has run."""
        ...

    def capture(self, stream: Stream, work: Work) -> Work:
        """Record what `work` queues, without running it, and return what `launch` can repeat it with: always on the same
        memory, at the price of one launch.

        Raises:
            RuntimeError: `work` cannot be recorded (it waits for the device, for example), or memory is short.
        """
        ...

    def record(self, stream: Stream) -> Event:
        """Mark the end of what the stream has been given so far."""
        ...

    def wait(self, stream: Stream, event: Event) -> None:
        """What the stream is given from now on begins after the event."""
        ...

    def finish(self, event: Event) -> None:
        """Hold the program until the event has come. Raises what went wrong before it."""
        ...

    def drain(self) -> None:
        """Hold the program until nothing is queued any more."""
        ...
