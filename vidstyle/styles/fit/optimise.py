"""The fit: a style's code, and where wanted weights of the decoder, by Adam on crops; never worse than what was read."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.imaging.resize import with_short_side
from vidstyle.losses.network import loss_network
from vidstyle.models.attention import blend
from vidstyle.models.compact import CompactNet
from vidstyle.models.quantization import observe, rounding_error
from vidstyle.models.style_code import StyleCode
from vidstyle.models.weight_change import WeightChange, fitted_parameters
from vidstyle.styles.fit.crops import SIDE, Picture, as_tensor, crop, grain, photos
from vidstyle.styles.fit.objective import FitObjective, Pool, ShiftMotion
from vidstyle.styles.fit.parameters import CodeParameters
from vidstyle.styles.fit.settings import BALANCES, FitSettings

CODE_RATE, MATRIX_RATE, _WEIGHT_RATE = 0.03, 0.03, 2e-3
"""Adam's steps: of a code's means and deviations, in the style's own deviations; of the matrices of attention; of weights."""
_CHECKS = (0.25, 0.5)
"""Shares of the steps after which a fit that does worse than what was read begins anew, at half its rates."""
_BATCH = 2
"""Crops a step."""
_VALIDATION = 6
"""Crops that candidates are compared on."""
_VALIDATION_MOTION = ShiftMotion((2, 1), (0.5, 0.25))
_SHARES = (1.0, 0.7, 0.4)
"""Of the way from what was read to where the fit ended: candidates in this order."""

_RANGES_SIDE = 256
"""Short side of the pictures on which ranges for eight bits are observed."""
MOST_ROUNDING = 3.0
"""Levels of 255 by which pictures may differ in eight bits, in the mean; the shipped network's differ by about 1."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Art:
    """A style picture at the two sizes at which it is looked at, both made from the original: a picture that is resized twice
    has lost its finest strokes."""

    read: NDArray[np.uint8]
    """(H, W, 3), as it is read for a code."""
    strokes: NDArray[np.uint8]
    """(H, W, 3), with a short side of `FitSettings.target_size`: what results are compared with."""
    weight: float = 1.0
    """Its share of a blend."""


@dataclass(frozen=True)
class Scores:
    """Of a candidate on the validation crops."""

    terms: dict[str, float]
    """Weighted terms of the objective."""

    @property
    def total(self) -> float:
        return sum(self.terms.values())


@dataclass(frozen=True)
class Fit:
    """What a fit found."""

    code: StyleCode
    """Batch 1, float32, on the processor."""
    change: WeightChange | None
    """Of the decoder, where that was fitted."""
    read: Scores
    kept: Scores
    share: float
    """One of SHARES; 0 where nothing was better than what was read."""


def fit(
    model: CompactNet,
    arts: Sequence[Art],
    settings: FitSettings,
    *,
    pictures: Sequence[Picture] | None = None,
    device: str = "cpu",
    side: int | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit a style.

    The same arguments give the same numbers on the same kind of machine with the same number of threads.

    Args:
        model: float32, not changed.
        arts: the style; several are fitted to as one blend.
        pictures: (H, W, 3) uint8 each, to fit on; None: the photos that ship.
        device: where it is computed.
        side: of a crop, pixels, a multiple of the model's stride; None: SIDE.
        progress: told (steps done, of how many).
    """
    rng = np.random.default_rng(0)
    pictures, side = photos() if pictures is None else pictures, side or SIDE
    with torch.enable_grad(), torch.inference_mode(mode=False):
        trial = _Trial(model, arts, settings, device)
        fixed = _fixed_crops(pictures, side)
        read = trial.scores(fixed)
        pool = trial.pool()
        trial.run(
            lambda: torch.cat([crop(pictures, rng, side) for _ in range(_BATCH)]),
            rng,
            pool,
            lambda: trial.scores(fixed).total > read.total,
            progress,
        )
        end = trial.values()
        kept, share = read, 0.0
        for candidate in _SHARES:
            trial.move(end, candidate)
            scores = trial.scores(fixed)
            if scores.total < kept.total and trial.acceptable(scores, read):
                kept, share = scores, candidate
                break
        trial.move(end, share)
        return trial.result(read, kept, share)


class _Trial:
    """The numbers that are fitted, and how well they do."""

    def __init__(
        self,
        model: CompactNet,
        arts: Sequence[Art],
        settings: FitSettings,
        device: str,
    ) -> None:
        self.settings, self.device, self.balance = settings, device, BALANCES[settings.balance]
        self.base = model
        shares = [art.weight / sum(a.weight for a in arts) for art in arts]
        with torch.no_grad():
            codes = [model.encode_style(as_tensor(art.read)) for art in arts]
            read = codes[0] if len(codes) == 1 else blend(codes, shares)
        self.model = copy.deepcopy(model).to(device).requires_grad_(False)
        self.code = CodeParameters(read.map(lambda t: t.to(device)), colour=True)
        self.weights = fitted_parameters(self.model) if settings.deep else {}
        for parameter in self.weights.values():
            parameter.requires_grad_(True)
        self.free = [*self.code.tensors(), *self.weights.values()]
        self.start = self.values()
        styles = [as_tensor(art.strokes).to(device) for art in arts]
        self.objective = FitObjective(self.model, loss_network().to(device), styles, shares, self.balance)

    def values(self) -> list[Tensor]:
        return [t.detach().clone() for t in self.free]

    @torch.no_grad()
    def move(self, end: Sequence[Tensor], share: float) -> None:
        """To a share of the way from the start to `end`."""
        for tensor, a, b in zip(self.free, self.start, end, strict=True):
            tensor.copy_(a + share * (b - a))

    def terms(self, crops: Tensor, later: Tensor, motion: ShiftMotion, pool: Pool | None = None) -> dict[str, Tensor]:
        with self._precision():
            return self.objective.terms(crops.to(self.device), later.to(self.device), self.code.code(), motion, pool)

    def pool(self) -> Pool:
        """One that begins with what was looked at last."""
        assert self.objective.seen is not None
        return Pool(self.objective.seen)

    @torch.no_grad()
    def scores(self, fixed: Tensor) -> Scores:
        return Scores(
            {
                name: float(term)
                for name, term in self.terms(fixed, grain(fixed, np.random.default_rng(2)), _VALIDATION_MOTION).items()
            }
        )

    def acceptable(self, scores: Scores, read: Scores) -> bool:
        """Whether a result moves with its frame nearly as well as what was read, and has the style's colours nearly as well."""
        floor = 0.02 * read.total
        limits = {"shift": self.balance.most_shift**2, "palette": self.balance.most_palette**2}
        return all(scores.terms[name] <= most * read.terms[name] + floor for name, most in limits.items())

    def run(
        self,
        draw: Callable[[], Tensor],
        rng: np.random.Generator,
        pool: Pool,
        worse: Callable[[], bool],
        progress: Progress | None,
    ) -> None:
        """The steps. `worse` says whether the numbers are worse than those at the start."""
        steps = self.settings.steps
        flat = [t for t in self.code.tensors() if t.dim() == 2]
        matrices = [t for t in self.code.tensors() if t.dim() > 2]
        groups = [(flat, CODE_RATE), (matrices, MATRIX_RATE), (list(self.weights.values()), _WEIGHT_RATE)]
        adam = torch.optim.Adam(
            [{"params": tensors, "rate": rate} for tensors, rate in groups if tensors], betas=(0.9, 0.99)
        )
        slow, checks = 1.0, {round(share * steps) for share in _CHECKS}
        for step in range(steps):
            if step in checks and worse():
                self.move(self.start, 0.0)
                pool = self.pool()
                adam.state.clear()
                slow /= 2
            for group in adam.param_groups:
                group["lr"] = group["rate"] * slow * _schedule(step, steps)
            crops = draw()
            terms = self.terms(crops, grain(crops, rng), _motion(rng, step), pool)
            loss = torch.stack(list(terms.values())).sum()
            adam.zero_grad()
            loss.backward()
            adam.step()
            if progress is not None:
                progress(step + 1, steps)

    def result(self, read: Scores, kept: Scores, share: float) -> Fit:
        with torch.no_grad():
            code = self.code.code().map(lambda t: t.detach().cpu().contiguous()) if share else self.code.read
            own = dict(self.base.named_parameters())
            deltas = {name: p.detach().cpu() - own[name].detach() for name, p in self.weights.items()}
        change = WeightChange(deltas, self._ranges(code)) if deltas and share else None
        return Fit(code.map(lambda t: t.cpu()), change, read, kept, share)

    @torch.no_grad()
    def _ranges(self, code: StyleCode) -> dict[str, tuple[float, float]]:
        """For the changed network in eight bits; none where it paints too differently in them."""
        code = code.map(lambda t: t.to(self.device))
        shown = [(as_tensor(with_short_side(p, _RANGES_SIDE)).to(self.device), code) for p in photos()]
        ranges = observe(self.model, shown)
        return ranges if rounding_error(self.model, ranges, shown[:3]) <= MOST_ROUNDING else {}

    def _precision(self) -> AbstractContextManager[None]:
        kind = self.device.partition(":")[0]
        return torch.autocast(kind, torch.bfloat16, enabled=has_bf16(kind))


def has_bf16(device: str) -> bool:
    """Whether a device multiplies bfloat16 itself; where it is emulated, autocast is slower than float32."""
    if device == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return device == "cuda"


def _schedule(step: int, steps: int) -> float:
    """Of the rate: up over the first steps, then down along a cosine."""
    warm = min(1.0, (step + 1) / max(5, 0.15 * steps))
    return warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _motion(rng: np.random.Generator, step: int) -> ShiftMotion:
    """0 to 4 whole pixels each way; every other step quarters of a pixel more."""
    dx, dy = (int(v) for v in rng.integers(0, 5, 2))
    fx, fy = (float(v) / 4 for v in rng.integers(0, 4, 2))
    return ShiftMotion((dx, dy), (fx, fy) if step % 2 else (0.0, 0.0))


def _fixed_crops(pictures: Sequence[Picture], side: int) -> Tensor:
    """What candidates are compared on."""
    rng = np.random.default_rng(1)
    return torch.cat([crop(pictures, rng, side) for _ in range(_VALIDATION)])
