r"""Several styles in one picture, by shares that differ from pixel to pixel.

A code is linear in its style's points, so a pixel i may have a blend of its own: the sums of AdaAttN are mixed before they are
divided, and the moments of the decoder's layers and of the colours likewise,

.. math:: n_i = \sum_r w_{ir} n_i^r, \qquad \sum_r w_{ir} = 1

which is, at each pixel, exactly the blend with that pixel's shares. Where one style goes over into another the picture is
painted in both at once: an edge melts, where two finished pictures would show a seam.

What a frame's own layers are brought from are moments of each style's region; its colours, those of the whole frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.models.mixing.extrapolation import carried_on
from vidstyle.models.style_code import CosineCode, MomentCode, StyleCode

_WHOLE = 0.02
"""Share of every pixel in the moments of every region."""


@dataclass(frozen=True)
class StrengthByPixel:
    """How far the mixture is from the frame's own code; the same at all pixels."""

    own: StyleCode
    amount: Tensor
    """(1,) or (B,): a."""
    beyond: bool


@dataclass(frozen=True)
class CosineByPixel:
    """Attention to several styles at once, within one call of a network; `attention.moments` knows it."""

    styles: CosineCode
    """Batch R."""
    shares: Tensor
    """(B, R, N): of each style at each query, summing to 1."""
    own: CosineCode | None
    strength: StrengthByPixel | None


class CodeByPixel:
    """The codes of R styles with their shares, as a network reads them: at each scale with the shares of that size.

    Args:
        styles: code of batch R, of cosine attention and moments.
        shares: (B, R, H, W), of the padded frame, H and W multiples of 8.
        strength: None is the styles themselves.
    """

    def __init__(self, styles: StyleCode, shares: Tensor, strength: StrengthByPixel | None) -> None:
        self.styles, self.strength = styles, strength
        half = F.avg_pool2d(shares, 2)
        quarter = F.avg_pool2d(half, 2)
        self._shares = (half, quarter, F.avg_pool2d(quarter, 2))

    def moments(self, scale: int, size: torch.Size) -> MomentCode:
        """The moments of a layer or of colours at each pixel: (B, C, h, w) for layers of this size."""
        mine = cast(MomentCode, self.styles.scales[scale])
        shares = self._at(size)
        mean, square = (torch.einsum("brhw,rc->bchw", shares.to(t), t) for t in (mine.mean, mine.square))
        if self.strength is None:
            return MomentCode(mean, square)
        own = cast(MomentCode, self.strength.own.scales[scale])
        a = self.strength.amount.reshape(-1, 1, 1, 1)
        own_mean, own_square = (t[:, :, None, None] for t in (own.mean, own.square))
        if not self.strength.beyond:
            return MomentCode(a * mean + (1 - a) * own_mean, a * square + (1 - a) * own_square)
        here, there = MomentCode(mean, square).moments(), MomentCode(own_mean, own_square).moments()
        far, var = carried_on(here, there, self.strength.amount - 1)
        var = here[1] if scale == 0 else var
        return MomentCode(far, far * far + var)

    def frame_moments(self, layer: Tensor) -> MomentCode:
        """The moments of a frame's own layer (B, C, h, w) at each pixel: for each style those of its region.

        Those of the whole frame would not do: a bright style in one half moves them, and the other half, measured by them,
        turns dark and flat. A little of the whole frame is in all of them, which keeps those of small regions calm.
        """
        shares = self._at(layer.shape)
        weights = shares + _WHOLE
        weights = weights / weights.sum((2, 3), keepdim=True)
        x = layer.to(weights.dtype)
        mean = torch.einsum("brhw,brc->bchw", shares, torch.einsum("brhw,bchw->brc", weights, x))
        square = torch.einsum("brhw,brc->bchw", shares, torch.einsum("brhw,bchw->brc", weights, x * x))
        return MomentCode(mean, square)

    def attention(self, scale: int, size: torch.Size) -> CosineByPixel:
        """Of a scale whose features have this size."""
        own = None if self.strength is None else cast(CosineCode, self.strength.own.scales[scale])
        shares = self._at(size).flatten(2)
        return CosineByPixel(cast(CosineCode, self.styles.scales[scale]), shares, own, self.strength)

    def _at(self, size: torch.Size) -> Tensor:
        return next(t for t in self._shares if t.shape[2:] == size[2:])
