"""Shift: a moved frame's picture is the moved picture (training's temporal loss without flow)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def translate(x: Tensor, dx: float, dy: float) -> Tensor:
    """x (B, C, H, W) at positions (column + dx, row + dy), |dx| and |dy| at most 1, linear between pixels, borders repeated."""
    if dx == 0 and dy == 0:
        return x
    for axis, d in ((3, dx), (2, dy)):
        if d:
            size = x.shape[axis]
            pad = (1, 1, 0, 0) if axis == 3 else (0, 0, 1, 1)
            wide = F.pad(x, pad, mode="replicate")
            step = 1 if d > 0 else 0
            a, share = (wide.narrow(axis, 1, size), abs(d))
            b = wide.narrow(axis, 2 if step else 0, size)
            x = torch.lerp(a, b, share)
    return x


def shift_loss(first: Tensor, second: Tensor, whole: tuple[int, int], part: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """|S(x moved) - (S(x) moved)|^2, mean over what both show.

    A fraction of a pixel is shared between both sides, so that both are resampled alike and blur earns nothing: `first` is
    the picture of the frame at offset +part/2, `second` that of the frame at offset whole - part/2, and each is brought back.

    Args:
        first, second: (B, 3, H, W) pictures, `second` of the frame cut out `whole` = (dx, dy) pixels to the right and below.
        part: what the frames were moved by in all beyond that, pixels.
    """
    (dx, dy), (fx, fy) = whole, part
    h, w = first.shape[2:]
    one = translate(first, -fx / 2, -fy / 2)[:, :, dy:, dx:]
    two = translate(second, fx / 2, fy / 2)[:, :, : h - dy, : w - dx]
    if fx or fy:  # the outermost row was repeated
        one, two = one[:, :, 1:-1, 1:-1], two[:, :, 1:-1, 1:-1]
    return (one.float() - two.float()).square().mean()
