"""Random smooth motion, for the temporal loss: a camera move, a zoom, a gentle bend, as a sampling grid."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def random_grid(batch: int, side: int, generator: torch.Generator) -> Tensor:
    """A sampling grid of a small random affine map plus a smooth bend.

    Returns:
        (batch, side, side, 2) float32, in [-1, 1] coordinates of the source (`grid_sample`, align_corners=False).
        Shifts are about 3 % of the side, scale, shear and bend about 2 %.
    """
    theta = torch.zeros(batch, 2, 3)
    noise = torch.randn(batch, 2, 3, generator=generator)
    theta[:, :, :2] = torch.eye(2) + 0.02 * noise[:, :, :2]
    theta[:, :, 2] = 0.04 * noise[:, :, 2]
    grid = F.affine_grid(theta, [batch, 3, side, side], align_corners=False)
    bend = 0.012 * torch.randn(batch, 2, 4, 4, generator=generator)
    return grid + F.interpolate(bend, (side, side), mode="bicubic").permute(0, 2, 3, 1)


def warp(x: Tensor, grid: Tensor) -> Tensor:
    """Sample (B, C, H, W) at a grid, bilinear, reflecting at the border."""
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def inside(grid: Tensor, margin: float = 0.02) -> Tensor:
    """(B, 1, H, W) float mask of grid points that fall into the picture, a margin away from its border."""
    return (grid.abs() < 1 - margin).all(-1).unsqueeze(1).float()


def disturb(x: Tensor, generator: torch.Generator) -> Tensor:
    """What a camera adds between two frames: a little noise, a little change of exposure; clamped to [0, 1]."""
    b = x.shape[0]
    sigma = 0.015 * torch.rand(b, 1, 1, 1, generator=generator)
    exposure = 0.01 * torch.randn(b, 1, 1, 1, generator=generator)
    return (x + exposure + sigma * torch.randn(x.shape, generator=generator)).clamp(0, 1)
