"""The training loop: stages one after another, averaged weights, resumable, measured and looked at now and then."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Container, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import write_failure
from vidstyle.models.checkpoint import StyleModel, build, load_model, not_finite, save_model
from vidstyle.models.paper import VGGImage, VGGVideo
from vidstyle.models.vgg import VGG
from vidstyle.training.calibration import calibrated
from vidstyle.training.checkpoint import Average, load_state, restore_momenta, save_state
from vidstyle.training.data.batches import Feed, Folders
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.distributed import Processes
from vidstyle.training.divergence import LIMIT, Divergence
from vidstyle.training.log import Log, cut
from vidstyle.training.muon import Muon
from vidstyle.training.objective.stages import OBJECTIVES, Step
from vidstyle.training.preview_grid import preview
from vidstyle.training.recipe import Recipe, Stage, as_json
from vidstyle.training.resume import check_resumable
from vidstyle.training.validation import Validation

PREVIEW_SIDE = 256
OPTIMISERS: dict[str, type[torch.optim.Adam] | type[Muon]] = {"adam": torch.optim.Adam, "muon": Muon}
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Limits:
    """When to stop before the recipe's end."""

    max_steps: int | None = None
    """Steps over the whole recipe, earlier sessions included."""
    minutes: float | None = None
    """Of this session."""


class Training:
    """A run of a recipe in a folder: `state.safetensors` (to resume), `model.safetensors` (averaged weights, ready to use),
    `best.safetensors` (those of the best validation so far), `log.jsonl`, `tensorboard/`, `preview/`.

    Args:
        content, style: the pictures; those for validation are taken out of them.
        vgg: loss network, normalised, float32.
        out: the folder.
        clips: for stages whose weight v is not 0.
        unseen_clips: for validation only.
        resume: go on from state.safetensors; where there is none, start the schedule anew from model.safetensors.
        weights: start the schedule from these weights (a model file); not with `resume`.
        say: is given each log line, in the first process only.

    Raises:
        UsageError: the folder holds a training and `resume` was not asked for, or nothing is there to resume, or what is
            there does not fit the recipe, or clips are missing or unused, or accelerate is not installed.
        InputError: the folder cannot be written to.
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
        unseen_clips: ClipFolder | None = None,
        resume: bool = False,
        weights: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.processes = Processes()
        self.device = self.processes.device
        folders = Folders(content, style, clips, unseen_clips)
        self.feed = Feed(folders, recipe, (self.processes.rank, self.processes.count))
        self.recipe, self.out = recipe, out
        self.say = say if self.processes.first else lambda _: None
        self.dtype = PRECISIONS[recipe.precision]
        torch.manual_seed(recipe.seed)
        self.net = build(recipe.architecture, recipe.config)
        self.net = self.net.to(self.device).to(memory_format=torch.channels_last)
        if isinstance(self.net, VGGVideo | VGGImage):
            self.net.load_encoder(vgg)  # before the loss network is rounded
        self.vgg = vgg.to(self.device, self.dtype)
        # The losses' gradients are large, so the scale begins low; it finds its own way from there.
        self.scaler = torch.amp.GradScaler(self.device.type, init_scale=2.0**8, enabled=recipe.precision == "fp16")
        self.step = 0
        self.learnable = frozenset(name for name, p in self.net.named_parameters() if p.requires_grad)
        self.best: float | None = None
        self.measured: dict[str, float | None] = {}
        self.saved = self._begin(resume, weights)
        self.last_saved = self.step if self.saved else None
        self.average = Average(self.net, recipe.ema)
        if self.saved:
            self.average.load(self.saved["ema"])
        self.divergence = Divergence()
        self.validation: Validation | None = None
        if self.processes.first:
            self._make_folder()
            unseen = self.feed.unseen_content, self.feed.unseen_style
            if all(unseen):
                self.validation = Validation(recipe.validation, *unseen, unseen_clips, self.vgg)
            elif recipe.validation.every:
                self.say(
                    "validation is off: it takes at least four photos and four paintings, of which it sets some aside; "
                    "there will be no best.safetensors."
                )
        self.processes.wait()

    def _begin(self, resume: bool, weights: Path | None) -> dict[str, dict[str, Tensor]] | None:
        """Load what the run starts from; the saved state where it resumes."""
        out, state, model = self.out, self.out / "state.safetensors", self.out / "model.safetensors"
        if resume and state.exists():
            saved, about = load_state(state)
            self.step, self.best = int(about["step"]), about.get("best")
            self.measured = about.get("metrics", {})
            for difference in check_resumable(about, self._what(), self.step, out):
                self.say(f"not as it was begun: {difference}")
            if self.scaler.is_enabled() and about["scaler"]:
                self.scaler.load_state_dict(about["scaler"])
            self.net.load_state_dict(saved["net"])
            return saved
        if resume and model.exists():
            self.net.load_state_dict(load_model(model).state_dict())
        elif resume:
            raise UsageError(
                f"{out}: nothing to resume (no state.safetensors or model.safetensors); leave out --resume."
            )
        elif state.exists():
            raise UsageError(f"{out}: holds a training already; add --resume to go on or choose another --out.")
        elif weights:
            self.net.load_state_dict(load_model(weights).state_dict())
        return None

    def run(self, limits: Limits | None = None) -> int:
        """Train until the recipe or the limits end; returns the step reached. State is saved on the way out, also on Ctrl-C.

        Raises:
            InputError: the training diverged (the models of the last save stay), or the disk is full.
        """
        limits = limits or Limits()
        deadline = time.monotonic() + 60 * (limits.minutes or math.inf)
        last = min(self.recipe.steps, limits.max_steps or self.recipe.steps)
        if self.saved and self.processes.first:
            cut(self.out, self.step)
        log = Log(self.out, self.say, self.processes.gather, writes=self.processes.first, after=self.step)

        def late() -> bool:
            return limits.minutes is not None and self.processes.any(time.monotonic() >= deadline)

        try:
            while self.step < last and not late():
                index, _ = self.recipe.locate(self.step)
                self._stage(index, last, late, log)
        except OSError as error:  # of the log; models are written by functions that say it themselves
            raise InputError(
                f"{self.out}: {write_failure(error, self.out / 'log.jsonl')}; {self._way_back()}."
            ) from error
        finally:
            log.close()
        return self.step

    def _stage(self, index: int, last: int, late: Callable[[], bool], log: Log) -> None:
        recipe, stage = self.recipe, self.recipe.stage[index]
        first = sum(s.steps for s in recipe.stage[:index])
        end = min(first + stage.steps, last)
        torch.manual_seed(recipe.seed * 1000 + index)
        objective = OBJECTIVES[stage.kind](self.net, self.vgg, stage, self.processes.mean)
        extra = objective.extra.to(self.device)
        groups = learning(self.net, extra, stage.rates, self.learnable)
        parameters = [p for group in groups for p in group["params"]]
        optimiser = OPTIMISERS[stage.optimiser](groups, stage.lr, betas=(0.9, 0.99))
        if self.saved and self.step > first:
            extra.load_state_dict(self.saved["extra"])
            restore_momenta(optimiser, self.saved["momenta"])
        self.saved = None
        # In a distillation the encoder alone learns.
        module = self.processes.wrap(Step(objective), partly=stage.kind == "distil")
        pictures = recipe.log_every * stage.batch * stage.accumulate * self.processes.count
        try:
            while self.step < end and not late():
                rate = stage.rate(self.step - first)
                for group in optimiser.param_groups:
                    group["lr"] = rate * group["share"]
                norm = self._optimise(module, stage, index, self.step - first, optimiser, parameters, log)
                if not math.isfinite(norm):
                    self.say(f"step {self.step}: gradient is not finite, step left out")
                if self.divergence(norm, searching=self.scaler.is_enabled() and self.scaler.get_scale() > 1):
                    raise self._diverged(f"the gradients of {LIMIT} steps in a row are not finite")
                self.step += 1
                self.average.update(self.net, self.step)
                if self._validation_is_due():
                    self._save_state(extra, optimiser)  # whatever happens while it is measured
                    self._validate(log)
                if self.step % recipe.log_every == 0 or self.step == end:
                    log.write({"step": self.step, "stage": stage.kind, "lr": rate}, pictures)
                if self.step % recipe.save_every == 0 or self.step == end:
                    self._save(extra, optimiser, log)
        except KeyboardInterrupt:
            self._save(extra, optimiser, log)
            raise
        if self.step < end:
            self._save(extra, optimiser, log)

    def _optimise(
        self,
        module: nn.Module,
        stage: Stage,
        index: int,
        step: int,
        optimiser: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        log: Log,
    ) -> float:
        """One step of the optimiser, over all processes and accumulated batches; the gradient's norm before clipping."""
        optimiser.zero_grad(set_to_none=True)
        for part in range(stage.accumulate):
            batch = self.feed.batch(index, step, part, self.device)
            more = part + 1 < stage.accumulate
            with self.processes.hold(module) if more else nullcontext():
                with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                    loss, terms = module(batch)
                self.scaler.scale(loss / stage.accumulate).backward()
            log.add(terms)
        self.scaler.unscale_(optimiser)
        norm = float(nn.utils.clip_grad_norm_(parameters, stage.clip))
        log.add({"norm": norm} if math.isfinite(norm) else {})
        if self.scaler.is_enabled() or math.isfinite(norm):
            self.scaler.step(optimiser)  # leaves out a step of gradients that are not finite, and learns from it
        self.scaler.update()
        return norm

    def _averaged(self) -> StyleModel:
        net = build(self.recipe.architecture, self.recipe.config)
        net.load_state_dict(self.average.weights)
        return net.to(self.device).to(memory_format=torch.channels_last).eval()

    def _validation_is_due(self) -> bool:
        every = self.recipe.validation.every
        return self.feed.validates and (self.step % every == 0 or self.step == self.recipe.steps)

    def _validate(self, log: Log) -> None:
        if self.validation is None:  # another process's business
            return
        net = self._averaged()
        self.measured = {k: v if math.isfinite(v) else None for k, v in self.validation(net).items()}
        log.note(self.measured)
        score = self.measured["val_score"]
        if score is not None and (self.best is None or score < self.best):
            self.best = score
            save_model(net, self.out / "best.safetensors", metadata=self._about(net))

    def _save(self, extra: nn.Module, optimiser: torch.optim.Optimizer, log: Log) -> None:
        self._save_state(extra, optimiser)
        if self.processes.first:
            net = self._averaged()
            save_model(net, self.out / "model.safetensors", metadata=self._about(net))
            path = self.out / "preview" / f"{self.step:06d}.png"
            grid = preview(net, *self.feed.examples(), PREVIEW_SIDE, path)
            log.picture("preview", grid, self.step)

    def _save_state(self, extra: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Write what resuming needs; never weights that are no numbers, nor too large for a model's file (float16)."""
        averaged = {name: value.half() for name, value in self.average.weights.items()}
        unsound = not_finite(self.net.state_dict()) or not_finite(averaged)
        if unsound:
            raise self._diverged(f"{unsound} is infinite or undefined")
        self.last_saved = self.step
        if self.processes.first:
            about = {
                "step": self.step,
                "best": self.best,
                "metrics": self.measured,
                "scaler": self.scaler.state_dict(),
                **self._what(),
            }
            save_state(self.out / "state.safetensors", self.net, self.average, extra, optimiser, about)

    def _diverged(self, how: str) -> InputError:
        return InputError(
            f"{self.out}: the training diverged at step {self.step} ({how}); lower lr or clip in the recipe. "
            f"{self._way_back()}."
        )

    def _way_back(self) -> str:
        if self.last_saved is None:
            return "Nothing had been saved"
        return f"What was saved at step {self.last_saved} is kept, and --resume goes on from there"

    def _what(self) -> dict[str, Any]:
        """What this training is, as JSON values: two that are equal in it give equal files."""
        what: dict[str, Any] = json.loads(
            json.dumps({"recipe": as_json(self.recipe), "data": self.feed.folders.about()})
        )
        return what

    def _make_folder(self) -> None:
        try:
            (self.out / "preview").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.out}: {write_failure(error, self.out)}.") from error

    def _about(self, net: StyleModel) -> dict[str, Any]:
        """What a model file says of itself."""
        folders = self.feed.folders
        return {
            "int8_ranges": calibrated(net, folders.content, folders.style),
            "steps": self.step,
            **self._what(),
            "processes": self.processes.count,
            "metrics": self.measured,
            "loss_network": self.vgg.layout,
            "licence": "Apache-2.0",
        }


def learning(
    net: nn.Module, extra: nn.Module, rates: Mapping[str, float], learnable: Container[str]
) -> list[dict[str, Any]]:
    """What a stage trains, as groups for the optimiser, each with its "share" of the learning rate. Parameters that stay as
    they are ask for no gradient.

    Args:
        rates: beginning of a parameter's name > share; 1 where none fits. Raises UsageError for one that fits nothing.
        learnable: names of the parameters of `net` that any stage may train.
    """
    shares: dict[float, list[nn.Parameter]] = {1.0: list(extra.parameters())}
    unused = set(rates)
    for name, parameter in net.named_parameters():
        fitting = [prefix for prefix in rates if name.startswith(prefix)]
        unused -= set(fitting)
        share = rates[max(fitting, key=len)] if fitting else 1.0
        parameter.requires_grad_(name in learnable and share > 0)
        if parameter.requires_grad:
            shares.setdefault(share, []).append(parameter)
    if unused:
        raise UsageError(f"rates: no part of the network begins with {', '.join(sorted(unused))}.")
    return [{"params": parameters, "share": share} for share, parameters in shares.items() if parameters]
