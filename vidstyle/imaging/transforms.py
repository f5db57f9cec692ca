"""What happens to frames around the model: size, transparency, colour of the source."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.imaging.frame import FrameChunk
from vidstyle.imaging.sizes import MIN_SIDE

Frames = NDArray[np.uint8]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""BT.709 weights of red, green, blue."""


def target_size(
    width: int, height: int, *, size: tuple[int, int] | None = None, max_side: int | None = None
) -> tuple[int, int]:
    """Width and height of the styled frames.

    Args:
        width, height: of the source.
        size: exactly this.
        max_side: shrink, never enlarge, to even sides of which the longer is at most this.

    Raises:
        InputError: smaller than 16 pixels.
    """
    if size is not None:
        return size
    if max_side is not None and max(width, height) > max_side:
        scale = max_side / max(width, height)
        width, height = (min(max_side, max(2, 2 * round(side * scale / 2))) for side in (width, height))
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"its picture is {width}x{height}; both sides must be at least {MIN_SIDE} pixels (enlarge with --size)."
        )
    return width, height


def pixel_aspect(aspect: Fraction, source: tuple[int, int], target: tuple[int, int]) -> Fraction:
    """The pixel aspect ratio that keeps the picture's shape on the screen after a resize."""
    return aspect * Fraction(source[0] * target[1], source[1] * target[0])


def eight_bits(planes: NDArray[np.uint8] | NDArray[np.uint16]) -> Frames:
    """Samples as uint8, which is what models take; uint16 is rounded."""
    if planes.dtype == np.uint8:
        return cast(Frames, planes)
    return ((planes.astype(np.uint32) + 128) // 257).astype(np.uint8)


def resized(chunk: FrameChunk, size: tuple[int, int]) -> FrameChunk:
    """A chunk at another size (width, height): area-averaged when smaller, bicubic when larger."""
    width, height = size
    if chunk.data.shape[1:3] == (height, width):
        return chunk
    smaller = height * width < chunk.data.shape[1] * chunk.data.shape[2]
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC

    def resize(planes: NDArray[Any]) -> Any:
        return np.stack([cv2.resize(plane, (width, height), interpolation=method) for plane in planes])

    alpha = None if chunk.alpha is None else resize(chunk.alpha)
    return FrameChunk(resize(chunk.data), chunk.pts, chunk.durations, chunk.time_base, alpha)


def on_black(frames: Frames, alpha: NDArray[np.uint8]) -> Frames:
    """(N, H, W, 3) laid over black by its alpha (N, H, W)."""
    product = frames.astype(np.uint16) * alpha[..., None] + 127
    return cast(Frames, (product // 255).astype(np.uint8))


def with_colour_of(source: Frames, styled: Frames) -> Frames:
    """Luma of the result, chroma of the source.

    Adding one number to red, green and blue changes Y' and leaves B' - Y' and R' - Y', so the whole exchange of luma is one
    grey difference, clamped where it leaves the cube.
    """
    out = np.empty_like(styled)
    for i, (old, new) in enumerate(zip(source, styled, strict=True)):
        grey = (new.astype(np.float32) - old) @ LUMA
        out[i] = np.clip(np.rint(old + grey[..., None]), 0, 255)
    return out
