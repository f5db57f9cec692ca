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
