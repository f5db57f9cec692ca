"""Between bytes and numbers, once for all: (H, W, 3) uint8 images and (3, H, W) float tensors in [0, 1]."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def unit_range(frame: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [0, 1]."""
    return tensor_of(frame).permute(2, 0, 1).float() / 255


def to_image(planes: Tensor) -> NDArray[np.uint8]:
    """(3, H, W) in [0, 1] -> (H, W, 3) uint8, rounded and clamped."""
    return cast("NDArray[np.uint8]", as_pixels(planes[None].clone())[0].cpu().numpy())


def tensor_of(pixels: NDArray[np.uint8]) -> Tensor:
    """The array as a tensor, without a copy where torch can use it as it lies."""
    return torch.from_numpy(np.require(pixels, requirements=["C", "W"]))


def as_planes(frames: Tensor, device: str | torch.device) -> Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in [0, 1], channels-last in memory: no transposition happens. Half
    precision begins at the first convolution; eight bits of mantissa would not hold a picture."""
    return frames.to(device, non_blocking=True).permute(0, 3, 1, 2).to(torch.float32) / 255


def as_pixels(planes: Tensor) -> Tensor:
    """(N, 3, H, W) to (N, H, W, 3) uint8, rounded and clamped, contiguous. What is float32 already is overwritten."""
    pixels = planes.float().mul_(255).round_().clamp_(0, 255).to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous()
