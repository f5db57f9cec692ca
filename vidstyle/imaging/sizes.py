"""Sizes of frames, in pixels."""

from __future__ import annotations

from typing import Literal

MIN_SIDE = 16
"""Smallest width and height that models take."""
MIN_PAINT_SIZE = 64
"""Smallest short side that a frame is shrunk to for painting; smaller frames are painted as they are."""
AUTO_PAINT_SIZE = 320
"""Short side at which larger frames are painted unless another is asked for."""

PaintSize = int | Literal["auto", "source"]
"""Short side at which frames are painted: a number, `AUTO_PAINT_SIZE`, or that of the frame."""


def painting_size(size: tuple[int, int], wish: PaintSize) -> tuple[int, int]:
    """Width and height at which a frame of `size` is painted: its own where it is no larger than wished, or below 64."""
    short = min(size)
    wanted = short if wish == "source" else AUTO_PAINT_SIZE if wish == "auto" else wish
    if wanted >= short or short < MIN_PAINT_SIZE:
        return size
    width, height = (wanted if side == short else round(side * wanted / short) for side in size)
    return width, height
