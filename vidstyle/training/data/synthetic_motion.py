"""Random smooth motion, for the temporal loss: a camera move, a zoom, a gentle bend, as a sampling grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.training.data.jpeg import jpeg
from vidstyle.training.data.transfer import upload


def random_grid(side: int, generators: Sequence[torch.Generator], device: torch.device | None = None) -> Tensor:
    """A sampling grid of a small random affine map plus a smooth bend, one for each generator.

    Args:
        side: of the pictures, pixels.
        generators: of the processor; a few numbers are drawn from each, and the grid is made of them on the device.
        device: where the grid is wanted; None: the processor.

    Returns:
        (batch, side, side, 2) float32, in [-1, 1] coordinates of the source (`grid_sample`, align_corners=False).
        Shifts are about 3 % of the side, scale, shear and bend about 2 %.
    """
    batch = len(generators)
    theta = torch.zeros(batch, 2, 3)
    noise = torch.stack([torch.randn(2, 3, generator=g) for g in generators])
    theta[:, :, :2] = torch.eye(2) + 0.02 * noise[:, :, :2]
    theta[:, :, 2] = 0.04 * noise[:, :, 2]
    bend = 0.012 * torch.stack([torch.randn(2, 4, 4, generator=g) for g in generators])
    if device is not None:
        theta, bend = upload(theta, device), upload(bend, device)
    grid = F.affine_grid(theta, [batch, 3, side, side], align_corners=False)
    return grid + F.interpolate(bend, (side, side), mode="bicubic").permute(0, 2, 3, 1)


def warp(x: Tensor, grid: Tensor) -> Tensor:
    """Sample (B, C, H, W) at a grid, bilinear, reflecting at the border."""
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def inside(grid: Tensor, margin: float = 0.02) -> Tensor:
    """(B, 1, H, W) float mask of grid points that fall into the picture, a margin away from its border."""
    return (grid.abs() < 1 - margin).all(-1).unsqueeze(1).float()


def disturb(x: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """What a camera adds between two frames: a little noise, a little change of exposure; clamped to [0, 1].

    Args:
        x: (B, C, H, W) in [0, 1].
        generators: one for each picture.
    """
    drawn = [(torch.rand(1, generator=g), torch.randn(1, generator=g)) for g in generators]
    sigma, exposure = (upload(torch.stack(part), x.device)[:, None, None] for part in zip(*drawn, strict=True))
    return (x + (0.01 * exposure + 0.015 * sigma * normal_noise(x, generators))).clamp(0, 1)


def normal_noise(x: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Normal noise of the shape of x: on the processor of each picture's own generator, elsewhere made where it is needed."""
    if x.device.type == "cpu":
        return torch.stack([torch.randn(x.shape[1:], generator=g) for g in generators])
    there = torch.Generator(x.device).manual_seed(generators[0].initial_seed())
    return torch.randn(x.shape, generator=there, device=x.device)


def compressed(x: Tensor, quality: tuple[int, int], generators: Sequence[torch.Generator]) -> Tensor:
    """What a codec leaves of frames: blocks, bands and ringing, by way of JPEG.

    Args:
        x: (B, 3, H, W) in [0, 1].
        quality: least and greatest of JPEG's scale, 1 to 100; one is drawn for each picture.
        generators: one for each picture.
    """
    least, greatest = quality
    drawn = [int(torch.randint(least, greatest + 1, (1,), generator=g)) for g in generators]
    return jpeg(x, np.array(drawn)).to(x.dtype).contiguous(memory_format=torch.channels_last)
