"""Frames through an accelerator in parts: while one part is computed, the next is on its way in and the last on its way out.

Three streams and a ring of slots, each with pinned memory on the host and memory on the device, for frames in and out:

    program    fill slot ...... fill next slot ........................ empty slot
    upload          in ------------> in
    compute                      (in to out) ------> (in to out)
    download                                      out ------------> out

Within a slot, compute waits for the upload's event and download for the computation's. The program fills a slot again only
after it has waited for its download, so all that used the slot's four buffers lies behind: that one wait is what keeps frames
from being overwritten, and it is the only one in which the program stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.engines.cuda.protocol import Device, Event, Stream

_SLOTS = 3
"""One part on the way in, one being computed, one on the way out."""


@dataclass(frozen=True)
class Slot:
    """Buffers (B, H, W, 3) uint8 of a part of up to B frames."""

    host_in: Tensor
    device_in: Tensor
    device_out: Tensor
    host_out: Tensor


@dataclass(frozen=True)
class Flight(Generic[Event]):
    """A part that is on its way."""

    slot: Slot
    rows: slice
    """Which frames of the call it holds."""
    downloaded: Event


class Ring(Generic[Stream, Event]):
    """Slots for parts of up to `most` frames of one size.

    Args:
        compute: the stream that `work` runs on; the ring makes the other two.
        most: frames per part, at least 1.
        size: height and width.
        slots: at least 1; with one, nothing overlaps.
    """

    def __init__(
        self,
        device: Device[Stream, Event],
        compute: Stream,
        most: int,
        size: tuple[int, int],
        *,
        slots: int = _SLOTS,
    ) -> None:
        self.device, self.compute = device, compute
        self.upload, self.download = device.stream(), device.stream()
        shape = (most, *size, 3)
        self.slots = [
            Slot(device.pinned(shape), device.buffer(shape), device.buffer(shape), device.pinned(shape))
            for _ in range(slots)
        ]

    def run(
        self,
        frames: NDArray[np.uint8],
        parts: Sequence[int],
        work: Callable[[Tensor, Tensor, slice], None],
    ) -> NDArray[np.uint8]:
        """All frames, worked on, in order.

        Args:
            frames: (N, H, W, 3) uint8.
            parts: frames of each part, each at most `most`; they add up to N.
            work: called once a part, in order, with (n, H, W, 3) of the device in and out and the part's place in the call;
                it queues its work on the stream `compute`.

        Returns:
            (N, H, W, 3) uint8, C-contiguous.

        Raises:
            Exception: what `work` or the device raised. By then nothing is on its way, and the ring can be used again.
        """
        result = np.empty_like(frames, order="C")
        flights: list[Flight[Event]] = []
        at = 0
        try:
            for i, count in enumerate(parts):
                if i >= len(self.slots):  # its slot is that of the oldest part under way
                    self.land(flights.pop(0), result)
                rows = slice(at, at + count)
                flights.append(self.send(self.slots[i % len(self.slots)], frames, rows, work))
                at += count
            while flights:
                self.land(flights.pop(0), result)
        except BaseException:
            with suppress(RuntimeError):  # the first failure is the one to tell
                self.device.drain()
            raise
        return result

    def send(
        self, slot: Slot, frames: NDArray[np.uint8], rows: slice, work: Callable[[Tensor, Tensor, slice], None]
    ) -> Flight[Event]:
        """Fill a slot that is free and queue all that is to be done with it."""
        device, count = self.device, rows.stop - rows.start
        slot.host_in[:count].copy_(torch.from_numpy(np.require(frames[rows], requirements=["C", "W"])))
        device.copy(slot.device_in[:count], slot.host_in[:count], self.upload)
        device.wait(self.compute, device.record(self.upload))
        work(slot.device_in[:count], slot.device_out[:count], rows)
        device.wait(self.download, device.record(self.compute))
        device.copy(slot.host_out[:count], slot.device_out[:count], self.download)
        return Flight(slot, rows, device.record(self.download))

    def land(self, flight: Flight[Event], result: NDArray[np.uint8]) -> None:
        """Wait for a part and take its frames out of the slot, which is free then."""
        self.device.finish(flight.downloaded)
        result[flight.rows] = flight.slot.host_out[: flight.rows.stop - flight.rows.start].numpy()


def parts_of(frames: int, most: int) -> list[int]:
    """How a call of N frames is cut: into parts of `most`, then of smaller powers of two, at least two parts where N allows
    (one alone would have nothing to overlap with). Few different sizes, as each has a graph of its own.

    Args:
        frames: N, at least 1.
        most: at least 1; rounded down to a power of two.
    """
    size = power_of_two(min(most, max(1, frames // 2)))
    parts: list[int] = []
    while frames:
        parts.append(min(size, power_of_two(frames)))
        frames -= parts[-1]
    return parts


def power_of_two(n: int) -> int:
    """The largest one that is at most n (at least 1)."""
    return 1 << (n.bit_length() - 1)
