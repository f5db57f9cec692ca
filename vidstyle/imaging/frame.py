"""FrameChunk: the one thing that travels between the stages."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class FrameChunk:
    """A few consecutive frames with their times.

    Frames are display-oriented (rotation already applied), RGB, full range.
    """

    data: NDArray[np.uint8] | NDArray[np.uint16]
    """(N, H, W, 3) uint8 in [0, 255], or uint16 in [0, 65535]."""
    pts: NDArray[np.int64]
    """(N,) presentation times, in time_base ticks, strictly increasing."""
    durations: NDArray[np.int64]
    """(N,) how long each frame is shown, in time_base ticks; 0 where unknown."""
    time_base: Fraction
    """Seconds a tick."""
    alpha: NDArray[np.uint8] | NDArray[np.uint16] | None = None
    """(N, H, W), same dtype as data; None where the source has no transparency."""

    def __post_init__(self) -> None:
        n = self.data.shape[0]
        if self.data.ndim != 4 or self.data.shape[3] != 3:
            raise ValueError(f"data must be (N, H, W, 3), got {self.data.shape}")
        if self.pts.shape != (n,) or self.durations.shape != (n,):
            raise ValueError(f"{n} frames need {n} pts and durations, got {self.pts.shape}, {self.durations.shape}")
        if self.alpha is not None and self.alpha.shape != self.data.shape[:3]:
            raise ValueError(f"alpha must be {self.data.shape[:3]}, got {self.alpha.shape}")

    def __len__(self) -> int:
        return int(self.data.shape[0])
