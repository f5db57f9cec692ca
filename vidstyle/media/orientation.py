"""The display matrix of a stream: how its frames are turned and mirrored before they are shown."""

from __future__ import annotations

import math
import struct
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", bound=np.generic)


def parse_display_matrix(data: bytes) -> tuple[int, bool]:
    """(rotation, mirrored) of a 36-byte display matrix (nine native int32, ISO/IEC 14496-12 section 6.2.2).

    First the frame is mirrored left-right (if `mirrored`), then turned clockwise by `rotation` in {0, 90, 180, 270}.
    Angles between are rounded to the nearest quarter turn; a degenerate matrix means no rotation.
    """
    m = struct.unpack("=9i", data[:36])
    a, b, c, d = m[0], m[1], m[3], m[4]  # (x, y) is shown at (a x + c y, b x + d y)
    determinant = a * d - b * c
    if determinant == 0:
        return 0, False
    mirrored = determinant < 0
    if mirrored:
        a, b = -a, -b  # undo the mirror of x, which comes first
    turn = round(math.degrees(math.atan2(b, a)) / 90) % 4
    return turn * 90, mirrored


def orient(image: NDArray[_T], rotation: int, mirrored: bool) -> NDArray[_T]:
    """View of `image` (H, W, ...) mirrored left-right if asked, then turned clockwise by `rotation` degrees."""
    if mirrored:
        image = image[:, ::-1]
    return np.rot90(image, k=-(rotation // 90), axes=(0, 1)) if rotation else image
