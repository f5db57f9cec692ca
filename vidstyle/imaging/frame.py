"""Frame: the one thing that travels between the stages; FrameBatch: several of them for one call of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.yuv import YUV420, Plane

Full = NDArray[np.uint8] | YUV420
"""A frame at full size: (H, W, 3) RGB, or planes."""
Guide = NDArray[np.uint8] | Plane
"""A small copy of a frame: (h, w, 3) RGB, or luma in the range and depth of the planes that it was made from."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture of a film and when it is shown: display-oriented (rotation already applied), RGB, full range. Change one with
    `dataclasses.replace`."""

    data: NDArray[np.uint8]
    """(H, W, 3) uint8 in [0, 255]."""
    pts: int
    """Presentation time, in time_base ticks."""
    duration: int
    """How long the frame is shown, in time_base ticks; 0 where unknown."""
    time_base: Fraction
    """Seconds per tick."""
    alpha: NDArray[np.uint8] | None = None
    """Of the full size, uint8, 255 is opaque; None where the source has no transparency."""
    segment: int = 0
    """Number of the segment that the frame belongs to; 0 until a plan has been made."""
    full: Full | None = None
    """The frame at full size, where `data` is a small copy for the model to paint; planes are what the writer then encodes."""
    guide: Guide | None = None
    """With `full`: the small copy as it was before it was painted."""

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or self.data.shape[2] != 3 or self.data.dtype != np.uint8:
            raise ValueError(f"data must be (H, W, 3) uint8, got {self.data.shape} {self.data.dtype}")
        if self.alpha is not None and (self.alpha.shape != self.size[::-1] or self.alpha.dtype != np.uint8):
            raise ValueError(f"alpha must be {self.size[::-1]} uint8, got {self.alpha.shape} {self.alpha.dtype}")

    @property
    def size(self) -> tuple[int, int]:
        """Full width and height, in pixels."""
        pixels = self.data if self.full is None else self.full
        height, width = pixels.y.shape if isinstance(pixels, YUV420) else pixels.shape[:2]
        return width, height

    def __repr__(self) -> str:
        alpha = "" if self.alpha is None else ", alpha"
        full = "" if self.full is None else f", of {self.size[0]}x{self.size[1]}"
        return (
            f"Frame({self.data.shape}{full}{alpha}, pts={self.pts}, duration={self.duration}, segment={self.segment})"
        )

    @property
    def seconds(self) -> Fraction:
        """Presentation time in seconds."""
        return self.pts * self.time_base


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Consecutive frames of one segment and one size. An index gives a Frame, a slice a FrameBatch, both without a copy."""

    data: NDArray[np.uint8]
    """(N, H, W, 3) uint8 in [0, 255]."""
    pts: NDArray[np.int64]
    """(N,) presentation times, in time_base ticks, strictly increasing."""
    durations: NDArray[np.int64]
    """(N,) how long each frame is shown, in time_base ticks; 0 where unknown."""
    time_base: Fraction
    """Seconds per tick."""
    alpha: NDArray[np.uint8] | None = None
    """(N, H, W) uint8, of the full size; None where the source has no transparency."""
    segment: int = 0
    """Number of the segment that all of them belong to."""
    full: tuple[Full, ...] = ()
    """Each frame at full size, where `data` holds small copies; empty where it does not."""
    guides: tuple[Guide, ...] = ()
    """With `full`: each small copy as it was before it was painted."""

    def __post_init__(self) -> None:
        n = self.data.shape[0]
        if self.data.ndim != 4 or self.data.shape[3] != 3:
            raise ValueError(f"data must be (N, H, W, 3), got {self.data.shape}")
        if self.pts.shape != (n,) or self.durations.shape != (n,):
            raise ValueError(f"{n} frames need {n} pts and durations, got {self.pts.shape}, {self.durations.shape}")
        if len(self.full) not in (0, n) or len(self.guides) != len(self.full):
            raise ValueError(f"{n} frames cannot have {len(self.full)} at full size and {len(self.guides)} guides")
        if self.alpha is not None and not self.full and self.alpha.shape != self.data.shape[:3]:
            raise ValueError(f"alpha must be {self.data.shape[:3]}, got {self.alpha.shape}")

    @classmethod
    def of(cls, frames: Iterable[Frame]) -> Self:
        """One batch of at least one frame; a single frame is not copied.

        Raises:
            ValueError: no frame, or frames of different sizes.
        """
        held = list(frames)
        if not held:
            raise ValueError("a batch needs at least one frame")
        first = held[0]
        return cls(
            first.data[None] if len(held) == 1 else np.stack([frame.data for frame in held]),
            np.array([frame.pts for frame in held], np.int64),
            np.array([frame.duration for frame in held], np.int64),
            first.time_base,
            None if first.alpha is None else np.stack([frame.alpha for frame in held if frame.alpha is not None]),
            first.segment,
            tuple(frame.full for frame in held if frame.full is not None),
            tuple(frame.guide for frame in held if frame.guide is not None),
        )

    def __len__(self) -> int:
        return int(self.data.shape[0])

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Frame | Self:
        alpha = None if self.alpha is None else self.alpha[index]
        if isinstance(index, slice):
            pts, durations, more = self.pts[index], self.durations[index], (self.full[index], self.guides[index])
            return type(self)(self.data[index], pts, durations, self.time_base, alpha, self.segment, *more)
        pts_, duration = int(self.pts[index]), int(self.durations[index])
        full, guide = (self.full[index], self.guides[index]) if self.full else (None, None)
        return Frame(self.data[index], pts_, duration, self.time_base, alpha, self.segment, full, guide)

    def __iter__(self) -> Iterator[Frame]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        alpha = "" if self.alpha is None else ", alpha"
        return f"FrameBatch({self.data.shape}{alpha}, pts={self.pts.tolist()}, segment={self.segment})"
