r"""More of a style than the style has: codes on the line from a frame's own code through the style's, beyond the style.

At a strength a = 1 + e the moments that a network reads are carried on past the style's, away from the frame's own:

.. math:: \mu = \mu_s + e (\mu_s - \mu_o), \qquad \sigma = \sigma_s + e (\sigma_s - \sigma_o)

where s is the style and o the frame as its own style. This is done with moments, not with the sums that they are quotients of:
an extrapolated sum of weights is a difference, which may vanish, and so is an extrapolated variance, which falls below zero
wherever the two means are far apart (pictures go flat there). Here every denominator is that of real points.

Both are bounded. A deviation stays between half and twice the style's: a variance is positive, no texture is blown up without
end. A mean moves no further than one of the style's deviations: layers stay in the range that a network has seen.
At a = 1 it is the style, whatever the frame.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from vidstyle.models.style_code import AttentionCode, Beyond, MomentCode, ScaleCode, StyleCode

_NARROWEST, _WIDEST = 0.5, 2.0
"""Bounds of a deviation, times the style's."""
_FARTHEST = 1.0
"""How far a mean moves at most, times the style's deviation."""


def carried_on(style: tuple[Tensor, Tensor], own: tuple[Tensor, Tensor], excess: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance past the style's, see the module's docstring.

    Args:
        style, own: mean and variance, each (B, C) or (B, C, N), batches may be 1.
        excess: e, (B,) or (1,).
    """
    (mean, var), (own_mean, own_var) = style, own
    e = excess.to(mean).reshape(-1, *[1] * (mean.dim() - 1))
    std = var.sqrt()
    step = e * (mean - own_mean)
    reach = _FARTHEST * std
    wide = std + e * (std - own_var.sqrt())
    wide = torch.maximum(torch.minimum(wide, _WIDEST * std), _NARROWEST * std)
    return mean + torch.maximum(torch.minimum(step, reach), -reach), wide * wide


def past(code: StyleCode, own: StyleCode, excess: Tensor, *, colour: int | None = None) -> StyleCode:
    """The code past a style.

    Args:
        code: of the style.
        own: of the frame, of the same kinds.
        excess: e, (B,) or (1,).
        colour: which scale holds colours, whose variances are of correlated directions; they stay the style's.
    """
    scales: list[ScaleCode] = []
    for i, (style, mine) in enumerate(zip(code.scales, own.scales, strict=True)):
        if not isinstance(style, MomentCode):
            between = Beyond(style, cast(AttentionCode, mine), excess)
            scales.append(cast(ScaleCode, between))  # in this call alone, where `attention.moments` knows it
            continue
        mean, var = carried_on(style.moments(), cast(MomentCode, mine).moments(), excess)
        if i == colour:
            var = style.moments()[1]
        scales.append(MomentCode(mean, mean * mean + var))
    return StyleCode(tuple(scales), model=code.model)
