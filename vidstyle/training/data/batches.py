"""What a training is fed with: the folders, what of them is set aside, and the batch of a step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from vidstyle.core.errors import UsageError
from vidstyle.training.data.clips import ClipFolder, put_pairs
from vidstyle.training.data.color_jitter import recolour
from vidstyle.training.data.crop_boxes import draw_crops
from vidstyle.training.data.folders import cut
from vidstyle.training.data.images import ImageBatch, ImageFolder, batch, set_aside
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.objective.batch import Batch
from vidstyle.training.recipe import Colour, Recipe, Stage

_PLAIN = Colour()


@dataclass(frozen=True)
class Folders:
    """Data of a training."""

    content: ImageFolder
    style: ImageFolder
    clips: ClipFolder | None = None
    """For stages whose weight `clips` is not 0."""
    unseen_clips: ClipFolder | None = None
    """For validation only."""

    def about(self) -> dict[str, Any]:
        """Sizes and digests, for the metadata of checkpoints."""
        about: dict[str, Any] = {
            name: {"pictures": len(folder.images), "sha256": folder.digest}
            for name, folder in (("content", self.content), ("style", self.style))
        }
        for name, clips in (("video", self.clips), ("validation_video", self.unseen_clips)):
            if clips:
                about[name] = {"clips": len(clips.clips), "pairs": clips.pairs, "sha256": clips.digest}
        return about

    def batches(self, recipe: Recipe, device: torch.device, process: tuple[int, int] = (0, 1)) -> FolderBatches:
        """What a training takes its batches from; arguments as in `FolderBatches`."""
        return FolderBatches(self, recipe, device, process)

    def check(self, recipe: Recipe) -> None:
        """Raise UsageError where clips are asked for and missing, or given and unused, or pictures are to be turned."""
        if any(stage.content_rotation or stage.style_rotation for stage in recipe.stage):
            raise UsageError(
                "the recipe turns pictures (content_rotation, style_rotation): train from a pack (--pack)."
            )
        if recipe.uses_clips and self.clips is None:
            raise UsageError(
                "the recipe's weight `clips` asks for real clips: name a folder with --video or set clips = 0."
            )
        if self.clips is not None and not recipe.uses_clips:
            raise UsageError(
                "--video is given but no stage of the recipe uses clips: set weights.clips or leave out --video."
            )


class FolderBatches:
    """Batches as a function of the step, cut from folders by the processor.

    Args:
        folders: pictures that validation needs are taken out of them.
        recipe: of the run.
        device: where the batches are wanted.
        process: number of this process, and how many there are.

    Attributes:
        validates: whether there are pictures to validate on. Of fewer than four photos or paintings none can be spared.
    """

    def __init__(
        self, folders: Folders, recipe: Recipe, device: torch.device, process: tuple[int, int] = (0, 1)
    ) -> None:
        folders.check(recipe)
        self._recipe, self._device, (self._rank, self._processes) = recipe, device, process
        self.content, self.style, self.unseen_content, self.unseen_style = set_aside(
            folders.content, folders.style, recipe.validation.held_out
        )
        self.validates = bool(self.unseen_content)
        self._folders = replace(folders, content=self.content, style=self.style)
        self.unseen_clips = folders.unseen_clips

    def about(self) -> dict[str, Any]:
        """Sizes and digests, for the metadata of checkpoints."""
        return self._folders.about()

    def batch(self, index: int, step: int, part: int) -> Batch:
        """This process's batch.

        Args:
            index: of the stage.
            step: within the stage.
            part: number of the batch among those that are accumulated.
        """
        stage = self._recipe.stage[index]
        first = (part * self._processes + self._rank) * stage.batch
        draw = StepRandomness(self._recipe.seed, index, step, first)
        photos, paintings = draw_pictures(stage, self._folders, draw)
        motion = None
        if self._folders.clips and stage.kind == "style" and stage.weights.clips:
            photos, paintings, motion = put_pairs(
                photos, paintings, self._folders.clips, stage.every_clips, stage.content_zoom, draw
            )
        content, style = (x.pixels.to(self._device, memory_format=torch.channels_last) for x in (photos, paintings))
        return Batch(content, style, draw, motion and motion.to(self._device), (*photos.names, *paintings.names))


def draw_pictures(stage: Stage, folders: Folders, draw: StepRandomness) -> tuple[ImageBatch, ImageBatch]:
    """Photos and paintings of a batch."""
    content = _draw_some(folders.content, stage, draw, Purpose.CONTENT, stage.content_zoom)
    style = _draw_some(folders.style, stage, draw, Purpose.STYLE, stage.style_zoom)
    return (
        _recoloured(content, stage, draw, Purpose.CONTENT_COLOUR, stage.content_colour),
        _recoloured(style, stage, draw, Purpose.STYLE_COLOUR, stage.style_colour),
    )


def _draw_some(
    folder: ImageFolder, stage: Stage, draw: StepRandomness, what: Purpose, zoom: tuple[float, float]
) -> ImageBatch:
    """A random crop of a random picture for each place of the batch; with `variants`, one of the picture's fixed crops."""
    crops = draw_crops([image.shape for image in folder.images], stage, draw, what, zoom)
    pixels = batch([cut(folder.images[box.image], box, stage.crop) for box in crops.boxes])
    return ImageBatch(pixels, crops.names)


def _recoloured(pictures: ImageBatch, stage: Stage, draw: StepRandomness, what: Purpose, colour: Colour) -> ImageBatch:
    """The same pictures in other colours; a fixed crop always in the same ones."""
    if colour == _PLAIN:
        return pictures
    rngs = draw.rngs(what, stage.batch)
    if stage.variants:
        rngs = [replace(name, what=what).rng(draw.seed) for name in pictures.names if name]
    return replace(pictures, pixels=recolour(pictures.pixels, colour, rngs))
