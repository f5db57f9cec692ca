r"""What a fit minimises, on pairs of crops that differ by a small motion:

.. math:: g \, L_{gram} + m \, L_{moments} + c \, L_{content} + l \, L_{legibility} + s \, L_{shift} + r \, L_{range}
          + k \, L_{grid}

with the weights of a `Balance`. Style terms compare relu1_1 to relu4_1 of the loss network with the style's; content and
legibility compare the model's own encoder of picture and frame (it was distilled from relu2_1, relu3_1 and relu4_1, and costs a
twentieth of the loss network).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidstyle.losses.content import content_loss, legibility_loss
from vidstyle.losses.gram import gram, gram_loss
from vidstyle.losses.grid import checkerboard, grid_energy
from vidstyle.losses.moments import MeanStd, layer_moments, moment_loss
from vidstyle.losses.network import DEPTH
from vidstyle.losses.range import out_of_range
from vidstyle.losses.shift import shift_loss, translate
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
            features = [network(x.contiguous(memory_format=torch.channels_last), DEPTH) for x in styles]
            self.grams = [_mixed([gram(f) for f in layer], shares) for layer in zip(*features, strict=True)]
            moments = [layer_moments(f) for f in features]
            self.moments = [_mixed_moments(layer, shares) for layer in zip(*moments, strict=True)]
            self.grid = _mixed([grid_energy(x) for x in styles], shares)

    def terms(self, crops: Tensor, code: StyleCode, motion: ShiftMotion) -> dict[str, Tensor]:
        """Each term, weighted.

        Args:
            crops: (B, 3, S + REACH, S + REACH) in [0, 1].
        """
        w, side = self.balance, crops.shape[2] - REACH
        (dx, dy), (fx, fy) = motion.whole, motion.part
        frames = _cut(translate(crops, fx / 2, fy / 2), 1, 1, side)
        moved = _cut(translate(crops, -fx / 2, -fy / 2), 1 + dx, 1 + dy, side)
        here, there = self.model(frames, code), self.model(moved, code)
        features = self.network(here.float().clamp(-0.2, 1.2).contiguous(memory_format=torch.channels_last), DEPTH)
        with torch.no_grad():
            wanted = self.model.encoder(frames)
        shown = self.model.encoder(here)
        return {
            "gram": w.gram * gram_loss(features, self.grams),
            "moments": w.moments * moment_loss(layer_moments(features), self.moments, (1.0,) * DEPTH),
            "content": w.content * content_loss(shown[2], wanted[2]),
            "legibility": w.legibility * legibility_loss(shown[:2], wanted[:2]),
            "shift": w.shift * shift_loss(here, there, motion.whole, motion.part),
            "range": w.range * out_of_range(here),
            "grid": w.grid * checkerboard(here, self.grid),
        }


def _cut(x: Tensor, left: int, top: int, side: int) -> Tensor:
    return x[:, :, top : top + side, left : left + side].contiguous(memory_format=torch.channels_last)


def _mixed(parts: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    return torch.stack([share * part for part, share in zip(parts, shares, strict=True)]).sum(0)


def _mixed_moments(layers: Sequence[MeanStd], shares: Sequence[float]) -> MeanStd:
    """Mean and deviation of the points of several pictures, each counting by its share."""
    mean = _mixed([m for m, _ in layers], shares)
    square = _mixed([m.square() + s.square() for m, s in layers], shares)
    return mean, (square - mean.square()).sqrt()
