"""Pictures sampled along optical flow."""

from __future__ import annotations

import torch
from kornia.geometry.transform import remap
from torch import Tensor


def warp(image: Tensor, flow: Tensor) -> Tensor:
    """Sample `image` backward along `flow`, bilinear: result(x, y) = image(x + u, y + v); its edge is repeated outside.

    Args:
        image: (C, H, W) float.
        flow: (2, H, W) float, pixels.

    Returns:
        (C, H, W), dtype of `image`.
    """
    x, y = places(flow)
    return remap(image[None], x[None], y[None], mode="bilinear", padding_mode="border", align_corners=True)[0]


def places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Where each pixel points: x and y, (H, W) each, in pixels, for a flow (2, H, W)."""
    h, w = flow.shape[1:]
    y, x = torch.meshgrid(
        torch.arange(h, dtype=flow.dtype, device=flow.device),
        torch.arange(w, dtype=flow.dtype, device=flow.device),
        indexing="ij",
    )
    return x + flow[0], y + flow[1]
