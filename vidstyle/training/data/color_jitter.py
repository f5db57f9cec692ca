"""Random changes of colour, a function of each picture's own generator.

The formulas are those of `kornia.enhance`, with which the tests compare. Written out, they need no package on a machine that
only trains, and never ask the device for a value.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.training.data.transfer import upload
from vidstyle.training.recipe import Colour

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in grey (ITU-R BT.601)."""


def recolour(x: Tensor, colour: Colour, rngs: Sequence[np.random.Generator]) -> Tensor:
    """Change brightness, contrast, saturation and hue of each picture, in this order.

    Args:
        x: (B, 3, H, W) float32 in [0, 1].
        colour: how much; 0 leaves a property alone, and `x` itself is returned where all are 0.
        rngs: one for each picture.

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    return jitter(x, upload(factors([colour] * len(x), rngs), x.device), used([colour]))


def factors(colours: Sequence[Colour], rngs: Sequence[np.random.Generator]) -> NDArray[np.float64]:
    """(B, 4): what brightness, contrast and saturation are multiplied by, and the turn of the hue in radians.

    Args:
        colours: how much, for each picture.
        rngs: one for each picture.
    """
    drawn = np.stack([rng.uniform(-1, 1, 4) for rng in rngs])
    most = np.array([[c.brightness, c.contrast, c.saturation, 2 * np.pi * c.hue] for c in colours])
    return most * drawn + [1, 1, 1, 0]


def used(colours: Sequence[Colour]) -> tuple[bool, bool, bool, bool]:
    """Whether any picture changes brightness, contrast, saturation, hue."""
    return (
        any(c.brightness for c in colours),
        any(c.contrast for c in colours),
        any(c.saturation for c in colours),
        any(c.hue for c in colours),
    )


def jitter(x: Tensor, by: Tensor, use: tuple[bool, bool, bool, bool]) -> Tensor:
    """Pictures in other colours.

    Args:
        x: (B, 3, H, W) float32 in [0, 1].
        by: (B, 4) of `factors`.
        use: which columns count; the others cost nothing.

    Returns:
        (B, 3, H, W) in [0, 1]; `x` itself where none counts.
    """
    brightness, contrast, saturation, hue = (c[:, None, None, None] for c in by.unbind(1))
    if use[0]:
        x = (x * brightness).clamp(0, 1)
    if use[1]:
        x = torch.lerp(grey(x).mean((2, 3), keepdim=True), x, contrast).clamp(0, 1)
    if use[2]:
        x = torch.lerp(grey(x), x, saturation).clamp(0, 1)
    return _turned_hue(x, hue) if use[3] else x


def grey(x: Tensor) -> Tensor:
    """(B, 1, H, W) luma of (B, 3, H, W)."""
    red, green, blue = (x[:, i : i + 1] for i in range(3))
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def _turned_hue(x: Tensor, angle: Tensor) -> Tensor:
    """RGB in [0, 1] whose hue in HSV is turned by `angle`, radians; value and saturation stay."""
    top, bottom = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
    spread = top - bottom
    red, green, blue = (x[:, i : i + 1] for i in range(3))
    by = torch.where(spread == 0, torch.ones_like(spread), spread)
    sector = torch.where(
        red == top, (green - blue) / by, torch.where(green == top, (blue - red) / by + 2, (red - green) / by + 4)
    )
    sector = sector + angle * (3 / torch.pi)
    # A channel is the value less what the distance of its own sector from the hue takes: 0 within one sixth, all beyond two.
    distances = [(sector + n).remainder(6) for n in (5, 3, 1)]
    channels = [top - spread * torch.minimum(k, 4 - k).clamp(0, 1) for k in distances]
    return torch.cat(channels, 1)
