"""A recipe: everything that a training run depends on, as data, from one TOML file.

Unknown keys are errors: a misspelt weight must not be a silent default.
"""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vidstyle.core.errors import InputError, UsageError


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LossWeights(Part):
    """Weights of DESIGN section 4; 0 switches a term off, and its computation with it."""

    g: Annotated[float, Field(ge=0)] = 10.0
    """Lg, global style statistics."""
    l: Annotated[float, Field(ge=0)] = 3.0  # noqa: E741
    """Ll, local feature loss against parameter-free attention."""
    i: Annotated[float, Field(ge=0)] = 3.0
    """Lis, cross-image similarity."""
    t: Annotated[float, Field(ge=0)] = 300.0
    """Lt, equivariance to motion."""
    v: Annotated[float, Field(ge=0)] = 0.0
    """Lt on real clips: consecutive frames and the motion between them. Needs --video."""
    r: Annotated[float, Field(ge=0)] = 2.0
    """Lr, identity."""
    range: Annotated[float, Field(ge=0)] = 10.0
    """Penalty on values outside [0, 1]."""


class Colour(Part):
    """Random changes of colour, drawn anew for every picture; 0 leaves it as it is."""

    brightness: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """All values are multiplied by 1 - b to 1 + b."""
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Distances from the mean grey likewise."""
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Distances from each pixel's grey likewise."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Hues are turned by -h to +h of the full circle."""


class Scoring(Part):
    """Validation: on how many pictures, how often, and what makes one model better than another.

    score = style * style distance / that of the unstyled photos + ssim * (1 - SSIM) + warp * warp error / that of the source.
    """

    every: Annotated[int, Field(ge=0)] = 500
    """Steps between validations; 0: none, and no pictures are set aside."""
    pictures: Annotated[int, Field(ge=1)] = 4
    """Photos and as many paintings that are set aside, never trained on: each photo is measured in each style."""
    side: Annotated[int, Field(ge=64, multiple_of=32)] = 256
    """Pixels."""
    style: Annotated[float, Field(ge=0)] = 1.0
    ssim: Annotated[float, Field(ge=0)] = 1.0
    warp: Annotated[float, Field(ge=0)] = 0.05


class Stage(Part):
    """One schedule: what is learned, on what crops, for how long."""

    kind: Literal["distil", "autoencode", "style"]
    steps: int = Field(gt=0)
    crop: Annotated[int, Field(ge=64, multiple_of=32)] = 160
    """Side of the square crops, in pixels."""
    batch: Annotated[int, Field(ge=1)] = 4
    """Photos (and as many paintings) that one process takes at once."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Batches whose gradients are averaged before the optimiser steps."""
    variants: Annotated[int, Field(ge=0)] = 0
    """Crops that a picture is seen in, drawn once; what the loss network says of them is computed once and kept in memory
    (with crop 128 and local_layers [4] 0.25 MB a crop of a photo). 0: a new crop every time."""
    content_zoom: tuple[float, float] = (1.0, 1.5)
    """Short side of a content photo before its crop is cut, as multiples of the crop (never enlarged beyond the file)."""
    style_zoom: tuple[float, float] = (1.0, 2.0)
    """The same for paintings: larger shows the network coarser strokes."""
    content_colour: Colour = Colour()
    """Random changes of the photos' colours."""
    style_colour: Colour = Colour()
    """Random changes of the paintings' colours."""
    optimiser: Literal["adam", "muon"] = "adam"
    """Muon (see muon.py) gets a little further in as many steps, at Adam's learning rate or half of it."""
    lr: Annotated[float, Field(gt=0)] = 4e-4
    warmup: Annotated[int, Field(ge=0)] = 100
    """Steps of linear warm-up; a cosine falls from there to `lr_end` times lr."""
    lr_end: Annotated[float, Field(ge=0, le=1)] = 0.02
    rates: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Parts of the network, by the beginning of their parameters' names, and their learning rates as multiples of lr; 0
    leaves a part as it is."""
    clip: Annotated[float, Field(gt=0)] = 200.0
    """Gradient norm above which the gradient is scaled down: at the start it is 500 to 5000."""
    weights: LossWeights = LossWeights()
    style_layers: tuple[float, ...] = (0.5, 1.0, 1.0, 1.0)
    """Weight of relu1_1, relu2_1, ... in Lg; its length decides how deep the loss network runs."""
    delta: Annotated[float, Field(gt=0)] | None = None
    """Error of a moment (Lg) or feature (Ll) beyond which its loss grows linearly and not with its square; none: the paper's
    squares everywhere."""
    local_layers: tuple[int, ...] = (3, 4)
    """x of relu x_1 in Ll."""
    similarity_layers: tuple[int, ...] = (2, 3, 4)
    """x of relu x_1 in Lis."""
    local_attention: Literal["cosine", "softmax", "uniform"] = "cosine"
    """Attention of the target of Ll; "uniform", equal weights, is AdaIN's target, and the one that `variants` allows."""
    jpeg: tuple[Annotated[int, Field(ge=1, le=100)], Annotated[int, Field(ge=1, le=100)]] | None = None
    """Least and greatest quality of the JPEG file that the moved picture of Lt goes through, so that a codec's blocks are no
    texture to the network; none: it stays as it is."""
    every_t: Annotated[int, Field(ge=1)] = 2
    """Lt is computed every so many steps, and weighted up by as much."""
    every_v: Annotated[int, Field(ge=1)] = 2
    """One in so many pairs of neighbours in the batch is two frames of a clip, in one style, instead of two photos."""
    every_r: Annotated[int, Field(ge=1)] = 4
    every_i: Annotated[int, Field(ge=1)] = 2

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up, then a cosine from lr to lr * lr_end at the stage's last step."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * (self.lr_end + (1 - self.lr_end) * 0.5 * (1 + math.cos(math.pi * share)))

    @model_validator(mode="after")
    def _pairs_need_two(self) -> Stage:
        if self.weights.v and self.batch < 2:
            raise ValueError("clips are trained on in pairs of neighbours: weight v needs a batch of at least 2")
        return self

    @model_validator(mode="after")
    def _least_comes_first(self) -> Stage:
        if self.jpeg and self.jpeg[0] > self.jpeg[1]:
            raise ValueError(f"jpeg = {list(self.jpeg)}: the least quality comes first")
        return self

    @model_validator(mode="after")
    def _kept_features_are_few(self) -> Stage:
        if self.variants and self.weights.l and self.local_attention != "uniform":
            raise ValueError("variants keep a style's moments, not its points: they need local_attention = 'uniform'")
        return self


class Recipe(Part):
    """A whole training."""

    architecture: str = "compact"
    config: dict[str, Any] = {}
    """Overrides of the architecture's defaults."""
    seed: int = 0
    ema: Annotated[float, Field(gt=0, lt=1)] = 0.999
    precision: Literal["fp32", "bf16", "fp16"] = "bf16"
    log_every: Annotated[int, Field(ge=1)] = 50
    save_every: Annotated[int, Field(ge=1)] = 500
    """Steps between checkpoints; a preview grid is drawn with each."""
    validation: Scoring = Scoring()
    stage: tuple[Stage, ...]
    """In the order in which they run. In a file, `[shared.KIND]` holds keys that every stage of a kind has unless it says
    otherwise; they are part of the stages once it is read."""

    @model_validator(mode="before")
    @classmethod
    def _stages_take_what_their_kind_shares(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "shared" not in values:
            return values
        shared, stages = values["shared"], values.get("stage")
        rest = {k: v for k, v in values.items() if k != "shared"}
        if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
            return rest  # whose fault is named as any recipe's
        kinds = {stage.get("kind") for stage in stages}
        if not isinstance(shared, dict) or any(k not in kinds or not isinstance(v, dict) for k, v in shared.items()):
            raise ValueError("shared holds tables of keys, [shared.KIND], for kinds of stages that the recipe has")
        return rest | {"stage": [shared.get(stage.get("kind"), {}) | stage for stage in stages]}

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(s.steps for s in self.stage)

    @property
    def uses_clips(self) -> bool:
        """Whether a stage asks for real clips."""
        return any(s.kind == "style" and s.weights.v for s in self.stage)

    def locate(self, step: int) -> tuple[int, int]:
        """(stage index, step within it) of a step counted over the whole recipe; the end is (len(stage), 0)."""
        for i, stage in enumerate(self.stage):
            if step < stage.steps:
                return i, step
            step -= stage.steps
        return len(self.stage), 0


def load_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises InputError (unreadable) or UsageError (wrong keys or values, each named)."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot read the recipe ({error}).") from error
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{path}: {faults}.") from error
