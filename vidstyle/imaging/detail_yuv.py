"""`imaging.detail` on 4:2:0 planes: the planes of the frame go in, those of the result come out, in 16-bit whole numbers.

The transfer is linear in the painting, so it may be done on Y, Cb and Cr instead of R, G and B: luma is the guide, its detail
goes to each of the three by a coefficient of its own. At full size only luma, half-size chroma and no RGB is ever made. What
differs from the reference is rounding (at most a level), and where the reference clamps: there R, G and B, here Y, Cb and Cr to
the limited range.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.detail import Real, coefficients
from vidstyle.imaging.yuv import CHROMA_LEVELS, LUMA_LEVELS, YUV420, Plane, rgb_to_yuv

Whole = NDArray[np.int16]

_FRACTION = 6
"""Bits below one level of 255 in the 16-bit numbers: cubic overshoot and differences of both signs still fit."""
_SLOPE = 1 << 13
"""What a coefficient of 1 is as a 16-bit number; 2 fits, whatever the ranges."""
_CODES = (
    (LUMA_LEVELS, 16, (16, 235)),
    (CHROMA_LEVELS, 128, (16, 240)),
    (CHROMA_LEVELS, 128, (16, 240)),
)
"""Of Y, Cb and Cr in limited range, in levels of 255: how many one unit is, where zero lies, the ends."""


def add_detail(
    painting: NDArray[np.uint8],
    shrunk_luma: Plane,
    source: YUV420,
    detail: float = 1.0,
    *,
    full_range: bool = False,
    depth: int = 8,
) -> YUV420:
    """The painting at the size of `source`, as BT.709 planes in limited range.

    Args:
        painting: (h, w, 3) RGB.
        shrunk_luma: (h, w) luma of the frame that was painted: the luma of `source`, made smaller, in its range and depth.
        source: full-size planes in any matrix; only luma is looked at.
        detail: d, in [0, 1].
        full_range: the luma of `source` uses all levels.
        depth: bits of the result, 8 or 10.
    """
    size, half = source.y.shape[::-1], source.u.shape[::-1]
    channels = rgb_to_yuv(painting)
    luma, *chroma = (_fixed(channels[i], *_CODES[i]) for i in range(3))
    out = [_enlarged(luma, size), *(_enlarged_chroma(plane, size, half) for plane in chroma)]
    if detail:
        step = 1 << (_FRACTION + 8 - source.depth)
        low = np.multiply(shrunk_luma, step, dtype=np.int16, casting="unsafe")
        band = np.multiply(source.y, step, dtype=np.int16, casting="unsafe")
        band -= _enlarged(low, size)
        white = ((1 << source.depth) - 1) * step if full_range else LUMA_LEVELS << _FRACTION
        guide = low.astype(np.float32) / np.float32(white)
        slopes = coefficients(guide, list(channels))
        _add(out[0], slopes[0], band, detail * (LUMA_LEVELS << _FRACTION) / white)
        band = _halved(band)
        for plane, slope in zip(out[1:], slopes[1:], strict=True):
            _add(plane, slope, band, detail * (CHROMA_LEVELS << _FRACTION) / white)
    y, u, v = (_levels(plane, ends, depth) for plane, (_, _, ends) in zip(out, _CODES, strict=True))
    return YUV420(y, u, v, depth)


def _fixed(channel: Real, levels: int, zero: int, _: tuple[int, int]) -> Whole:
    """A channel in units as 16-bit numbers of 1 / 64 level of 255."""
    exact: Real = (channel * np.float32(levels) + np.float32(zero)) * np.float32(1 << _FRACTION)
    return np.rint(exact).astype(np.int16)


def _enlarged(plane: Whole, size: tuple[int, ...]) -> Whole:
    return cast(Whole, cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC))


def _enlarged_chroma(plane: Whole, size: tuple[int, ...], half: tuple[int, ...]) -> Whole:
    """`plane` enlarged to `size` and seen at half of it; straight to that where it is no smaller than the painting."""
    width, height = plane.shape[::-1]
    if size == (2 * half[0], 2 * half[1]) and half[0] >= width and half[1] >= height:
        return _enlarged(plane, half)
    return _halved(_enlarged(plane, size))


def _halved(plane: Whole) -> Whole:
    """Mean of each four samples; the last column or row counts twice where their number is odd."""
    height, width = plane.shape
    if height % 2 or width % 2:
        plane = cast(Whole, cv2.copyMakeBorder(plane, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
    size = (plane.shape[1] // 2, plane.shape[0] // 2)
    return cast(Whole, cv2.resize(plane, size, interpolation=cv2.INTER_AREA))


def _add(plane: Whole, slope: Real, band: Whole, scale: float) -> None:
    """plane += scale * up(slope) * band, in place, without wrapping."""
    whole = np.rint(slope * np.float32(scale * _SLOPE)).astype(np.int16)
    full = cv2.resize(whole, band.shape[::-1], interpolation=cv2.INTER_LINEAR)
    cv2.multiply(full, band, full, 1 / _SLOPE)
    cv2.add(plane, full, plane)


def _levels(plane: Whole, ends: tuple[int, int], depth: int) -> Plane:
    """16-bit numbers, which are changed, as samples: rounded to the nearest level of `depth` bits, clamped to `ends`."""
    shift = _FRACTION + 8 - depth
    np.clip(plane, ends[0] << _FRACTION, ends[1] << _FRACTION, out=plane)
    plane += np.int16(1 << shift >> 1)
    plane >>= np.int16(shift)
    return plane.astype(np.uint8) if depth == 8 else plane.astype(np.uint16)
