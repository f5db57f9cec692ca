"""The worst moments of a film, kept while it streams by."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_THUMB = 640
"""Long side of kept pictures, pixels."""


@dataclass(frozen=True)
class Moment:
    """Two consecutive frames and what is wrong between them."""

    index: int
    """Of the first frame, counted from 0."""
    seconds: float
    value: float
    source: NDArray[np.uint8]
    """(h, w, 3) uint8, long side at most THUMB."""
    styled: NDArray[np.uint8]
    later: NDArray[np.uint8]
    """The film's next frame."""
    error: NDArray[np.float32]
    """(h, w) error of every pixel; NaN where it is not measured."""


class Worst:
    """The `count` moments of largest value that lie at least `apart` frames from each other.

    Among moments closer than that only the largest is kept.
    """

    def __init__(self, count: int, apart: int = 5) -> None:
        self.count, self.apart = count, apart
        self.moments: list[Moment] = []

    def wants(self, index: int, value: float) -> bool:
        """Whether a moment would be kept; so that pictures are made only for those."""
        near = [m for m in self.moments if abs(m.index - index) < self.apart]
        if near:
            return value > max(m.value for m in near)
        return len(self.moments) < self.count or value > min(m.value for m in self.moments)

    def add(self, moment: Moment) -> None:
        """Keep a moment that was wanted."""
        far = [m for m in self.moments if abs(m.index - moment.index) >= self.apart]
        self.moments = sorted([*far, moment], key=lambda m: -m.value)[: self.count]


def thumb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 shrunk to a long side of at most THUMB; a copy, so that the full frame can go."""
    return np.array(cv2.resize(frame, _size(frame.shape), interpolation=cv2.INTER_AREA), np.uint8)


def thumb_error(error: NDArray[np.float32], measured: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W) errors shrunk like the frames: means over measured pixels, NaN where there are none."""
    size = _size(error.shape)
    total = np.asarray(cv2.resize(np.where(measured, error, 0).astype(np.float32), size, interpolation=cv2.INTER_AREA))
    share = np.asarray(cv2.resize(measured.astype(np.float32), size, interpolation=cv2.INTER_AREA))
    return np.where(share > 0, total / np.maximum(share, 1e-6), np.nan).astype(np.float32)


def _size(shape: tuple[int, ...]) -> tuple[int, int]:
    scale = min(1.0, _THUMB / max(shape[:2]))
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))
