"""Pictures at another size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def with_short_side(picture: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """A picture (H, W, C) uint8 with its proportions and a short side of `size` pixels, by Lanczos with antialiasing."""
    height, width = picture.shape[:2]
    scale = size / min(height, width)
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(picture).resize(target, Image.Resampling.LANCZOS))


def resize_short(image: NDArray[np.uint8], short: int) -> NDArray[np.uint8]:
    """A picture (H, W, C) uint8 whose short side is `short` pixels: area-averaged when smaller, bicubic when larger;
    itself where it has that size."""
    import cv2  # not at the top: training from a pack reads pictures on machines without it

    h, w = image.shape[:2]
    scale = short / min(h, w)
    if scale == 1:
        return image
    size = (max(short, round(w * scale)), max(short, round(h * scale)))
    out = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return out.astype(np.uint8, copy=False)
