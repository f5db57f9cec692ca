"""Masks: a grey picture that says, pixel by pixel, which of two pictures is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.image_io import read_image

Mask = NDArray[np.uint8]
"""(H, W): 255 is all of the first picture, 0 all of the second."""


def read_mask(path: Path) -> Mask:
    """The luma (BT.601, as grey pictures are understood) of a picture laid over black: what is transparent counts as black.

    Raises:
        InputError: no picture that can be read.
    """
    import cv2

    rgba = read_image(path, alpha=True)
    grey = cv2.cvtColor(rgba[..., :3], cv2.COLOR_RGB2GRAY).astype(np.uint16)
    return ((grey * rgba[..., 3] + 127) // 255).astype(np.uint8)


def is_still(path: Path) -> bool:
    """Whether a file is a picture, not a film, by its name."""
    return path.suffix.lower() in _PICTURES


_PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"))


def stretched(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask at `size` (width, height): area-averaged where it gets smaller, linear where larger."""
    import cv2

    smaller = size[0] * size[1] < mask.size
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8)


def mix(first: NDArray[np.uint8], second: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """`first` where the mask is white, `second` where it is black, their weighted mean (to the nearest level) between.

    Args:
        first, second: (N, H, W, 3) uint8.
        mask: (H, W).
    """
    out = np.empty_like(first)
    share = mask.astype(np.uint16)[..., None]
    for i, (a, b) in enumerate(zip(first, second, strict=True)):  # frame by frame: products need twice the memory
        out[i] = (a * share + b * (255 - share) + 127) // 255
    return out
