"""The training loop: stages one after another, averaged weights, resumable, a line and a picture now and then."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vidstyle.errors import UsageError
from vidstyle.models.checkpoint import build, load_model, save_model
from vidstyle.models.vgg import VGG
from vidstyle.training.clips import ClipFolder, put_pairs
from vidstyle.training.data import ImageFolder, batch, resize_short
from vidstyle.training.objectives import OBJECTIVES
from vidstyle.training.preview import preview
from vidstyle.training.recipe import Recipe, Stage
from vidstyle.training.state import load_state, restore_adam, save_state

PREVIEW_SIDE = 256


@dataclass(frozen=True)
class Limits:
    """When to stop before the recipe's end."""

    max_steps: int | None = None
    """Steps over the whole recipe, earlier sessions included."""
    minutes: float | None = None
    """Of this session."""


class Training:
    """A run of a recipe in a folder: `state.safetensors` (to resume), `model.safetensors` (averaged weights, ready to use),
    `log.jsonl` (a line every `log_every` steps), `preview/`.

    Args:
        clips: for stages whose weight v is not 0.
        out: the folder.
        resume: go on from state.safetensors; where there is none, start the schedule anew from model.safetensors.
        weights: start the schedule from these weights (a model file); not with `resume`.
        say: is given each log line.

    Raises:
        UsageError: the folder holds a training and `resume` was not asked for, or nothing is there to resume, or clips
            are missing or unused.
    """

    def __init__(
        self,
        recipe: Recipe,
        content: ImageFolder,
        style: ImageFolder,
        vgg: VGG,
        out: Path,
        *,
        clips: ClipFolder | None = None,
        resume: bool = False,
        weights: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        if recipe.uses_clips and clips is None:
            raise UsageError(
                "the recipe's weight v asks for real clips: name a folder of them with --video or set v = 0."
            )
        if clips is not None and not recipe.uses_clips:
            raise UsageError(
                "--video is given but no stage of the recipe uses clips: set weights.v, or leave out --video."
            )
        self.recipe, self.content, self.style, self.out, self.say = recipe, content, style, out, say
        self.clips = clips
        self.dtype = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
        self.vgg = vgg.to(self.dtype)
        torch.manual_seed(recipe.seed)
        self.net = build(recipe.architecture, recipe.config).to(memory_format=torch.channels_last)
        self.step = 0
        self.saved: dict[str, dict[str, Tensor]] | None = None
        state, model = out / "state.safetensors", out / "model.safetensors"
        if resume and state.exists():
            self.saved, about = load_state(state)
            self.step = int(about["step"])
            self.net.load_state_dict(self.saved["net"])
        elif resume and model.exists():
            self.net.load_state_dict(load_model(model).state_dict())
        elif resume:
            raise UsageError(
                f"{out}: nothing to resume (no state.safetensors or model.safetensors); leave out --resume."
            )
        elif state.exists():
            raise UsageError(f"{out}: holds a training already; add --resume to go on or choose another --out.")
        elif weights:
            self.net.load_state_dict(load_model(weights).state_dict())
        self.ema = self.saved["ema"] if self.saved else {k: v.clone() for k, v in self.net.state_dict().items()}
        (out / "preview").mkdir(parents=True, exist_ok=True)

    def run(self, limits: Limits | None = None) -> int:
        """Train until the recipe or the limits end; returns the step reached. State is saved on the way out, also on Ctrl-C."""
        limits = limits or Limits()
        deadline = time.monotonic() + 60 * (limits.minutes or math.inf)
        last = min(self.recipe.steps, limits.max_steps or self.recipe.steps)
        while self.step < last and time.monotonic() < deadline:
            index, _ = self.recipe.locate(self.step)
            self._stage(index, last, deadline)
        return self.step

    def _stage(self, index: int, last: int, deadline: float) -> None:
        stage = self.recipe.stage[index]
        first = sum(s.steps for s in self.recipe.stage[:index])
        end = min(first + stage.steps, last)
        torch.manual_seed(self.recipe.seed * 1000 + index)
        objective = OBJECTIVES[stage.kind](self.net, self.vgg, stage)
        parameters = [*self.net.parameters(), *objective.extra.parameters()]
        optimiser = torch.optim.Adam(parameters, stage.lr, betas=(0.9, 0.99))
        if self.saved and self.step > first:
            objective.extra.load_state_dict(self.saved["extra"])
            restore_adam(optimiser, self.saved["adam"])
        self.saved = None
        log = Log(self.out / "log.jsonl", self.say)
        try:
            while self.step < end and time.monotonic() < deadline:
                local = self.step - first
                rate = learning_rate(stage, local)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                rng = np.random.default_rng([self.recipe.seed, index, local])
                generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
                content = batch(self.content, stage.batch, stage.crop, stage.content_zoom, rng)
                style = batch(self.style, stage.batch, stage.crop, stage.style_zoom, rng)
                motion = None
                if self.clips and stage.kind == "style" and stage.weights.v:
                    seed = (self.recipe.seed, index, local)
                    motion = put_pairs(content, style, self.clips, stage.every_v, local, stage.content_zoom, seed)
                with torch.autocast("cpu", dtype=self.dtype, enabled=self.dtype != torch.float32):
                    outcome = objective(content, style, local, generator, motion)
                optimiser.zero_grad(set_to_none=True)
                outcome.loss.backward()
                norm = nn.utils.clip_grad_norm_(parameters, stage.clip)
                if not torch.isfinite(norm):
                    self.say(f"step {self.step}: gradient is not finite, step left out")
                    optimiser.zero_grad(set_to_none=True)
                else:
                    optimiser.step()
                self.step += 1
                self._average()
                log.add({**outcome.terms, "norm": norm})
                if self.step % self.recipe.log_every == 0 or self.step == end:
                    log.write({"step": self.step, "stage": stage.kind, "lr": rate}, self.recipe.log_every * stage.batch)
                if self.step % self.recipe.save_every == 0 or self.step == end:
                    self._save(objective.extra, optimiser)
        except KeyboardInterrupt:
            self._save(objective.extra, optimiser)
            raise
        if self.step < end:
            self._save(objective.extra, optimiser)

    def _average(self) -> None:
        # A young average forgets quickly, or the random start would stay in it for thousands of steps.
        decay = min(self.recipe.ema, self.step / (self.step + 50))
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                self.ema[name].lerp_(value, 1 - decay)

    def _save(self, extra: nn.Module, optimiser: torch.optim.Adam) -> None:
        save_state(self.out / "state.safetensors", self.net, self.ema, extra, optimiser, {"step": self.step})
        averaged = build(self.recipe.architecture, self.recipe.config)
        averaged.load_state_dict(self.ema)
        averaged.to(memory_format=torch.channels_last)
        save_model(averaged, self.out / "model.safetensors", metadata=self._about())
        count = min(5, len(self.style.images))
        pick = np.random.default_rng(7)
        contents = [square(self.content, int(i)) for i in pick.integers(0, len(self.content.images), 3)]
        styles = [square(self.style, int(i)) for i in pick.integers(0, len(self.style.images), count)]
        preview(averaged.eval(), contents, styles, self.out / "preview" / f"{self.step:06d}.png")

    def _about(self) -> dict[str, Any]:
        data = {
            "content": {"pictures": len(self.content.images), "sha256": self.content.digest},
            "style": {"pictures": len(self.style.images), "sha256": self.style.digest},
        }
        if self.clips:
            data["video"] = {"clips": len(self.clips.clips), "pairs": self.clips.pairs, "sha256": self.clips.digest}
        return {
            "steps": self.step,
            "recipe": json.loads(self.recipe.model_dump_json()),
            "data": data,
            "loss_network": self.vgg.layout,
            "licence": "Apache-2.0",
        }


def learning_rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then a cosine from lr to lr * lr_end at the stage's last step."""
    if step < stage.warmup:
        return stage.lr * (step + 1) / stage.warmup
    share = (step - stage.warmup) / max(1, stage.steps - stage.warmup)
    return stage.lr * (stage.lr_end + (1 - stage.lr_end) * 0.5 * (1 + math.cos(math.pi * share)))


def square(folder: ImageFolder, index: int) -> Tensor:
    """The middle of a picture: (3, PREVIEW_SIDE, PREVIEW_SIDE) float in [0, 1]."""
    image = resize_short(folder.images[index], PREVIEW_SIDE)
    top, left = ((n - PREVIEW_SIDE) // 2 for n in image.shape[:2])
    cut = np.ascontiguousarray(image[top : top + PREVIEW_SIDE, left : left + PREVIEW_SIDE])
    return torch.from_numpy(cut).permute(2, 0, 1).float() / 255


class Log:
    """Means of the terms since the last line, appended to a JSONL file and said."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self.path, self.say = path, say
        self.values: dict[str, list[float]] = {}
        self.since = time.monotonic()

    def add(self, terms: dict[str, Tensor]) -> None:
        for name, value in terms.items():
            self.values.setdefault(name, []).append(float(value))

    def write(self, head: dict[str, Any], pictures: int) -> None:
        now = time.monotonic()
        means = {k: sum(v) / len(v) for k, v in self.values.items()}
        line = {**head, **means, "pictures_per_second": pictures / (now - self.since)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        shown = " ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in line.items())
        self.say(shown)
        self.values, self.since = {}, now
