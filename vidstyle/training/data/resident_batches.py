"""Batches that are cut, turned and coloured on the device, from a pack that lives there.

The host only draws numbers, by the rule that every loader follows, and uploads them in one piece; nothing waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.core.errors import UsageError
from vidstyle.training.data.color_jitter import factors, jitter, used
from vidstyle.training.data.crop_boxes import CropBox, Crops, draw_crop_box, draw_crops
from vidstyle.training.data.images import set_aside
from vidstyle.training.data.resident import COLUMNS, ResidentImages, SampleGrid, bilinear
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.data.transfer import upload
from vidstyle.training.objective.batch import Batch, ClipMotion
from vidstyle.training.recipe import Colour, Recipe, Stage

if TYPE_CHECKING:
    from vidstyle.training.data.pack import Pack

UNCHANGED = (1.0, 1.0, 1.0, 0.0)
"""Factors of `color_jitter` that leave colours as they are."""


@dataclass(frozen=True)
class ResidentPairs:
    """Motion between frames, on the device."""

    flows: ResidentImages
    """`FramePair.flow` of every pair."""
    masks: ResidentImages
    """`FramePair.visible`."""


class ResidentBatches:
    """Batches as a function of the step, cut on the device. With the same draws they show what `FolderBatches` shows, bit for
    bit where an image is not resized.

    Args:
        pack: pictures that validation needs are taken out of it.
        recipe: of the run. Its `variants` decide which crops are drawn; nothing is remembered of them.
        device: where the pictures live and the batches are made.
        process: number of this process, and how many there are.

    Raises:
        UsageError: the recipe asks for clips and the pack has none.
    """

    def __init__(self, pack: Pack, recipe: Recipe, device: torch.device, process: tuple[int, int] = (0, 1)) -> None:
        if recipe.uses_clips and not pack.pairs:
            raise UsageError("the recipe's weight clips asks for real clips: pack some with --video or set clips = 0.")
        self._pack, self._recipe, self._device, (self._rank, self._processes) = pack, recipe, device, process
        self.content, self.style, self.unseen_content, self.unseen_style = set_aside(
            pack.content, pack.style, recipe.validation.held_out
        )
        self.validates = bool(self.unseen_content)
        self.unseen_clips = None
        self._images = ResidentImages([*self.content.images, *self.style.images, *pack.frames], device)
        self._pairs = None
        if recipe.uses_clips:
            flows, masks = [p.flow for p in pack.pairs], [p.visible for p in pack.pairs]
            self._pairs = ResidentPairs(ResidentImages(flows, device), ResidentImages(masks, device))

    def about(self) -> dict[str, Any]:
        """Digests and sizes, for the metadata of checkpoints."""
        packed = self._pack.about
        about: dict[str, Any] = {
            name: {"pictures": len(folder.images), "sha256": folder.digest}
            for name, folder in (("content", self.content), ("style", self.style))
        }
        if self._pairs:
            about["video"] = {**packed["video"], "pairs": len(self._pack.pairs)}
        pictures = len(self._images.shapes)
        return about | {"pack": {"pictures": pictures, "sha256": packed["sha256"], "credits": packed["credits"]}}

    def batch(self, index: int, step: int, part: int) -> Batch:
        """This process's batch; arguments as in `data.source.BatchSource`."""
        stage = self._recipe.stage[index]
        first = (part * self._processes + self._rank) * stage.batch
        draw = StepRandomness(self._recipe.seed, index, step, first)
        photos, paintings = self._boxes(stage, draw)
        colours = _colours(stage, draw, photos, paintings)
        boxes = [*photos.boxes, *paintings.boxes]
        turns = self._turns(stage, draw)
        pairs = [self._put_pair(boxes, colours, stage, draw, m) for m in turns]
        rows = np.concatenate([self._images.rows(boxes), colours], 1)
        later = np.array([[2 * m + 1, pair] for m, pair in zip(turns, pairs, strict=True)]).reshape(-1, 2)
        numbers = upload(np.concatenate([rows.ravel(), later.ravel()]), self._device)
        split = rows.size
        table = numbers[:split].view(rows.shape)
        grid = SampleGrid(table[:, :COLUMNS], stage.crop, bool(rows[:, COLUMNS - 1].any()))
        pixels, by = grid.sample(self._images), table[:, COLUMNS:]
        n = stage.batch
        content = jitter(pixels[:n], by[:n], used([stage.content_colour]))
        style = jitter(pixels[n:], by[n:], used([stage.style_colour]))
        content, style = (x.contiguous(memory_format=torch.channels_last) for x in (content, style))
        motion = self._motion(grid, numbers[split:].view(-1, 2).long()) if turns else None
        return Batch(content, style, draw, motion)

    def _boxes(self, stage: Stage, draw: StepRandomness) -> tuple[Crops, Crops]:
        """Crops of photos and paintings, their images numbered as they are in the buffer."""
        photos = draw_crops([x.shape for x in self.content.images], stage, draw, Purpose.CONTENT, stage.content_zoom)
        paintings = draw_crops([x.shape for x in self.style.images], stage, draw, Purpose.STYLE, stage.style_zoom)
        photos = _turned(photos, stage.content_rotation, draw.rngs(Purpose.CONTENT_ROTATION, stage.batch))
        paintings = _turned(paintings, stage.style_rotation, draw.rngs(Purpose.STYLE_ROTATION, stage.batch))
        n = len(self.content.images)
        return photos, replace(paintings, boxes=tuple(replace(b, image=b.image + n) for b in paintings.boxes))

    def _turns(self, stage: Stage, draw: StepRandomness) -> list[int]:
        """Pairs of neighbours in the batch that are two frames of a clip, by turns (`clips.put_pairs`)."""
        if self._pairs is None or stage.kind != "style" or not stage.weights.clips:
            return []
        before = draw.first // 2
        return [m for m in range(stage.batch // 2) if (draw.step + before + m) % stage.every_clips == 0]

    def _put_pair(
        self, boxes: list[CropBox], colours: NDArray[np.float64], stage: Stage, draw: StepRandomness, m: int
    ) -> int:
        """Two frames of a clip in place of photos 2m and 2m + 1, in one style, with their own colours; the pair's number."""
        rng = draw.rng(Purpose.CLIP, draw.first // 2 + m)
        clip = self._pack.clips[rng.integers(len(self._pack.clips))]
        number = clip[int(rng.integers(len(clip)))]
        pair, n = self._pack.pairs[number], len(self.content.images) + len(self.style.images)
        box = draw_crop_box(n + pair.first, self._pack.frames[pair.first].shape, stage.crop, stage.content_zoom, rng)
        boxes[2 * m], boxes[2 * m + 1] = box, replace(box, image=n + pair.second)
        colours[2 * m : 2 * m + 2] = UNCHANGED
        style = stage.batch + 2 * m
        boxes[style + 1], colours[style + 1] = boxes[style], colours[style]
        return number

    def _motion(self, grid: SampleGrid, later: Tensor) -> ClipMotion:
        """The motion of the crops that are later frames.

        Args:
            later: (M, 2) int64: number of the crop in the batch, and of its pair.
        """
        assert self._pairs is not None
        crops, pairs = later.unbind(1)
        side, here = grid.side, grid.part(crops)
        y, x = here.places()
        flows, masks = self._pairs.flows.table[pairs], self._pairs.masks.table[pairs]
        small_y, small_x = (  # the same places in motion that is stored smaller
            (place + 0.5) * (flows[:, i] / masks[:, i])[:, None, None] - 0.5 for i, place in ((1, y), (2, x))
        )
        away_y, away_x = bilinear(self._pairs.flows.pixels, flows, small_y, small_x).unbind(-1)
        down, right = here.crop_motion(away_y, away_x)
        at = torch.arange(side, device=self._device, dtype=torch.float32)
        there = torch.stack([2 * (at[None, :] + right) + 1, 2 * (at[:, None] + down) + 1], -1) / side - 1
        seen = bilinear(self._pairs.masks.pixels, masks, y, x)[..., 0] > 254
        visible = seen & (there.abs() <= 1).all(-1)
        return ClipMotion(crops // 2, there, visible[:, None].float())


def _turned(crops: Crops, most: float, rngs: Sequence[np.random.Generator]) -> Crops:
    """The same crops, turned by at most so many degrees."""
    if not most:
        return crops
    angles = [math.radians(most) * rng.uniform(-1, 1) for rng in rngs]
    return replace(crops, boxes=tuple(replace(b, angle=a) for b, a in zip(crops.boxes, angles, strict=True)))


def _colours(stage: Stage, draw: StepRandomness, photos: Crops, paintings: Crops) -> NDArray[np.float64]:
    """(2B, 4) factors of `color_jitter`: photos, then paintings; a fixed crop has always the same ones."""
    rows = []
    for crops, what, colour in (
        (photos, Purpose.CONTENT_COLOUR, stage.content_colour),
        (paintings, Purpose.STYLE_COLOUR, stage.style_colour),
    ):
        rngs = draw.rngs(what, stage.batch)
        if stage.variants:
            rngs = [replace(name, what=what).rng(draw.seed) for name in crops.names if name]
        plain = colour == Colour()
        rows.append(np.tile(UNCHANGED, (stage.batch, 1)) if plain else factors([colour] * stage.batch, rngs))
    return np.concatenate(rows)
