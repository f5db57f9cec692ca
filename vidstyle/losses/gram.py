"""Gram matrices of features: the style loss of Gatys, Ecker and Bethge (2016)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def gram(x: Tensor) -> Tensor:
    """G = f f^T / (H W) of a layer f, (B, C, H, W) to (B, C, C), float32 or wider."""
    with torch.autocast(x.device.type, enabled=False):
        flat = x.flatten(2)
        flat = flat if flat.dtype == torch.float64 else flat.float()
        return torch.bmm(flat, flat.transpose(1, 2)) / flat.shape[2]


def gram_loss(features: Sequence[Tensor], style: Sequence[Tensor]) -> Tensor:
    """sum_x |G_x(o) - G_x(s)|^2 / |G_x(s)|^2: every layer counts by its relative error, however large its values are.

    Args:
        features: of the result, (B, C, H, W) each.
        style: Gram matrices of the style, (1 or B, C, C) each.
    """
    terms = [
        (gram(f) - g).square().mean() / g.square().mean().clamp_min(1e-12) for f, g in zip(features, style, strict=True)
    ]
    return torch.stack(terms).sum()
