"""A picture that was painted small, carried to full size with the frame's own detail.

The network paints the frame shrunk to the painting size. Its result S is enlarged, and what the shrinking took from the frame
comes back through a local linear model of S by the frame's luma (the fast guided filter of He and Sun, "Fast Guided Filter",
arXiv 1505.00996, 2015, with the full-size part of the guide alone):

    out = up(S) + d * up(mean(a)) * (Y - up(Y_low)),    a = cov(Y_low, S) / (var(Y_low) + eps)

for each channel of S; covariance, variance and mean over boxes of (2 r + 1)^2 pixels of the painting, borders repeated; a is
clamped before it is averaged; up is bicubic for pictures and bilinear for a. With d = 0 it is plain bicubic enlargement. Where
the painting follows the frame, the frame's texture and edges come through; where it does not, nothing is added.

This module is the form in RGB and float32, the reference. `detail_yuv` is the same on planes, in whole numbers and without RGB
at full size; `detail_torch` the same for GPUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.yuv import LUMA_WEIGHTS

Real = NDArray[np.float32]

RADIUS = 2
"""r, in pixels of the painting."""
EPS = 1e-3
"""Variance of luma (in [0, 1]) below which the frame counts as flat: a deviation of 8 levels of 255."""
LIMIT = 2.0
"""Largest |a|: detail is never amplified more than this."""


def upsample(image: Real, size: tuple[int, int]) -> Real:
    """`image` (h, w) or (h, w, C) at `size` (width, height), bicubic; not clamped."""
    return cast(Real, cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))


def box_mean(image: Real, radius: int) -> Real:
    """Mean of the (2 radius + 1)^2 pixels around each, those beyond the border repeated."""
    side = 2 * radius + 1
    return cast(Real, cv2.boxFilter(image, -1, (side, side), borderType=cv2.BORDER_REPLICATE))


def coefficients(guide: Real, channels: Sequence[Real], *, radius: int = RADIUS, eps: float = EPS) -> list[Real]:
    """mean(a) for each channel of the painting.

    Args:
        guide: (h, w) luma of the shrunk frame, in [0, 1].
        channels: (h, w) each, of the painting, in units of the same scale.
        radius: of the boxes, in pixels.
        eps: added to the guide's variance.
    """
    mean = box_mean(guide, radius)
    spread = box_mean(guide * guide, radius)
    spread -= mean * mean
    np.maximum(spread, 0, out=spread)  # rounding
    spread += np.float32(eps)
    slopes = []
    for channel in channels:
        slope = box_mean(guide * channel, radius)
        slope -= mean * box_mean(channel, radius)
        slope /= spread
        np.clip(slope, -LIMIT, LIMIT, out=slope)
        slopes.append(box_mean(slope, radius))
    return slopes


def luma(rgb: NDArray[np.uint8], weights: tuple[float, float, float] = LUMA_WEIGHTS["bt709"]) -> Real:
    """(H, W) in [0, 1] of (H, W, 3) uint8."""
    row = np.array([weights], np.float32) / np.float32(255)
    return cast(Real, cv2.transform(rgb.astype(np.float32), row))


def add_detail(
    painting: NDArray[np.uint8],
    shrunk: NDArray[np.uint8],
    source: NDArray[np.uint8],
    detail: float = 1.0,
    *,
    weights: tuple[float, float, float] = LUMA_WEIGHTS["bt709"],
) -> NDArray[np.uint8]:
    """The painting of `shrunk` at the size of `source`.

    Args:
        painting: (h, w, 3) RGB, painted from `shrunk`.
        shrunk: (h, w, 3) RGB, `source` made smaller.
        source: (H, W, 3) RGB, any size from (h, w) up.
        detail: d, in [0, 1].
        weights: of red, green and blue in luma.

    Returns:
        (H, W, 3) uint8, rounded and clamped.
    """
    size = (source.shape[1], source.shape[0])
    out = upsample(painting.astype(np.float32), size)
    if detail:
        low = luma(shrunk, weights)
        band = luma(source, weights)
        band -= upsample(low, size)
        band *= np.float32(255 * detail)
        channels = [cv2.extractChannel(painting, i).astype(np.float32) / np.float32(255) for i in range(3)]
        for i, slope in enumerate(coefficients(low, channels)):
            out[..., i] += cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR) * band
    np.rint(out, out=out)
    return cast("NDArray[np.uint8]", np.clip(out, 0, 255, out=out).astype(np.uint8))
