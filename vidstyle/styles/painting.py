"""Pictures as styles: what of them can be seen, at a size that memory suffices for."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidstyle.core.errors import InputError
from vidstyle.imaging.image_io import LARGE, has_transparency, read_image
from vidstyle.imaging.open_image import is_animated, opened_image
from vidstyle.imaging.sizes import MIN_SIDE
from vidstyle.imaging.transparency import seen

MOST_PIXELS = 1 << 21
"""Area at which a style is read at most, 1448 x 1448 pixels: encoding it takes 0.3 kB per pixel. At the usual short side of 384
pixels a panorama of 14 to 1 is still read whole; longer ones are read smaller."""


def reading_size(width: int, height: int, short_side: int) -> tuple[int, int] | None:
    """Width and height at which a style is encoded: its short side as asked for, or less where its area would be more than
    MOST_PIXELS; None where that would leave fewer than 16 pixels of it."""
    scale = min(short_side / min(width, height), math.sqrt(MOST_PIXELS / (width * height)))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return size if min(size) >= MIN_SIDE else None


def read_painting(path: Path, short_side: int) -> NDArray[np.uint8]:
    """A picture file as a style, (H, W, 3) uint8 sRGB: transparent parts show what lies beside them (`seen`).

    Args:
        short_side: pixels (see `reading_size`).

    Raises:
        InputError: no picture that can be read, one that is wholly transparent, or one that is too long for its width.
    """
    with opened_image(path) as image:
        width, height = image.size
    size = reading_size(width, height, short_side)
    if size is None:
        raise InputError(f"{path}: is {width}x{height}, too long and thin to be a style; cut a piece out of it.")
    if min(size) == short_side and not has_transparency(path):
        return read_image(path, short_side=short_side)
    # Twice the size at which it is used leaves the last step to `fitted`.
    early = None if width * height <= LARGE else min(2 * min(size), min(width, height))
    rgba = read_image(path, short_side=early, alpha=True)
    visible = seen(rgba)
    if visible is None:
        raise InputError(f"{path}: is transparent everywhere; give a picture on which something can be seen.")
    return fitted(visible, short_side)


def fitted(picture: NDArray[np.uint8], short_side: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) uint8 at the size at which it is encoded. Raises InputError where it is too long for its width."""
    height, width = picture.shape[:2]
    size = reading_size(width, height, short_side)
    if size is None:
        raise InputError(f"a picture of {width}x{height} is too long and thin to be a style; cut a piece out of it.")
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def notes(path: Path, short_side: int) -> list[str]:
    """What there is to say of a picture file as a style: sentences."""
    with opened_image(path) as image:
        width, height = image.size
    found = [f"{path}: is animated; its first picture is the style."] if is_animated(path) else []
    size = reading_size(width, height, short_side)
    if size is not None and min(size) < short_side:
        found.append(
            f"{path}: at a short side of {short_side} it would be too large; it is read at {size[0]}x{size[1]}."
        )
    return found
