"""A recipe: everything that a training run depends on, as data.

Plain dataclasses, so that a settled recipe needs no package to be read back. Files are read, and every value is checked, in
`recipe_file`, where pydantic reads the limits that the annotations hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, cast

if TYPE_CHECKING or find_spec("pydantic"):
    from pydantic import Field


class _Table:
    """A table of a recipe's file."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    """A misspelt key must not be a silent default."""


_T = TypeVar("_T", bound=_Table)


@dataclass(frozen=True)
class LossWeights(_Table):
    """Weights of the losses of docs/training.md; 0 switches a term off, and its computation with it."""

    global_style: Annotated[float, Field(ge=0)] = 10.0
    """Lg, global style statistics."""
    local: Annotated[float, Field(ge=0)] = 3.0
    """Ll, local feature loss against parameter-free attention."""
    similarity: Annotated[float, Field(ge=0)] = 3.0
    """Lis, cross-image similarity."""
    temporal: Annotated[float, Field(ge=0)] = 300.0
    """Lt, equivariance to motion."""
    clips: Annotated[float, Field(ge=0)] = 0.0
    """Lt on real clips: consecutive frames and the motion between them. Needs --video."""
    identity: Annotated[float, Field(ge=0)] = 2.0
    """Lr, identity."""
    range: Annotated[float, Field(ge=0)] = 10.0
    """Penalty on values outside [0, 1]."""
    gram: Annotated[float, Field(ge=0)] = 0.0
    """Gram matrices of the style's features, relative errors. Not with `variants`."""
    shift: Annotated[float, Field(ge=0)] = 0.0
    """Ls, equivariance to moves by whole pixels."""
    noise: Annotated[float, Field(ge=0)] = 0.0
    """Ln, a little grain moves nothing."""
    teacher: Annotated[float, Field(ge=0)] = 0.0
    """La, distance from what the network painted when the stage began, averaged over positions of the pixel grid."""
    sharpness: Annotated[float, Field(ge=0)] = 0.0
    """Lb, guard against blur: bands keep the energy that they had when the stage began."""


@dataclass(frozen=True)
class Colour(_Table):
    """Random changes of colour, drawn anew for every picture; 0 leaves it as it is."""

    brightness: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """All values are multiplied by 1 - b to 1 + b."""
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Distances from the mean grey likewise."""
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Distances from each pixel's grey likewise."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Hues are turned by -h to +h of the full circle."""


@dataclass(frozen=True)
class Scoring(_Table):
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

    @property
    def held_out(self) -> int:
        """Photos, and as many paintings, that are set aside."""
        return self.pictures if self.every else 0


@dataclass(frozen=True)
class FrozenTeacher(_Table):
    """Of La and Lb: a copy of the network, frozen when the stage begins."""

    positions: Annotated[int, Field(ge=1)] = 4
    """How many positions a step's mean is of, drawn anew in every step."""
    reach: Annotated[int, Field(ge=1, le=8)] = 4
    """Positions lie on a grid of reach x reach pixels: what the coarsest layer subsamples whose detail is to be averaged."""
    config: dict[str, Any] = field(default_factory=dict)
    """What of the recipe's `config` is otherwise in the copy (another upsampling, which has the same weights)."""


@dataclass(frozen=True)
class Stage(_Table):
    """One schedule: what is learned, on what crops, for how long."""

    kind: Literal["distil", "autoencode", "style"]
    steps: Annotated[int, Field(gt=0)]
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
    content_rotation: Annotated[float, Field(ge=0, le=45)] = 0.0
    """Photos are turned by at most so many degrees to either side; from a pack only."""
    style_rotation: Annotated[float, Field(ge=0, le=180)] = 0.0
    """The same for paintings."""
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
    rates: dict[str, Annotated[float, Field(ge=0)]] = field(default_factory=dict)
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
    most_shift: Annotated[int, Field(ge=1, le=8)] = 7
    """Pixels by which Ls moves a frame at most, along and down."""
    grain: Annotated[float, Field(ge=0, le=0.2)] = 0.03
    """Deviation of the noise of Ln at most; it is drawn for each picture."""
    teacher: FrozenTeacher = FrozenTeacher()
    every_temporal: Annotated[int, Field(ge=1)] = 2
    """Lt is computed every so many steps, and weighted up by as much."""
    every_clips: Annotated[int, Field(ge=1)] = 2
    """One in so many pairs of neighbours in the batch is two frames of a clip, in one style, instead of two photos."""
    every_identity: Annotated[int, Field(ge=1)] = 4
    every_similarity: Annotated[int, Field(ge=1)] = 2
    every_shift: Annotated[int, Field(ge=1)] = 1
    every_noise: Annotated[int, Field(ge=1)] = 2

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up, then a cosine from lr to lr * lr_end at the stage's last step."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        return self.rate_at((step - self.warmup) / max(1, self.steps - self.warmup), 0.0, self.lr_end)

    def rate_at(self, share: float, warm_up: float, falls_to: float) -> float:
        """Learning rate when a share of the stage is done: linear up to lr in the share `warm_up`, then a cosine down to
        lr * falls_to."""
        if share < warm_up:
            return self.lr * share / warm_up
        share = (share - warm_up) / (1 - warm_up)
        return self.lr * (falls_to + (1 - falls_to) * 0.5 * (1 + math.cos(math.pi * share)))

    def __post_init__(self) -> None:
        """Raise ValueError for keys that do not go together."""
        if self.weights.clips and self.batch < 2:
            raise ValueError("clips are trained on in pairs of neighbours: weight `clips` needs a batch of at least 2")
        if self.jpeg and self.jpeg[0] > self.jpeg[1]:
            raise ValueError(f"jpeg = {list(self.jpeg)}: the least quality comes first")
        if self.variants and self.weights.local and self.local_attention != "uniform":
            raise ValueError("variants keep a style's moments, not its points: they need local_attention = 'uniform'")
        if self.variants and self.weights.gram:
            raise ValueError("variants keep a style's moments, not its Gram matrices: weight `gram` needs variants = 0")


@dataclass(frozen=True, kw_only=True)
class Recipe(_Table):
    """A whole training."""

    architecture: str = "compact"
    config: dict[str, Any] = field(default_factory=dict)
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

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(s.steps for s in self.stage)

    @property
    def uses_clips(self) -> bool:
        """Whether a stage asks for real clips."""
        return any(s.kind == "style" and s.weights.clips for s in self.stage)

    def locate(self, step: int) -> tuple[int, int]:
        """(stage index, step within it) of a step counted over the whole recipe; the end is (len(stage), 0)."""
        for i, stage in enumerate(self.stage):
            if step < stage.steps:
                return i, step
            step -= stage.steps
        return len(self.stage), 0


_FULL_NAMES = {
    **{"g": "global_style", "l": "local", "i": "similarity", "t": "temporal", "v": "clips", "r": "identity"},
    **{
        "every_i": "every_similarity",
        "every_t": "every_temporal",
        "every_v": "every_clips",
        "every_r": "every_identity",
    },
}
"""What keys of weights and of stages were called in recipes of version 0.1."""


def with_full_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's plain values, or a table of them, with the names that keys have now."""
    read: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and key != "config":
            value = with_full_names(value)
        elif isinstance(value, list | tuple):
            value = type(value)(with_full_names(x) if isinstance(x, Mapping) else x for x in value)
        full = _FULL_NAMES.get(key, key)
        read[key if full in values else full] = value
    return read


def as_json(recipe: Recipe) -> dict[str, Any]:
    """A settled recipe as JSON values, every default written out; `from_json` reads it back."""
    values: dict[str, Any] = asdict(recipe)
    return values


def from_json(values: Mapping[str, Any]) -> Recipe:
    """The recipe of `as_json`. Values are not checked again; TypeError where a key is unknown."""
    values = with_full_names(values)
    stages = tuple(_table(Stage, stage) for stage in values["stage"])
    return _table(Recipe, {**values, "stage": stages})


def _table(kind: type[_T], values: Mapping[str, Any]) -> _T:
    """A table of plain values; tables in it are known by their defaults, lists become tuples."""
    defaults = {f.name: f.default for f in fields(cast(Any, kind)) if is_dataclass(f.default)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name in defaults:
            read[name] = _table(type(cast(_Table, defaults[name])), value)
        else:
            read[name] = tuple(value) if isinstance(value, list) else value
    return kind(**read)
