"""What a stage of training minimises: each kind is an object that turns two batches into a loss, its terms and pictures.

`distil`      the encoder learns to predict normalised VGG features: a space in which statistics mean style.
`autoencode`  every picture is its own style: the decoder learns to invert that space.
`style`       the losses of DESIGN section 4.
The order matters: from a random start the style losses find a sepia local minimum (all colours alike) and stay there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.core.errors import UsageError
from vidstyle.losses.moments import layer_moments, moment_loss
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.compact import CompactNet
from vidstyle.models.vgg import VGG, WIDTHS
from vidstyle.training.data.images import Name
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.data.synthetic_motion import compressed, disturb, random_grid, warp
from vidstyle.training.objective import losses
from vidstyle.training.objective.targets import Reference, References
from vidstyle.training.recipe import Stage

POSITIONS = 1024
"""Positions sampled in each picture for Lis."""
Mean = Callable[[Tensor], Tensor]
"""The mean of a tensor over all processes."""


@dataclass(frozen=True)
class StepResult:
    """Of one step."""

    loss: Tensor
    terms: dict[str, Tensor]
    """The unweighted terms that were computed in this step, detached scalars."""


@dataclass(frozen=True)
class ClipMotion:
    """Contents that are two frames of a clip: `pairs` is (M,) int64, the contents 2p and 2p + 1 for each p of them."""

    pairs: Tensor
    grid: Tensor
    """(M, S, S, 2): where each pixel of the later frame lies in the earlier one."""
    visible: Tensor
    """(M, 1, S, S), 1 where it can be seen there, else 0."""

    def to(self, device: torch.device) -> ClipMotion:
        """The same on a device."""
        return ClipMotion(self.pairs.to(device), self.grid.to(device), self.visible.to(device))


@dataclass(frozen=True)
class Batch:
    """What a step is computed from."""

    content: Tensor
    """(B, 3, S, S) float32 in [0, 1], channels-last."""
    style: Tensor
    """The same of paintings."""
    draw: StepRandomness
    """Its chances, and the step's number."""
    motion: ClipMotion | None = None
    """Of the contents that are frames of clips."""
    names: tuple[Name | None, ...] = ()
    """Of the contents and then the styles, where crops are fixed."""

    @property
    def pictures(self) -> Tensor:
        """Contents and styles, (2B, 3, S, S), channels-last."""
        return torch.cat([self.content, self.style]).contiguous(memory_format=torch.channels_last)


class StageObjective(Protocol):
    """Loss of a stage."""

    extra: nn.Module
    """Parameters that are trained in this stage but are no part of the network."""

    @property
    def net(self) -> StyleModel:
        """The network that is trained."""
        ...

    def __call__(self, batch: Batch) -> StepResult:
        """The loss of one batch: a mean over its pictures (or pairs of neighbours), so that the mean over processes of
        equal batches is the loss of them all."""
        ...


class DistilObjective:
    """MSE between 1x1 readouts of the encoder and relu2_1, relu3_1, relu4_1, channels scaled by their deviation."""

    def __init__(self, net: StyleModel, vgg: VGG, stage: Stage, mean: Mean = lambda x: x) -> None:
        if not isinstance(net, CompactNet):
            raise UsageError(
                f"a stage of kind distil needs an encoder that learns, and that of {net.architecture} does not."
            )
        self.net, self.vgg, self.mean = net, vgg, mean
        self.extra: nn.Module = nn.ModuleList(
            nn.Conv2d(i, o, 1) for i, o in zip(net.config.widths, WIDTHS[1:4], strict=True)
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


class StyleObjective:
    """lg Lg + ll Ll + li Lis + lt Lt + lv Lt(clips) + lr Lr + range penalty, terms with weight 0 not computed."""

    def __init__(self, net: StyleModel, vgg: VGG, stage: Stage, mean: Mean = lambda x: x) -> None:
        self.net, self.vgg, self.stage = net, vgg, stage
        self.references = References(vgg, stage)
        self.extra: nn.Module = nn.Identity()

    def __call__(self, batch: Batch) -> StepResult:
        s, w, draw = self.stage, self.stage.weights, batch.draw
        content, style, motion = batch.content, batch.style, batch.motion
        depth, n, step = len(s.style_layers), content.shape[0], draw.step
        given = self.references(content, style, batch.names)
        code = self.net.encode_style(style)
        result = self.net(content, code)
        of_result = self.vgg(result.contiguous(memory_format=torch.channels_last), depth)

        terms: dict[str, Tensor] = {}
        weights: dict[str, float] = {}

        def add(name: str, weight: float, value: Tensor) -> None:
            terms[name], weights[name] = value, weight

        add("range", w.range, losses.out_of_range(result))
        if w.global_style:
            add(
                "g",
                w.global_style,
                moment_loss(layer_moments(of_result), given.moments, s.style_layers, s.delta),
            )
        if w.local:
            add("l", w.local, losses.local_features(of_result, self.targets(given), s.delta))
        if w.similarity and step % s.every_similarity == 0:
            generator = draw.generator(Purpose.POSITIONS)
            lis = losses.similarity(given.content, of_result, s.similarity_layers, POSITIONS, generator)
            add("i", w.similarity * s.every_similarity, lis)
        if w.temporal and step % s.every_temporal == 0:
            camera = draw.generators(Purpose.MOTION, n)
            grid = random_grid(content.shape[3], camera, content.device)
            moved = disturb(warp(content, grid), camera)
            if s.jpeg:
                moved = compressed(moved, s.jpeg, camera)
            moved = moved.contiguous(memory_format=torch.channels_last)
            add("t", w.temporal * s.every_temporal, losses.temporal(self.net(moved, code), result, grid))
        if motion is not None:
            m = motion.pairs
            # Every pair of the clips counts as if every pair of the batch were one: the weight's meaning is that of t.
            share = s.every_clips * len(m) / (n // 2)
            add("v", w.clips * share, losses.temporal(result[2 * m + 1], result[2 * m], motion.grid, motion.visible))
        if w.identity and step % s.every_identity == 1 % s.every_identity:
            own = self.net(content, self.net.encode_style(content))
            add("r", w.identity * s.every_identity, F.l1_loss(own.float(), content))
        loss = torch.stack([weights[k] * v for k, v in terms.items()]).sum()
        return StepResult(loss, {k: v.detach() for k, v in terms.items()})

    @torch.no_grad()
    def targets(self, given: Reference) -> dict[int, Tensor]:
        """Of Ll, by layer."""
        s = self.stage
        if s.local_attention == "uniform":
            return {x: losses.uniform_target(given.content[x], given.moments[x - 1]) for x in s.local_layers}
        of_content, of_style = list(given.content.values()), list(given.style.values())
        return {x: losses.local_target(of_content, of_style, x, s.local_attention) for x in s.local_layers}


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
