r"""A style code as free numbers that stay a code whatever they become.

Every number is a change of the code that was read, in units of the style's own spread, and 0 at the start:

.. math:: \mu' = \mu + \sigma a, \qquad \sigma' = \sigma e^b, \qquad M_1' = M_1 + \sigma A, \qquad M_2' = M_2 + \sigma^2 B

for the values' mean and deviation at a scale (second moments follow: :math:`\sigma'^2 + \mu'^2`) and for the matrices of
cosine attention. So variances are positive, and steps of one size mean the same for styles, layers and channels of very
different size. The mass of a code, the last column of a matrix and of an offset, stays what was read: weights over the style's
points still sum to 1, and denominators keep their floor. Colours are a mean and a Cholesky factor, of which all six directions
follow.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from vidstyle.models.color_transfer import EPS, along
from vidstyle.models.style_code import CosineCode, MomentCode, ScaleCode, StyleCode

_SPREAD_FLOOR = 0.05
"""Least deviation that steps are measured in, as a share of the mean one of the layer: a channel that is flat in the style may
move, slowly."""
LIMIT = 2.0
"""Of a logarithm of a deviation's change: a factor of 7 either way."""


class CodeParameters:
    """The free numbers of a code.

    Args:
        read: batch 1, float32, of cosine attention.
        colour: whether the first scale holds the six directions of `color_transfer.along`.

    Raises:
        ValueError: a code of softmax attention, which is a style's points and has nothing to fit.
    """

    def __init__(self, read: StyleCode, *, colour: bool) -> None:
        self.read = read.map(lambda t: t.detach().clone().float())
        self._scales = tuple(
            _Colour(scale) if colour and i == 0 and isinstance(scale, MomentCode) else _free(scale)
            for i, scale in enumerate(self.read.scales)
        )

    def tensors(self) -> list[Tensor]:
        """All free numbers, leaves that gradients are computed for."""
        return [t for scale in self._scales for t in scale.free]

    def code(self) -> StyleCode:
        """The code that they describe, differentiable in them."""
        return replace(self.read, scales=tuple(scale.code() for scale in self._scales))


class _Moments:
    """Of a layer where all points count alike."""

    def __init__(self, read: MomentCode) -> None:
        self.mean = read.mean
        self.spread = _spread(read.moments()[1])
        self.free = [_zeros(read.mean), _zeros(read.mean)]

    def code(self) -> MomentCode:
        shift, stretch = self.free
        mean = self.mean + self.spread * shift
        return MomentCode(mean, (self.spread * stretch.clamp(-LIMIT, LIMIT).exp()).square() + mean.square())


class _Cosine:
    """Of a scale with cosine attention."""

    def __init__(self, read: CosineCode) -> None:
        self.read = read
        channels = read.centre.shape[1]
        self.spread = _spread(read.moments()[1])
        matrix = read.matrix[:, :, :channels]
        self.free = [_zeros(read.centre), _zeros(read.centre), _zeros(matrix), _zeros(matrix)]

    def code(self) -> CosineCode:
        shift, stretch, first, second = self.free
        matrix, offset, centre = self.read.matrix, self.read.offset, self.read.centre
        channels, one = centre.shape[1], offset[:, -1:]
        mean = offset[:, :channels] / one + self.spread * shift
        square = (self.spread * stretch.clamp(-LIMIT, LIMIT).exp()).square() + mean.square()
        columns = (
            matrix[:, :, :channels] + self.spread[:, None] * first,
            matrix[:, :, channels : 2 * channels] + self.spread[:, None].square() * second,
            matrix[:, :, 2 * channels :],
        )
        return CosineCode(torch.cat(columns, 2), torch.cat([mean * one, square * one, one], 1), centre)


class _Colour:
    """Of three opponent colours along six directions."""

    def __init__(self, read: MomentCode) -> None:
        mean, var = read.moments()
        self.mean = mean[:, :3]
        light, p, q, l_p, l_q, p_q = var.unbind(1)
        lp, lq, pq = (l_p - light - p) / 2, (l_q - light - q) / 2, (p_q - p - q) / 2
        rows = [torch.stack(row, 1) for row in ((light, lp, lq), (lp, p, pq), (lq, pq, q))]
        self.factor = torch.linalg.cholesky((torch.stack(rows, 1) + EPS * torch.eye(3)).double()).float()
        self.free = [_zeros(self.mean), _zeros(self.factor)]

    def code(self) -> MomentCode:
        shift, change = self.free
        spread = self.factor.diagonal(dim1=1, dim2=2)
        mean = self.mean + self.factor.square().sum(2).sqrt() * shift
        lower = (self.factor + change * spread[:, :, None]).tril(-1)
        diagonal = spread * change.diagonal(dim1=1, dim2=2).clamp(-LIMIT, LIMIT).exp()
        factor = lower + torch.diag_embed(diagonal)
        covariance = factor @ factor.transpose(1, 2) - EPS * torch.eye(3)
        directions = along(torch.eye(3)[None, :, :, None])[0, :, :, 0]  # (6, 3)
        means = mean @ directions.T
        variances = torch.einsum("di,bij,dj->bd", directions, covariance, directions)
        return MomentCode(means, variances.clamp_min(0) + means.square())


def _free(scale: ScaleCode) -> _Moments | _Cosine:
    if isinstance(scale, MomentCode):
        return _Moments(scale)
    if isinstance(scale, CosineCode):
        return _Cosine(scale)
    raise ValueError("a code of softmax attention cannot be fitted")


def _spread(variance: Tensor) -> Tensor:
    """(B, C) deviations that steps are measured in."""
    deviation = variance.sqrt()
    return deviation.clamp_min(_SPREAD_FLOOR * float(deviation.mean()) + 1e-6)


def _zeros(like: Tensor) -> Tensor:
    return torch.zeros_like(like).requires_grad_(True)
