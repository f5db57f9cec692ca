"""What happens to frames around the model: size, transparency, colour of the source."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidstyle.core.errors import InputError
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.sizes import MIN_SIDE

Frames = NDArray[np.uint8]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""BT.709 weights of red, green, blue."""
_BOXES = 12
"""Boxes over which luma is averaged, that side by side would fill the short side: wider than strokes, narrower than a face."""


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


def resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """A frame at another size (width, height): area-averaged when smaller, bicubic when larger."""
    width, height = size
    if frame.data.shape[:2] == (height, width):
        return frame
    smaller = height * width < frame.data.shape[0] * frame.data.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    data, alpha = cv2.resize(frame.data, size, interpolation=method), frame.alpha
    if alpha is not None:
        alpha = np.asarray(cv2.resize(alpha, size, interpolation=method), np.uint8)
    return replace(frame, data=np.asarray(data, np.uint8), alpha=alpha)


def with_small_copy(frame: Frame, size: tuple[int, int]) -> Frame:
    """A frame for the model to paint at `size` (width, height), itself kept as `full`. Every pixel counts: the weights are a
    triangle as wide as the ratio of the sizes on each side."""
    small = np.asarray(Image.fromarray(frame.data).resize(size, Image.Resampling.BILINEAR))
    return replace(frame, data=small, full=frame.data, guide=small)


def on_black(frame: Frame) -> Frame:
    """A frame laid over black by its alpha, opaque; the frame itself where it has none."""
    if frame.alpha is None:
        return frame
    product = frame.data.astype(np.uint16) * frame.alpha[..., None] + 127
    return replace(frame, data=cast(Frames, (product // 255).astype(np.uint8)), alpha=None)


def with_colour_of(source: Frames, styled: Frames, *, local: bool = False) -> Frames:
    """Luma of the result, chroma of the source; or, `local`, the result's luma about its local mean over the source's local
    mean: strokes stay, and what is bright or dark stays so too.

    Adding one number to red, green and blue changes Y' and leaves B' - Y' and R' - Y', so the whole exchange of luma is one
    grey difference, clamped where it leaves the cube.
    """
    out = np.empty_like(styled)
    for i, (old, new) in enumerate(zip(source, styled, strict=True)):
        grey = (new.astype(np.float32) - old) @ LUMA
        if local:
            grey -= _local_mean(grey)
        out[i] = np.clip(np.rint(old + grey[..., None]), 0, 255)
    return out


def _local_mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of (H, W) around each pixel: two boxes, each a twelfth of the short side wide, one after the other."""
    side = max(3, round(min(plane.shape) / _BOXES) | 1)
    for _ in range(2):
        plane = np.asarray(cv2.boxFilter(plane, -1, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
    return plane
