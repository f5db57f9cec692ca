"""Frames as luma and chroma planes, and their exact arithmetic to and from RGB (ITU-R BT.601, BT.709, BT.2020; H.273)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8] | NDArray[np.uint16]

LUMA_WEIGHTS = MappingProxyType(
    {
        "bt601": (0.299, 0.587, 0.114),
        "bt709": (0.2126, 0.7152, 0.0722),
        "bt2020": (0.2627, 0.6780, 0.0593),
        "fcc": (0.30, 0.59, 0.11),
        "smpte240m": (0.212, 0.701, 0.087),
    }
)
"""Weights of red, green and blue in the luma of each matrix, by the names that media gives them."""

LUMA_LEVELS, CHROMA_LEVELS = 219, 224
"""Levels of 255 from black to white, and from one end of chroma to the other, in limited range."""


@dataclass(frozen=True)
class YUV420:
    """A frame as 4:2:0 planes, chroma in the middle of each four luma samples."""

    y: Plane
    """(H, W) luma: uint8, or uint16 in [0, 1023] where `depth` is 10."""
    u: Plane
    """(ceil(H / 2), ceil(W / 2)) Cb, same dtype."""
    v: Plane
    """Cr, likewise."""
    depth: int = 8
    """Bits of a sample, 8 or 10."""

    def __post_init__(self) -> None:
        half = tuple(-(-side // 2) for side in self.y.shape)
        if self.u.shape != half or self.v.shape != half:
            raise ValueError(f"chroma of {self.y.shape} luma must be {half}, got {self.u.shape} and {self.v.shape}")
        kind = np.uint8 if self.depth == 8 else np.uint16
        if any(plane.dtype != kind for plane in (self.y, self.u, self.v)):
            raise ValueError(f"planes of {self.depth} bits must be {kind.__name__}")


def rgb_matrix(matrix: str) -> NDArray[np.float64]:
    """(3, 3): R, G, B of Y in [0, 1] and Cb, Cr in [-0.5, 0.5]."""
    red, green, blue = LUMA_WEIGHTS[matrix]
    to_red, to_blue = 2 * (1 - red), 2 * (1 - blue)
    return np.array(
        [[1, 0, to_red], [1, -blue * to_blue / green, -red * to_red / green], [1, to_blue, 0]], dtype=np.float64
    )


def yuv_matrix(matrix: str) -> NDArray[np.float64]:
    """(3, 3): Y in [0, 1] and Cb, Cr in [-0.5, 0.5] of R, G, B in [0, 1]."""
    return np.asarray(np.linalg.inv(rgb_matrix(matrix)), np.float64)


def planes_to_rgb(
    planes: tuple[Plane, Plane, Plane], *, matrix: str, full_range: bool, depth: int
) -> NDArray[np.uint8]:
    """4:4:4 planes as (H, W, 3) uint8 RGB, rounded to the nearest level and clamped.

    Args:
        planes: Y, Cb, Cr of the same size.
        matrix: a name of `LUMA_WEIGHTS`.
        full_range: samples use all levels; otherwise 16..235 (luma) and 16..240 (chroma) of 255.
        depth: bits of a sample, 8 or 10.
    """
    unit = float((1 << depth) - 1)
    step = 2.0 ** (depth - 8)
    scale = [unit, unit, unit] if full_range else [step * LUMA_LEVELS, step * CHROMA_LEVELS, step * CHROMA_LEVELS]
    zero = [0.0 if full_range else 16 * step, 128 * step, 128 * step]
    linear = rgb_matrix(matrix) * 255 / np.array(scale)
    affine = np.column_stack([linear, -linear @ np.array(zero)]).astype(np.float32)
    stacked = cv2.merge(planes)
    if depth == 8:  # OpenCV rounds and clamps
        return cast("NDArray[np.uint8]", cv2.transform(stacked, affine))
    exact = cv2.transform(stacked.astype(np.float32), affine)
    return cast("NDArray[np.uint8]", np.clip(np.rint(exact), 0, 255).astype(np.uint8))


def rgb_to_yuv(rgb: NDArray[np.uint8], matrix: str = "bt709") -> NDArray[np.float32]:
    """(3, H, W) float32 of (H, W, 3) uint8 RGB: Y in [0, 1], Cb and Cr in [-0.5, 0.5], not rounded."""
    linear = (yuv_matrix(matrix) / 255).astype(np.float32)
    packed = cv2.transform(rgb.astype(np.float32), linear)
    out = np.empty((3, *rgb.shape[:2]), np.float32)
    for i in range(3):
        cv2.extractChannel(packed, i, out[i])
    return out
