r"""What a fit minimises, on pairs of crops that differ by a small motion:

.. math:: g \, L_{gram} + m \, L_{moments} + p \, L_{palette} + c \, L_{content} + l \, L_{legibility} + s \, L_{shift}
          + r \, L_{range} + k \, L_{grid}

with the weights of a `Balance`. Style terms compare relu1_1 to relu4_1 of the loss network, and the colours of pixels and of
squares of them (`losses.palette`), with the style's; content and legibility compare the model's own encoder of picture and
frame (it was distilled from relu2_1, relu3_1 and relu4_1, and costs a twentieth of the loss network).

Statistics are pooled over the crops of some steps (`Pool`). A single crop's are scattered about those of all, and squares of
Gram matrices punish excess more than lack: crop by crop, the best is a picture that is too dark and too flat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidstyle.losses.content import content_loss, legibility_loss
from vidstyle.losses.gram import gram
from vidstyle.losses.grid import checkerboard, grid_energy
from vidstyle.losses.network import DEPTH
from vidstyle.losses.palette import palettes
from vidstyle.losses.range import out_of_range
from vidstyle.losses.shift import shift_loss, translate
from vidstyle.models.attention import channel_moments
from vidstyle.models.compact import CompactNet
from vidstyle.models.style_code import StyleCode
from vidstyle.models.vgg import VGG
from vidstyle.styles.fit.crops import REACH
from vidstyle.styles.fit.settings import Balance


@dataclass(frozen=True)
class ShiftMotion:
    """How the second crop of a pair lies to the first, pixels to the right and down."""

    whole: tuple[int, int]
    """0 to REACH - 2 each."""
    part: tuple[float, float] = (0.0, 0.0)
    """Added, less than 1 each."""


@dataclass(frozen=True)
class Statistics:
    """Of pictures, as style terms compare them, each with a batch of 1."""

    grams: list[Tensor]
    """(1, C, C) of each layer."""
    means: list[Tensor]
    """(1, C) of each layer, then of each of `palettes`."""
    squares: list[Tensor]
    """(1, C) mean squares of the same."""

    def tensors(self) -> list[Tensor]:
        return [*self.grams, *self.means, *self.squares]

    @classmethod
    def of(cls, features: Sequence[Tensor], picture: Tensor) -> Statistics:
        """Averaged over the batch."""
        layers = [channel_moments(x) for x in (*features, *palettes(picture))]
        return cls(
            [gram(f).mean(0, keepdim=True) for f in features],
            [mean.mean(0, keepdim=True) for mean, _ in layers],
            [square.mean(0, keepdim=True) for _, square in layers],
        )

    @classmethod
    def mixed(cls, parts: Sequence[Statistics], shares: Sequence[float]) -> Statistics:
        """Of the points of several pictures, each counting by its share."""

        def mix(values: Sequence[list[Tensor]]) -> list[Tensor]:
            return [
                torch.stack([share * x for x, share in zip(layer, shares, strict=True)]).sum(0)
                for layer in zip(*values, strict=True)
            ]

        return cls(mix([p.grams for p in parts]), mix([p.means for p in parts]), mix([p.squares for p in parts]))

    def detached(self) -> Statistics:
        return Statistics(*([t.detach() for t in group] for group in (self.grams, self.means, self.squares)))

    def spreads(self) -> list[Tensor]:
        """Deviations, smooth where they are 0."""
        return [(q - m * m).clamp_min(0).add(1e-4).sqrt() for m, q in zip(self.means, self.squares, strict=True)]


class Pool:
    """A moving average of statistics, of which a step's own are `SHARE`."""

    SHARE = 0.5

    def __init__(self, first: Statistics) -> None:
        self.kept = first.detached()

    def __call__(self, new: Statistics) -> Statistics:
        mixed = Statistics.mixed([self.kept, new], [1 - self.SHARE, self.SHARE])
        self.kept = mixed.detached()
        return mixed


class FitObjective:
    """The loss of one style.

    Args:
        model: frozen but for what is fitted.
        network: `losses.network.loss_network()`.
        styles: (1, 3, H, W) in [0, 1] each, at the size of their strokes.
        shares: of the styles, summing to 1: statistics are those of all their points together.
    """

    def __init__(
        self, model: CompactNet, network: VGG, styles: Sequence[Tensor], shares: Sequence[float], balance: Balance
    ) -> None:
        self.model, self.network, self.balance = model, network, balance
        with torch.no_grad():
            parts = [Statistics.of(self._features(x), x) for x in styles]
            self.style = Statistics.mixed(parts, shares)
            self.grid = torch.stack([w * grid_energy(x) for x, w in zip(styles, shares, strict=True)]).sum(0)
        self.seen: Statistics | None = None
        """Of the pictures of the last call."""

    def _features(self, x: Tensor) -> list[Tensor]:
        features: list[Tensor] = self.network(x.contiguous(memory_format=torch.channels_last), DEPTH)
        return features

    def terms(
        self, crops: Tensor, later: Tensor, code: StyleCode, motion: ShiftMotion, pool: Pool | None = None
    ) -> dict[str, Tensor]:
        """Each term, weighted.

        Args:
            crops: (B, 3, S + REACH, S + REACH) in [0, 1].
            later: the same with other noise, which moves.
            pool: of earlier steps; None: statistics are those of these crops.
        """
        w, side = self.balance, crops.shape[2] - REACH
        (dx, dy), (fx, fy) = motion.whole, motion.part
        frames = _cut(translate(crops, fx / 2, fy / 2), 1, 1, side)
        moved = _cut(translate(later, -fx / 2, -fy / 2), 1 + dx, 1 + dy, side)
        here, there = self.model(frames, code), self.model(moved, code)
        picture = here.float().clamp(-0.2, 1.2)
        self.seen = Statistics.of(self._features(picture), picture)
        shown = self.model.encoder(here)
        with torch.no_grad():
            wanted = self.model.encoder(frames)
        return {
            **self._style_terms(self.seen if pool is None else pool(self.seen), 1 if pool is None else Pool.SHARE),
            "content": w.content * content_loss(shown[2], wanted[2]),
            "legibility": w.legibility * legibility_loss(shown[:2], wanted[:2]),
            "shift": w.shift * shift_loss(here, there, motion.whole, motion.part),
            "range": w.range * out_of_range(here),
            "grid": w.grid * checkerboard(here, self.grid),
        }

    def _style_terms(self, found: Statistics, share: float) -> dict[str, Tensor]:
        """`share` of the statistics is new: a change of a picture changes the mean by that much less."""
        w, wanted = self.balance, self.style
        grams = [
            (a - b).square().mean() / b.square().mean().clamp_min(1e-12)
            for a, b in zip(found.grams, wanted.grams, strict=True)
        ]
        errors = [
            [(a - b).square().mean() for a, b in pair]
            for pair in zip(
                zip(found.means, wanted.means, strict=True),
                zip(found.spreads(), wanted.spreads(), strict=True),
                strict=True,
            )
        ]
        return {
            "gram": w.gram / share * torch.stack(grams).sum(),
            "moments": w.moments / share * torch.stack([e for pair in errors[:DEPTH] for e in pair]).sum(),
            "palette": w.palette / share * torch.stack([e for pair in errors[DEPTH:] for e in pair]).sum(),
        }


def _cut(x: Tensor, left: int, top: int, side: int) -> Tensor:
    return x[:, :, top : top + side, left : left + side].contiguous(memory_format=torch.channels_last)
