"""Where crops lie: drawn by a rule of chance alone, before any pixel is touched, so that every loader cuts the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidstyle.training.data.images import Name
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.recipe import Stage


@dataclass(frozen=True)
class CropBox:
    """A square cut out of a resized image."""

    image: int
    """Number of the image in its folder."""
    size: tuple[int, int]
    """(height, width) that the image is resized to, pixels."""
    corner: tuple[int, int]
    """(top, left) of the square in the resized image, pixels."""
    flip: bool = False
    """Mirrored left to right after it is cut."""
    angle: float = 0.0
    """Turned about its centre, radians; what lies outside the image is its reflection."""


@dataclass(frozen=True)
class Crops:
    """The crops of a batch."""

    boxes: tuple[CropBox, ...]
    names: tuple[Name | None, ...]
    """Of fixed crops; None for what is seen only once."""


def _short_side_size(shape: Sequence[int], short: int) -> tuple[int, int]:
    """(height, width) of an image of `shape` resized to a short side of `short` pixels, as `resize_short` has it."""
    height, width = shape[:2]
    scale = short / min(height, width)
    return max(short, round(height * scale)), max(short, round(width * scale))


def draw_crop_box(
    image: int, shape: Sequence[int], side: int, zoom: tuple[float, float], rng: np.random.Generator
) -> CropBox:
    """A random square of `side` pixels, maybe flipped.

    Args:
        image: number of the image.
        shape: its height and width.
        side: of the square.
        zoom: the short side is first drawn from these multiples of `side`, at most the image's own short side.
        rng: four numbers are taken from it.
    """
    native = max(side, min(shape[:2]))
    low, high = (min(native, max(side, round(z * side))) for z in zoom)
    height, width = _short_side_size(shape, int(rng.integers(low, high + 1)))
    corner = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    return CropBox(image, (height, width), corner, bool(rng.random() < 0.5))


def draw_crops(
    shapes: Sequence[Sequence[int]], stage: Stage, draw: StepRandomness, what: Purpose, zoom: tuple[float, float]
) -> Crops:
    """A random crop of a random image for each place of the batch; with `variants`, one of the image's fixed crops.

    Args:
        shapes: height and width of every image of the folder.
        stage: says how many, how large, and whether they are fixed.
        draw: the batch's chances.
        what: which of them.
        zoom: see `draw_crop_box`.
    """
    rngs, names = draw.rngs(what, stage.batch), []
    picks = [int(r.integers(len(shapes))) for r in rngs]
    if stage.variants:
        names = [Name(what, pick, int(r.integers(stage.variants))) for pick, r in zip(picks, rngs, strict=True)]
        rngs = [name.rng(draw.seed) for name in names]
    boxes = [draw_crop_box(pick, shapes[pick], stage.crop, zoom, r) for pick, r in zip(picks, rngs, strict=True)]
    return Crops(tuple(boxes), tuple(names or [None] * stage.batch))
