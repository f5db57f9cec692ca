"""Random changes of colour (kornia), a function of each picture's own generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from kornia.enhance import (
    adjust_brightness_accumulative,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation_with_gray_subtraction,
)
from torch import Tensor

from vidstyle.training.recipe import Colour


def recolour(x: Tensor, colour: Colour, rngs: Sequence[np.random.Generator]) -> Tensor:
    """Change brightness, contrast, saturation and hue of each picture, in this order.

    Args:
        x: (B, 3, H, W) float32 in [0, 1].
        colour: how much; 0 leaves a property alone, and `x` itself is returned where all are 0.
        rngs: one for each picture.

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    draws = torch.from_numpy(np.stack([r.uniform(-1, 1, 4) for r in rngs])).float().to(x.device)
    brightness, contrast, saturation, hue = (d[:, None, None, None] for d in draws.unbind(1))
    if colour.brightness:
        x = adjust_brightness_accumulative(x, 1 + colour.brightness * brightness)
    if colour.contrast:
        x = adjust_contrast_with_mean_subtraction(x, 1 + colour.contrast * contrast)
    if colour.saturation:
        x = adjust_saturation_with_gray_subtraction(x, 1 + colour.saturation * saturation)
    if colour.hue:
        x = adjust_hue(x, 2 * torch.pi * colour.hue * hue)
    return x
