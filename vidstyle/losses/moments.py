"""Means and deviations of features: the moment loss of AdaIN and AdaAttN."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from vidstyle.models.attention import channel_moments

MeanStd = tuple[Tensor, Tensor]
"""Channel means and standard deviations of a layer, (B, C) each."""


def mean_std(x: Tensor, eps: float = 1e-4) -> MeanStd:
    """Channel means and standard deviations of (B, C, H, W), each (B, C) float32 or wider; eps keeps the root's
    gradient finite."""
    mean, square = channel_moments(x)
    return mean, (square - mean * mean).clamp_min(0).add(eps).sqrt()


def layer_moments(features: Sequence[Tensor]) -> list[MeanStd]:
    """`mean_std` of every layer."""
    return [mean_std(f) for f in features]


def moment_loss(
    out: Sequence[MeanStd], style: Sequence[MeanStd], layers: Sequence[float], delta: float | None = None
) -> Tensor:
    """sum_x w_x (|mean(E_x(o)) - mean(E_x(s))|^2 + |std(E_x(o)) - std(E_x(s))|^2), squares averaged over channels (AdaAttN,
    eq. 8).

    Args:
        out, style: moments of relu1_1, relu2_1, ...
        layers: w_1, w_2, ...: the weight of relu1_1, relu2_1, ...
        delta: see `square_error`.
    """
    total = out[0][0].new_zeros(())
    for (mo, so), (ms, ss), w in zip(out, style, layers, strict=False):
        if w:
            total = total + w * (square_error(mo, ms, delta) + square_error(so, ss, delta))
    return total


def square_error(x: Tensor, y: Tensor, delta: float | None = None) -> Tensor:
    """Mean of d^2, d = x - y; with a delta only where |d| is at most that, and of its tangent delta (2 |d| - delta) beyond
    (Huber), for loss networks some channels of which drown the others (docs/notes/model.md, fifth round)."""
    y = y.expand_as(x)
    return F.mse_loss(x, y) if delta is None else 2 * F.huber_loss(x, y, delta=delta)
