"""The training loop: stages one after another, averaged weights, resumable, measured and looked at now and then."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import write_failure
from vidstyle.models.checkpoint import StyleModel, build, load_model, not_finite, save_model
from vidstyle.models.paper import VGGImage, VGGVideo
from vidstyle.models.vgg import VGG
from vidstyle.training.calibration import calibrated
from vidstyle.training.checkpoint import Average, load_state, restore_momenta, save_state, state_files
from vidstyle.training.compilation import AS_IT_IS, Hardware
from vidstyle.training.data.source import TrainingData, examples
from vidstyle.training.distributed import Processes
from vidstyle.training.divergence import LIMIT, Divergence
from vidstyle.training.log import Log, cut
from vidstyle.training.objective.stages import OBJECTIVES, Step
from vidstyle.training.optimisation import learning, make_optimiser, set_rate, take_step
from vidstyle.training.preview_grid import preview
from vidstyle.training.recipe import Recipe, Stage, as_json
from vidstyle.training.resume import check_resumable
from vidstyle.training.schedule import Place, Schedule, StepSchedule, TimedSchedule
from vidstyle.training.throughput import WorkMeter

if TYPE_CHECKING:
    from vidstyle.training.validation import Validation

PREVIEW_SIDE = 256
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Limits:
    """When to stop before the recipe's end, and when to save beside its steps."""

    max_steps: int | None = None
    """Steps over the whole recipe, earlier sessions included."""
    minutes: float | None = None
    """Of this session."""
    timed: bool = False
    """The minutes are the schedule (`TimedSchedule`): what is left of the recipe is done in them, the rate falling to 0."""
    save_minutes: float = math.inf
    """Between checkpoints, beside the recipe's `save_every`."""


@dataclass
class Learner:
    """What takes the steps of a stage."""

    stage: Stage
    module: nn.Module
    """The objective, wrapped for several processes."""
    extra: nn.Module
    optimiser: torch.optim.Optimizer
    parameters: list[nn.Parameter]
    meter: WorkMeter
    following: tuple[int, int]
    """Index of the stage, and the step within it, that come next where the schedule says nothing."""


class Training:
    """A run of a recipe in a folder: `state.safetensors` (to resume; in parts where it is large), `model.safetensors` (averaged
    weights, ready to use), `best.safetensors` (those of the best validation so far), `log.jsonl`, `tensorboard/`, `preview/`.

    Args:
        data: folders or a pack.
        vgg: loss network, normalised, float32.
        out: the folder.
        resume: go on from state.safetensors; where there is none, start the schedule anew from model.safetensors.
        weights: start the schedule from these weights (a model file); not with `resume`.
        hardware: how the device is used.
        say: is given each log line, in the first process only.

    Raises:
        UsageError: the folder holds a training and `resume` was not asked for, or nothing is there to resume, or what is
            there does not fit the recipe, or data are missing or unused, or there are several processes and accelerate is
            not installed.
        InputError: the folder cannot be written to.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: TrainingData,
        vgg: VGG,
        out: Path,
        *,
        resume: bool = False,
        weights: Path | None = None,
        hardware: Hardware = AS_IT_IS,
        say: Callable[[str], None] = print,
    ) -> None:
        self.processes = Processes()
        self.device = self.processes.device
        hardware.check(self.device)
        self.source = data.batches(recipe, self.device, (self.processes.rank, self.processes.count))
        self.recipe, self.out, self.hardware = recipe, out, hardware
        self.say = say if self.processes.first else lambda _: None
        self.dtype = PRECISIONS[recipe.precision]
        torch.manual_seed(recipe.seed)
        self.net = build(recipe.architecture, recipe.config).to(self.device).to(memory_format=torch.channels_last)
        if isinstance(self.net, VGGVideo | VGGImage):
            self.net.load_encoder(vgg)  # before the loss network is rounded
        self.vgg = vgg.to(self.device, self.dtype)
        hardware.compile([self.net, self.vgg])
        # The losses' gradients are large, so the scale begins low; it finds its own way from there.
        self.scaler = torch.amp.GradScaler(self.device.type, init_scale=2.0**8, enabled=recipe.precision == "fp16")
        self.step = 0
        self.begin: tuple[int, int] = (0, 0)
        self.learnable = frozenset(name for name, p in self.net.named_parameters() if p.requires_grad)
        self.best: float | None = None
        self.measured: dict[str, float | None] = {}
        self.saved = self._begin(resume, weights)
        self.last_saved = self.step if self.saved else None
        self.average = Average(self.net, recipe.ema)
        if self.saved:
            self.average.load(self.saved["ema"])
        self.divergence = Divergence()
        self.norms: list[tuple[int, Tensor]] = []
        """Steps whose gradients have not been judged yet, and the gradients' norms."""
        self.validation: Validation | None = None
        if self.processes.first:
            self._make_folder()
            self.validation = self._make_validation() if recipe.validation.every else None
        self.processes.wait()

    def _make_validation(self) -> Validation | None:
        if not self.source.validates:
            self.say(
                "validation is off: it takes at least four photos and four paintings, of which it sets some aside; "
                "there will be no best.safetensors."
            )
            return None
        try:
            from vidstyle.training.validation import Validation
        except ModuleNotFoundError as missing:
            self.say(f"validation is off: {missing.name} is not installed; there will be no best.safetensors.")
            return None
        source = self.source
        unseen = source.unseen_content, source.unseen_style, source.unseen_clips
        return Validation(self.recipe.validation, *unseen, self.vgg)

    def _begin(self, resume: bool, weights: Path | None) -> dict[str, dict[str, Tensor]] | None:
        """Load what the run starts from; the saved state where it resumes."""
        out, state, model = self.out, state_files(self.out), self.out / "model.safetensors"
        if resume and state:
            saved, about = load_state(state)
            self.step, self.best = int(about["step"]), about.get("best")
            stage, within = about.get("place") or self.recipe.locate(self.step)
            self.begin = (stage, within)
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
        elif state:
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
        schedule = self._schedule(limits)
        if self.saved and self.processes.first:
            cut(self.out, self.step)
        log = Log(self.out, self.say, self.processes.gather, writes=self.processes.first, after=self.step)
        try:
            place = schedule.place(self.step)
            while place is not None:
                place = self._run_stage(place, schedule, limits, log)
        except OSError as error:  # of the log; models are written by functions that say it themselves
            raise InputError(
                f"{self.out}: {write_failure(error, self.out / 'log.jsonl')}; {self._way_back()}."
            ) from error
        finally:
            log.close()
        return self.step

    def _schedule(self, limits: Limits) -> Schedule:
        last = min(self.recipe.steps, limits.max_steps or self.recipe.steps)
        if limits.minutes is None:
            return StepSchedule(self.recipe, last)
        if not limits.timed:
            deadline = time.monotonic() + 60 * limits.minutes
            return StepSchedule(self.recipe, last, lambda: self.processes.any(time.monotonic() >= deadline))
        if self.processes.count > 1:
            raise UsageError("a training by the clock runs in one process: leave out --minutes, or torchrun.")
        stage, step = self.begin
        if stage == len(self.recipe.stage):  # a finished recipe: its last stage anew
            stage, step = stage - 1, 0
        return TimedSchedule(self.recipe, limits.minutes, (stage, step), limits.max_steps or math.inf)

    def _run_stage(self, place: Place, schedule: Schedule, limits: Limits, log: Log) -> Place | None:
        """The steps of a stage; returns where the next one begins."""
        learner = self._learner(place)
        now: Place | None = place
        said, saved = self.step, time.monotonic()
        try:
            while now is not None and now.stage == place.stage:
                self._take_step(learner, now, log)
                if self.device.type == "cpu":
                    self._judge()  # elsewhere when a line is written or weights are saved: a look is a wait
                self.step += 1
                self.average.update(self.net, self.step)
                rate, now = now.rate, schedule.place(self.step)
                ended = now is None or now.stage != place.stage
                if self._validation_is_due(finished=now is None and (limits.timed or self.step == self.recipe.steps)):
                    self._save_state(learner, now)  # whatever happens while it is measured
                    self._validate(log)
                if self.step % self.recipe.log_every == 0 or ended:
                    self._write(learner, rate, self.step - said, log)
                    said = self.step
                late = self.processes.count == 1 and time.monotonic() - saved >= 60 * limits.save_minutes
                if self.step % self.recipe.save_every == 0 or ended or late:
                    self._save(learner, now, log)
                    saved = time.monotonic()
        except KeyboardInterrupt:
            self._save(learner, schedule.place(self.step), log)
            raise
        return now

    def _learner(self, place: Place) -> Learner:
        """What takes the steps of a stage, with its momenta where the run was saved within it."""
        index, stage = place.stage, self.recipe.stage[place.stage]
        torch.manual_seed(self.recipe.seed * 1000 + index)
        objective = OBJECTIVES[stage.kind](self.net, self.vgg, stage, self.processes.mean)
        extra = objective.extra.to(self.device)
        self.hardware.compile([extra])
        groups = learning(self.net, extra, stage.rates, self.learnable)
        parameters = [p for group in groups for p in group["params"]]
        optimiser = make_optimiser(stage.optimiser, groups, stage.lr, fused=self.device.type == "cuda")
        if self.saved and place.step > 0 and place.stage == self.begin[0]:
            extra.load_state_dict(self.saved["extra"])
            restore_momenta(optimiser, self.saved["momenta"])
        self.saved = None
        # In a distillation the encoder alone learns.
        module = self.processes.wrap(Step(objective), partly=stage.kind == "distil")
        return Learner(stage, module, extra, optimiser, parameters, WorkMeter(stage), (index, place.step))

    def _take_step(self, learner: Learner, place: Place, log: Log) -> None:
        """One step of the optimiser, over all processes and accumulated batches. Nothing in it asks the device for a value."""
        stage, optimiser = learner.stage, learner.optimiser
        set_rate(optimiser, place.rate)
        optimiser.zero_grad(set_to_none=True)
        for part in range(stage.accumulate):
            batch = self.source.batch(place.stage, place.step, part)
            more = part + 1 < stage.accumulate
            with self.processes.hold(learner.module) if more else nullcontext(), learner.meter.watch():
                with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                    loss, terms = learner.module(batch)
                self.scaler.scale(loss / stage.accumulate).backward()
            log.add(terms)
        learner.meter.step()
        learner.following = (place.stage, place.step + 1)
        self.scaler.unscale_(optimiser)
        norm = nn.utils.clip_grad_norm_(learner.parameters, stage.clip)
        log.add({"norm": norm.detach()})
        self.norms.append((self.step, norm.detach()))
        if self.scaler.is_enabled():
            self.scaler.step(optimiser)  # leaves out a step of gradients that are not finite, and learns from it
            self.scaler.update()
        else:
            take_step(optimiser, norm)

    def _judge(self) -> None:
        """Look at the gradients since the last look. Raises InputError where the training has diverged."""
        if not self.norms:
            return
        steps, norms = zip(*self.norms, strict=True)
        self.norms = []
        searching = self.scaler.is_enabled() and self.scaler.get_scale() > 1
        for step, norm in zip(steps, torch.stack(norms).tolist(), strict=True):
            if not math.isfinite(norm):
                self.say(f"step {step}: gradient is not finite, step left out")
            if self.divergence(norm, searching=searching):
                raise self._diverged(f"the gradients of {LIMIT} steps in a row are not finite")

    def _write(self, learner: Learner, rate: float, steps: int, log: Log) -> None:
        self._judge()
        stage = learner.stage
        pictures = steps * stage.batch * stage.accumulate * self.processes.count
        log.write(
            {"step": self.step, "stage": stage.kind, "lr": rate},
            pictures,
            lambda speed: learner.meter.numbers(speed, self.hardware.peak),
        )

    def _averaged(self) -> StyleModel:
        net = build(self.recipe.architecture, self.recipe.config)
        net.load_state_dict(self.average.weights)
        return net.to(self.device).to(memory_format=torch.channels_last).eval()

    def _validation_is_due(self, finished: bool) -> bool:
        every = self.recipe.validation.every
        if not every or not self.source.validates or (self.processes.first and self.validation is None):
            return False
        return self.step % every == 0 or finished

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

    def _save(self, learner: Learner, place: Place | None, log: Log) -> None:
        """Write what resuming needs, and the model as it is.

        Args:
            place: of the next step; None where the run is over.
        """
        self._save_state(learner, place)
        if self.processes.first:
            net = self._averaged()
            save_model(net, self.out / "model.safetensors", metadata=self._about(net))
            path = self.out / "preview" / f"{self.step:06d}.png"
            log.picture("preview", preview(net, *examples(self.source), PREVIEW_SIDE, path), self.step)

    def _save_state(self, learner: Learner, place: Place | None) -> None:
        """Write what resuming needs; never weights that are no numbers, nor too large for a model's file (float16)."""
        self._judge()
        averaged = {name: value.half() for name, value in self.average.weights.items()}
        unsound = not_finite(self.net.state_dict()) or not_finite(averaged)
        if unsound:
            raise self._diverged(f"{unsound} is infinite or undefined")
        self.last_saved = self.step
        if self.processes.first:
            about = {
                "step": self.step,
                "place": (place.stage, place.step) if place else learner.following,
                "best": self.best,
                "metrics": self.measured,
                "scaler": self.scaler.state_dict(),
                **self._what(),
            }
            save_state(self.out, self.net, self.average, learner.extra, learner.optimiser, about)

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
        what: dict[str, Any] = json.loads(json.dumps({"recipe": as_json(self.recipe), "data": self.source.about()}))
        return what

    def _make_folder(self) -> None:
        try:
            (self.out / "preview").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.out}: {write_failure(error, self.out)}.") from error

    def _about(self, net: StyleModel) -> dict[str, Any]:
        """What a model file says of itself."""
        return {
            "int8_ranges": calibrated(net, self.source.content, self.source.style),
            "steps": self.step,
            **self._what(),
            "processes": self.processes.count,
            "metrics": self.measured,
            "loss_network": self.vgg.layout,
            "licence": "Apache-2.0",
        }
