"""The objective of stages of kind `style`: terms with weight 0 are not computed, nor is what they alone would need."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.losses.gram import gram_loss
from vidstyle.losses.moments import layer_moments, moment_loss
from vidstyle.losses.sharpness import band_energies, blur_guard
from vidstyle.losses.shift import shift_loss
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.compact import STRIDE
from vidstyle.models.style_code import StyleCode
from vidstyle.models.vgg import VGG
from vidstyle.training.data.rng import Purpose
from vidstyle.training.data.synthetic_motion import compressed, disturb, random_grid, warp
from vidstyle.training.objective import losses
from vidstyle.training.objective.batch import Batch, Mean, StepResult
from vidstyle.training.objective.targets import Reference, References
from vidstyle.training.objective.teacher import averaged, frozen_copy
from vidstyle.training.recipe import Stage

_POSITIONS = 1024
"""Positions sampled in each picture for Lis."""


class _Terms:
    """The terms of a step by name, each with its weight."""

    def __init__(self) -> None:
        self._values: dict[str, Tensor] = {}
        self._weights: dict[str, float] = {}

    def add(self, name: str, weight: float, value: Tensor) -> None:
        self._values[name], self._weights[name] = value, weight

    def result(self) -> StepResult:
        loss = torch.stack([self._weights[k] * v for k, v in self._values.items()]).sum()
        return StepResult(loss, {k: v.detach() for k, v in self._values.items()})


class StyleObjective:
    """lg Lg + lm Lgram + ll Ll + li Lis + lt Lt + lv Lt(clips) + lr Lr + ls Ls + ln Ln + la La + lb Lb + range penalty
    (docs/training.md)."""

    def __init__(self, net: StyleModel, vgg: VGG, stage: Stage, mean: Mean = lambda x: x) -> None:
        self.net, self.vgg, self.stage = net, vgg, stage
        w = stage.weights
        self.references = References(vgg, stage) if w.global_style or w.gram or w.local or w.similarity else None
        self.extra: nn.Module = frozen_copy(net, stage.teacher) if w.teacher or w.sharpness else nn.Identity()

    def __call__(self, batch: Batch) -> StepResult:
        terms, weight = _Terms(), self.stage.weights
        code = self.net.encode_style(batch.style)
        result = self.net(batch.content, code)
        terms.add("range", weight.range, losses.out_of_range(result))
        self._add_features(terms, batch, result)
        self._add_motion(terms, batch, result, code)
        self._add_steadiness(terms, batch, result, code)
        self._add_teacher(terms, batch, result)
        s, w, step = self.stage, weight, batch.draw.step
        if w.identity and step % s.every_identity == 1 % s.every_identity:
            own = self.net(batch.content, self.net.encode_style(batch.content))
            terms.add("r", w.identity * s.every_identity, F.l1_loss(own.float(), batch.content))
        return terms.result()

    def _add_features(self, terms: _Terms, batch: Batch, result: Tensor) -> None:
        """What the loss network says: style and content."""
        if self.references is None:
            return
        s, w = self.stage, self.stage.weights
        given = self.references(batch.content, batch.style, batch.names)
        of_result = self.vgg(result.contiguous(memory_format=torch.channels_last), self.references.depth)
        if w.global_style:
            style = moment_loss(layer_moments(of_result), given.moments, s.style_layers, s.delta)
            terms.add("g", w.global_style, style)
        if w.gram:
            terms.add("gram", w.gram, gram_loss(of_result, given.grams))
        if w.local:
            terms.add("l", w.local, losses.local_features(of_result, self.targets(given), s.delta))
        if w.similarity and batch.draw.step % s.every_similarity == 0:
            generator = batch.draw.generator(Purpose.POSITIONS)
            lis = losses.similarity(given.content, of_result, s.similarity_layers, _POSITIONS, generator)
            terms.add("i", w.similarity * s.every_similarity, lis)

    def _add_motion(self, terms: _Terms, batch: Batch, result: Tensor, code: StyleCode) -> None:
        """Lt, on a made-up motion and on clips."""
        s, w, content, motion = self.stage, self.stage.weights, batch.content, batch.motion
        n = content.shape[0]
        if w.temporal and batch.draw.step % s.every_temporal == 0:
            camera = batch.draw.generators(Purpose.MOTION, n)
            grid = random_grid(content.shape[3], camera, content.device)
            moved = disturb(warp(content, grid), camera)
            if s.jpeg:
                moved = compressed(moved, s.jpeg, camera)
            moved = moved.contiguous(memory_format=torch.channels_last)
            terms.add("t", w.temporal * s.every_temporal, losses.temporal(self.net(moved, code), result, grid))
        if motion is not None:
            m = motion.pairs
            # Every pair of the clips counts as if every pair of the batch were one: the weight's meaning is that of t.
            share = s.every_clips * len(m) / (n // 2)
            value = losses.temporal(result[2 * m + 1], result[2 * m], motion.grid, motion.visible)
            terms.add("v", w.clips * share, value)

    def _add_steadiness(self, terms: _Terms, batch: Batch, result: Tensor, code: StyleCode) -> None:
        """Ls and Ln: a frame that has moved by whole pixels, and one with a little grain."""
        s, w, content, draw = self.stage, self.stage.weights, batch.content, batch.draw
        if w.shift and draw.step % s.every_shift == 0:
            side = (content.shape[2] - s.most_shift) // STRIDE * STRIDE
            dx, dy = (int(d) for d in draw.rng(Purpose.SHIFT).integers(0, s.most_shift + 1, 2))
            if dx == dy == 0:
                dx = 1
            window = content[:, :, dy : dy + side, dx : dx + side].contiguous(memory_format=torch.channels_last)
            there, here = self.net(window, code), result[:, :, :side, :side]
            terms.add("shift", w.shift * s.every_shift, shift_loss(here, there, (dx, dy)))
        if w.noise and draw.step % s.every_noise == 0:
            grainy = losses.grainy(content, s.grain, draw.generators(Purpose.GRAIN, content.shape[0]))
            value = (self.net(grainy, code).float() - result.float()).square().mean()
            terms.add("noise", w.noise * s.every_noise, value)

    def _add_teacher(self, terms: _Terms, batch: Batch, result: Tensor) -> None:
        """La and Lb."""
        s, w = self.stage, self.stage.weights
        if not (w.teacher or w.sharpness):
            return
        lesson = averaged(self.extra, batch.content, batch.style, s.teacher, batch.draw)  # type: ignore[arg-type]
        mine = lesson.cut(result).float()
        if w.teacher:
            terms.add("teacher", w.teacher, F.mse_loss(mine, lesson.mean))
        if w.sharpness:
            terms.add("blur", w.sharpness, blur_guard(band_energies(mine), lesson.bands))

    @torch.no_grad()
    def targets(self, given: Reference) -> dict[int, Tensor]:
        """Of Ll, by layer."""
        s = self.stage
        if s.local_attention == "uniform":
            return {x: losses.uniform_target(given.content[x], given.moments[x - 1]) for x in s.local_layers}
        of_content, of_style = list(given.content.values()), list(given.style.values())
        return {x: losses.local_target(of_content, of_style, x, s.local_attention) for x in s.local_layers}
