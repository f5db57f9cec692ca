"""Random smooth motion, for the temporal loss: a camera move, a zoom, a gentle bend, as a sampling grid."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


def random_grid(side: int, generators: Sequence[torch.Generator]) -> Tensor:
    """A sampling grid of a small random affine map plus a smooth bend, one for each generator.

    Returns:
        (batch, side, side, 2) float32, in [-1, 1] coordinates of the source (`grid_sample`, align_corners=False).
        Shifts are about 3 % of the side, scale, shear and bend about 2 %.
    """
    batch = len(generators)
    theta = torch.zeros(batch, 2, 3)
    noise = torch.stack([torch.randn(2, 3, generator=g) for g in generators])
    theta[:, :, :2] = torch.eye(2) + 0.02 * noise[:, :, :2]
    theta[:, :, 2] = 0.04 * noise[:, :, 2]
    grid = F.affine_grid(theta, [batch, 3, side, side], align_corners=False)
    bend = 0.012 * torch.stack([torch.randn(2, 4, 4, generator=g) for g in generators])
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
    noise = []
    for g in generators:
        sigma = 0.015 * torch.rand(1, generator=g)
        exposure = 0.01 * torch.randn(1, generator=g)
        noise.append(exposure + sigma * torch.randn(x.shape[1:], generator=g))
    return (x + torch.stack(noise).to(x.device)).clamp(0, 1)


def compressed(x: Tensor, quality: tuple[int, int], generators: Sequence[torch.Generator]) -> Tensor:
    """What a codec leaves of frames: blocks, bands and ringing, by way of JPEG.

    Args:
        x: (B, 3, H, W) in [0, 1].
        quality: least and greatest of JPEG's scale, 1 to 100; one is drawn for each picture.
        generators: one for each picture.
    """
    least, greatest = quality
    drawn = [int(torch.randint(least, greatest + 1, (1,), generator=g)) for g in generators]
    frames = np.ascontiguousarray((x.float() * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())
    return torch.stack([_jpeg(f, q) for f, q in zip(frames, drawn, strict=True)]).to(x)


def _jpeg(frame: NDArray[np.uint8], quality: int) -> Tensor:
    """(3, H, W) float in [0, 1] of an (H, W, 3) uint8 picture that went through a JPEG file."""
    ok, file = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(file, cv2.IMREAD_COLOR) if ok else None
    if decoded is None:
        raise RuntimeError("OpenCV was built without JPEG")
    return torch.from_numpy(np.ascontiguousarray(decoded[..., ::-1])).permute(2, 0, 1).float() / 255
