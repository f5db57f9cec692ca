"""Flicker: how much a film changes where its source stands still. Needs no optical flow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STILL = 2
"""Of 255: a source pixel stands still where every channel changes by less."""
_ENOUGH = 0.02
"""Share of still pixels below which a pair of frames says nothing."""


def still_pixels(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels of the source that change by less than 2/255 in every channel.

    Args:
        first: (H, W, 3) uint8, source at t.
        second: (H, W, 3) uint8, source at t + 1.

    Returns:
        (H, W) bool.
    """
    change = np.maximum(first, second) - np.minimum(first, second)
    return np.asarray(change.max(axis=2) < _STILL)


def flicker(first: NDArray[np.uint8], second: NDArray[np.uint8], still: NDArray[np.bool_]) -> float | None:
    """Mean absolute change of the film, over still pixels and channels, in [0, 1]; None below 2 % still pixels.

    Args:
        first: (H, W, 3) uint8, film at t.
        second: (H, W, 3) uint8, film at t + 1.
        still: (H, W) bool, of the source.
    """
    if still.mean() < _ENOUGH:
        return None
    change = np.maximum(first, second) - np.minimum(first, second)
    return float(change[still].mean(dtype=np.float64)) / 255
