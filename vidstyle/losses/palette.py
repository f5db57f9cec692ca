r"""Which colours a picture has, as numbers whose means and deviations can be compared.

Deviations of red, green and blue say little of colour: grey texture satisfies them. Luma and two chroma directions, with their
sums in pairs, tell all of a 3x3 covariance:

.. math:: \mathrm{var}(a + b) = \mathrm{var}\,a + \mathrm{var}\,b + 2\,\mathrm{cov}(a, b)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_CHROMA = 3.0
"""Chroma differences are this much smaller than those of luma in paintings, so they are enlarged by it."""
COARSE = 8
"""Side of the squares whose mean colours are compared besides, pixels: texture leaves these alone."""


def palettes(picture: Tensor) -> list[Tensor]:
    """Colour channels of a picture and of its coarse squares.

    Args:
        picture: (N, 3, H, W) RGB, sides of at least COARSE.

    Returns:
        (N, 6, H, W) and (N, 6, H // COARSE, W // COARSE): luma (BT.601), blue minus luma, red minus luma, and the three sums of
        two of them, over the root of 2.
    """
    red, green, blue = picture.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    b, r = _CHROMA * 0.564 * (blue - luma), _CHROMA * 0.713 * (red - luma)
    root = 0.5**0.5
    fine = torch.stack([luma, b, r, root * (luma + b), root * (luma + r), root * (b + r)], 1)
    return [fine, F.avg_pool2d(fine, COARSE)]
