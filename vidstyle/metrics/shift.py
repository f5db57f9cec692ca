"""Shift error: how much of a picture changes when its frame moves by whole pixels. Needs neither flow nor weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]

SHIFTS = (1, 2, 3, 4, 8)
"""Pixels."""
_DIRECTIONS = ((1, 0), (0, 1), (1, 1))
"""(right, down): a shift is measured along, down and across, and averaged."""
MARGIN = 32
"""Pixels at every border that are left out: a network fills in what lies outside, which no motion explains. A quarter of the
short side where that is less."""


def windows(frame: Frames, shift: int, largest: int | None = None) -> list[Frames]:
    """Views of one frame through a window of one size: where it is, and moved by `shift` in each of DIRECTIONS.

    Args:
        frame: (H, W, 3) uint8.
        shift: pixels by which the window moves, at least 1.
        largest: the largest shift that the same window has to have room for (default: this one).

    Returns:
        four of (H - largest, W - largest, 3) uint8.

    Raises:
        ValueError: a frame that is too small for it.
    """
    room = largest or shift
    height, width = frame.shape[0] - room, frame.shape[1] - room
    if min(height, width) < 16 or shift > room:
        raise ValueError(f"a frame of {frame.shape[1]}x{frame.shape[0]} has no room to move by {room} pixels")
    places = [(0, 0), *((shift * x, shift * y) for x, y in _DIRECTIONS)]
    return [np.ascontiguousarray(frame[y : y + height, x : x + width]) for x, y in places]


def difference(still: Frames, moved: Frames, dx: int, dy: int) -> float:
    """Mean absolute difference over channels and over the pixels that both show, levels of 255, without
    MARGIN pixels at the borders.

    Args:
        still: (..., H, W, 3) uint8, of a window.
        moved: the same of the window moved by dx to the right and dy down: still[y + dy, x + dx] is moved[y, x].
    """
    height, width = still.shape[-3:-1]
    keep = min(MARGIN, min(height, width) // 4)
    first = still[..., keep + dy : height - keep, keep + dx : width - keep, :].astype(np.int16)
    second = moved[..., keep : height - keep - dy, keep : width - keep - dx, :]
    return float(np.abs(first - second).mean(dtype=np.float64))


def shift_error(stylize: Callable[[Frames], Frames], frame: Frames, shifts: Sequence[int] = SHIFTS) -> dict[int, float]:
    """How far the picture of a moved frame is from the moved picture, by pixels moved.

    A frame is seen through a window, and through the same window moved by s pixels along, down and across: nothing is
    resampled, nothing invented at the border. Both are styled, the motion is undone, and they are compared where both show the
    same. A method that commutes with shifts has 0, at every s; one on a grid of g pixels at multiples of g only.

    Args:
        stylize: (1, H, W, 3) uint8 -> the same; any network or engine.
        frame: (H, W, 3) uint8.
        shifts: pixels.

    Returns:
        s -> mean absolute difference, levels of 255.
    """
    largest = max(shifts)
    still = stylize(windows(frame, shifts[0], largest)[0][None])[0]
    out = {}
    for shift in shifts:
        moved = [stylize(view[None])[0] for view in windows(frame, shift, largest)[1:]]
        pairs = zip(moved, _DIRECTIONS, strict=True)
        out[shift] = float(np.mean([difference(still, m, shift * x, shift * y) for m, (x, y) in pairs]))
    return out
