"""What a stage of training minimises: each kind is an object that turns two batches into a loss, its terms and pictures.

`distil`      the encoder learns to predict normalised VGG features: a space in which statistics mean style.
`autoencode`  every picture is its own style: the decoder learns to invert that space.
`style`       the losses of docs/training.md.
The order matters: from a random start the style losses find a sepia local minimum (all colours alike) and stay there.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.core.errors import UsageError
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.compact import CompactNet
from vidstyle.models.vgg import VGG
from vidstyle.training.objective import losses
from vidstyle.training.objective.batch import Batch, Mean, StageObjective, StepResult
from vidstyle.training.objective.style import StyleObjective
from vidstyle.training.recipe import Stage


class DistilObjective:
    """MSE between 1x1 readouts of the encoder and relu2_1, relu3_1, relu4_1, channels scaled by their deviation."""

    def __init__(self, net: StyleModel, vgg: VGG, stage: Stage, mean: Mean = lambda x: x) -> None:
        if not isinstance(net, CompactNet):
            raise UsageError(
                f"a stage of kind distil needs an encoder that learns, and that of {net.architecture} does not."
            )
        self.net, self.vgg, self.mean = net, vgg, mean
        self.extra: nn.Module = nn.ModuleList(
            nn.Conv2d(i, o, 1) for i, o in zip(net.config.widths, vgg.widths[1:4], strict=True)
        )

    def __call__(self, batch: Batch) -> StepResult:
        x = batch.pictures
        with torch.no_grad():
            wanted = [f.float() for f in self.vgg(x, 4)[1:]]
        loss = x.new_zeros(())
        terms = {}
        for n, (head, feature, target) in enumerate(
            zip(cast(nn.ModuleList, self.extra), self.net.encoder(x), wanted, strict=True), 2
        ):
            first, second = self.mean(torch.stack([target.mean((0, 2, 3)), target.square().mean((0, 2, 3))]))
            scale = (second - first.square()).clamp_min(0).sqrt()[:, None, None] + 0.1
            term = F.mse_loss(head(feature).float() / scale, target / scale)
            terms[f"d{n}"] = term.detach()
            loss = loss + term
        return StepResult(loss, terms)


class AutoencodeObjective:
    """L1 of pictures and of their gradients, where every picture is its own style."""

    def __init__(self, net: StyleModel, vgg: VGG, stage: Stage, mean: Mean = lambda x: x) -> None:
        self.net = net
        self.extra: nn.Module = nn.Identity()

    def __call__(self, batch: Batch) -> StepResult:
        x = batch.pictures
        y = self.net(x, self.net.encode_style(x))
        return StepResult(losses.gradient_l1(y, x), {"l1": F.l1_loss(y.detach().float(), x)})


class Step(nn.Module):
    """An objective as a module whose parameters are those that are trained: what data-parallel training wraps.

    The loss network is frozen and no part of it.
    """

    def __init__(self, objective: StageObjective) -> None:
        super().__init__()
        self.net, self.extra = objective.net, objective.extra
        self._objective = objective

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its terms, scalars."""
        outcome = self._objective(batch)
        return outcome.loss, outcome.terms


OBJECTIVES: dict[str, type[DistilObjective] | type[AutoencodeObjective] | type[StyleObjective]] = {
    "distil": DistilObjective,
    "autoencode": AutoencodeObjective,
    "style": StyleObjective,
}
