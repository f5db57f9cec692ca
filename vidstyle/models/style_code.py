"""The codes a style becomes: numbers alone, in the order in which a network reads them. `attention` has the mathematics.

Nothing here imports torch. A code that a network has made, or that one is to work with, holds torch's tensors; one that was
remembered may hold NumPy's arrays until `tensors` is asked for, so that an engine that needs no torch starts without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from vidstyle.models.weight_change import WeightChange


MOST_STRENGTH = 2.0
"""How much of a style there can be, 1 being the style itself."""


@dataclass(frozen=True)
class CosineCode:
    """A style at one scale, for cosine attention. Linear in the style's points, so a weighted sum of codes that share a
    centre is exactly attention over the weighted union of their points."""

    matrix: Tensor
    """(B, K, 2C+1) float: mean over the points of key x [v - centre, (v - centre)^2, 1]."""
    offset: Tensor
    """(B, 2C+1) float: mean over the points of [v - centre, (v - centre)^2, 1]."""
    centre: Tensor
    """(B, C) float: what was subtracted from the values before squaring."""

    def recentred(self, centre: Tensor) -> CosineCode:
        """The same code about another centre, exactly: (v - b)^2 = (v - a)^2 + 2 (a - b)(v - a) + (a - b)^2."""
        c = self.centre.shape[1]
        d = self.centre - centre

        import torch

        def move(u: Tensor, d: Tensor) -> Tensor:
            v, sq, one = u[..., :c], u[..., c : 2 * c], u[..., 2 * c :]
            first, second = v + d * one, sq + 2 * d * v + d * d * one
            return torch.cat([first, second, one.expand(*first.shape[:-1], 1)], -1)

        return CosineCode(move(self.matrix, d[:, None]), move(self.offset, d), centre)

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of the style's values over all its points, each (B, C)."""
        c = self.centre.shape[1]
        m = self.offset[:, :c] / self.offset[:, -1:]
        sq = self.offset[:, c : 2 * c] / self.offset[:, -1:]
        return m + self.centre, (sq - m * m).clamp_min(0)


@dataclass(frozen=True)
class SoftmaxCode:
    """A style at one scale, for softmax attention: its points."""

    keys: Tensor
    """(B, N, K) float."""
    values: Tensor
    """(B, N, C) float."""
    log_weights: Tensor
    """(B, N) float: added to the scores; log w_r for the points of style r of a blend, else 0."""

    def moments(self) -> tuple[Tensor, Tensor]:
        """Weighted mean and variance of the style's values, each (B, C)."""
        w = self.log_weights.softmax(-1)[..., None]
        m = (w * self.values).sum(1)
        return m, (w * (self.values - m[:, None]) ** 2).sum(1)


@dataclass(frozen=True)
class MomentCode:
    """A style at one layer where every point counts alike (attention with equal weights, AdaIN): two moments of its values.
    Linear in the style's points too."""

    mean: Tensor
    """(B, C) float: mean over the points of v."""
    square: Tensor
    """(B, C) float: mean over the points of v^2."""

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance of the style's values, each (B, C)."""
        return self.mean, (self.square - self.mean * self.mean).clamp_min(0)


@dataclass(frozen=True)
class Beyond:
    """Attention past a style, within one call of a network: the moments at each query follow from those of two codes."""

    style: CosineCode | SoftmaxCode
    own: CosineCode | SoftmaxCode
    """Of the frame."""
    excess: Tensor
    """(B,) or (1,): how far, at least 0."""


AttentionCode = CosineCode | SoftmaxCode
ScaleCode = AttentionCode | MomentCode


@dataclass(frozen=True)
class StyleCode:
    """What a network needs to know of a style: a code for each of its scales and layers, in the network's own order."""

    scales: tuple[ScaleCode, ...]
    change: WeightChange | None = None
    """What a deeply fitted style changes of the network's weights; such codes cannot be blended."""
    model: str | None = None
    """Digest of the model that it is a code of; None where nobody said."""

    def map(self, change: Callable[[Any], Any]) -> StyleCode:
        """The code with `change` applied to each tensor or array (to another device, dtype, batch entry ...); the change of
        weights goes along as it is."""
        scales = tuple(type(s)(*(change(t) for t in vars(s).values())) for s in self.scales)
        return StyleCode(scales, self.change, self.model)

    def unchanged(self) -> StyleCode:
        """The code alone, for a network whose weights have been changed already."""
        return self if self.change is None else StyleCode(self.scales, None, self.model)

    def tensors(self) -> StyleCode:
        """The same code with torch's tensors, itself where it has them; arrays are not copied."""
        import torch

        if all(isinstance(value, torch.Tensor) for value in self.named().values()):
            return self
        return self.map(lambda value: value if isinstance(value, torch.Tensor) else torch.from_numpy(value))

    def ready(self) -> StyleCode:
        """For an engine: with torch's tensors where torch is loaded anyway, else as it is."""
        return self.tensors() if "torch" in sys.modules else self

    def named(self) -> dict[str, Any]:
        """Its tensors or arrays as files and graphs name them: "0.matrix", "0.offset" ..., the number of the scale in front."""
        return {f"{i}.{name}": value for i, scale in enumerate(self.scales) for name, value in vars(scale).items()}

    @classmethod
    def of(cls, named: Mapping[str, Any], model: str | None) -> StyleCode:
        """The code of `named`, made by the model of this digest. Raises KeyError where these are not the parts of a code."""
        scales: dict[int, dict[str, Any]] = {}
        for name, value in named.items():
            number, _, part = name.partition(".")
            scales.setdefault(int(number), {})[part] = value
        return cls(tuple(_KINDS[frozenset(scales[i])](**scales[i]) for i in range(len(scales))), model=model)

    def __len__(self) -> int:
        return len(self.scales)


def can_mix(codes: Sequence[StyleCode]) -> bool:
    """Whether codes can be mixed from pixel to pixel: those of a network that also takes moments, which attends by cosines and
    whose weights none of them changes."""
    kinds = {type(scale) for code in codes for scale in code.scales}
    return kinds == {CosineCode, MomentCode} and all(code.change is None for code in codes)


def stacked(codes: Sequence[StyleCode]) -> StyleCode:
    """Codes of batch 1 of which `can_mix` is true as one of batch R."""
    import numpy as np

    named = [code.named() for code in codes]
    arrays = {key: np.concatenate([np.asarray(each[key]) for each in named]) for key in named[0]}
    return StyleCode.of(arrays, codes[0].model).ready()


_KINDS: dict[frozenset[str], type[ScaleCode]] = {
    frozenset(f.name for f in fields(kind)): kind for kind in (CosineCode, SoftmaxCode, MomentCode)
}
"""Names of a scale's parts -> its kind."""
