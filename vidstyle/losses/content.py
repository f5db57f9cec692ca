"""Content: what of a frame must still be seen in its picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def normalised(x: Tensor, eps: float = 1e-3) -> Tensor:
    """(x - mean) / (std + eps) over the positions of (B, C, H, W), in float32 or wider: what AdaIN would leave of x."""
    x = x if x.dtype == torch.float64 else x.float()
    mean = x.mean((2, 3), keepdim=True)
    spread = (x - mean).square().mean((2, 3), keepdim=True).sqrt()
    return (x - mean) / (spread + eps)


def content_loss(out: Tensor, content: Tensor) -> Tensor:
    """|norm(E(o)) - norm(E(c))|^2, mean over all values: 0 where the result has the content's arrangement, whatever its
    colours and contrast."""
    return F.mse_loss(normalised(out), normalised(content))


def legibility_loss(out: Sequence[Tensor], content: Sequence[Tensor]) -> Tensor:
    """The content loss of shallow layers (relu2_1, relu3_1), each position weighted by the frame's own fine structure there:
    w_i = e_i / mean(e), e_i = |norm(E(c))_i|^2 averaged over channels, capped at 4. A face or a figure counts, a wall does
    not, where the painting may put its own strokes.
    """
    total = out[0].new_zeros((), dtype=torch.float32)
    for o, c in zip(out, content, strict=True):
        wanted = normalised(c).detach()
        energy = wanted.square().mean(1, keepdim=True)
        weight = (energy / energy.mean((2, 3), keepdim=True).clamp_min(1e-6)).clamp_max(4.0)
        total = total + (weight * (normalised(o) - wanted).square()).mean()
    return total
