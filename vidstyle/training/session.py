"""What a training is made of, from a pack or from folders, and the training itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidstyle.core.errors import UsageError
from vidstyle.models.vgg import VGG
from vidstyle.training.compilation import Hardware
from vidstyle.training.data.pack import read_pack
from vidstyle.training.data.source import TrainingData
from vidstyle.training.distributed import Processes
from vidstyle.training.recipe import Recipe
from vidstyle.training.recipe_file import load_recipe
from vidstyle.training.throughput import matrix_peak
from vidstyle.training.trainer import Limits, Training


@dataclass(frozen=True)
class Session:
    """Everything but where to begin and when to stop."""

    recipe: Recipe
    data: TrainingData
    vgg: VGG
    peak: float | None = None
    """Of the device's matrix products, where it was measured."""

    def train(
        self,
        out: Path,
        limits: Limits,
        say: Callable[[str], None],
        *,
        resume: bool = False,
        weights: Path | None = None,
        compiled: bool = False,
    ) -> int:
        """Train; arguments and errors as in `Training`. Returns the step reached."""
        training = Training(
            *(self.recipe, self.data, self.vgg, out),
            resume=resume,
            weights=weights,
            hardware=Hardware(self.peak, compiled),
            say=say,
        )
        say(f"step {training.step} of {self.recipe.steps}")
        step = training.run(limits)
        say(f"stopped at step {step}: {out / 'model.safetensors'}")
        return step


def session_from_pack(paths: Sequence[Path], recipe: Path | None, say: Callable[[str], None]) -> Session:
    """What a training from a pack is made of. Nothing here needs av, decord, kornia, OpenCV, pydantic or torchvision."""
    settled = load_recipe(recipe) if recipe else None
    data = read_pack(paths)
    plan = settled or data.recipe
    if plan is None:
        raise UsageError("the pack has no recipe: name one with --recipe, or pack one with `vidstyle pack --recipe`.")
    say(
        f"{len(data.content.images)} photos, {len(data.style.images)} paintings, {len(data.pairs)} pairs of frames "
        f"of {len(data.clips)} clips"
    )
    device = Processes().device
    peak = matrix_peak(device)
    say(f"{device}: {peak / 1e12:.3g} TFLOP per second of bf16 matrix products")
    return Session(plan, data, data.loss_network(), peak)


def session_from_folders(
    recipe: Path | None,
    folders: tuple[Path | None, Path | None],
    videos: tuple[list[Path] | None, list[Path] | None],
    vgg: tuple[Path | None, bool],
    say: Callable[[str], None],
) -> Session:
    """What a training from folders is made of.

    Args:
        folders: of photos and paintings.
        videos: folders of clips to train with and to validate on.
        vgg: the loss network's file, and whether one may be downloaded.
    """
    from vidstyle.training.data.batches import Folders
    from vidstyle.training.data.clips import load_clips
    from vidstyle.training.data.folders import load_folder
    from vidstyle.training.objective.loss_network import load_loss_network

    if recipe is None or folders[0] is None or folders[1] is None:
        raise UsageError("give --recipe, --content and --style, or a --pack.")
    plan = load_recipe(recipe)
    photos, paintings = load_folder(folders[0]), load_folder(folders[1])
    network = load_loss_network(vgg[0], photos.images, download=vgg[1])
    for folder in (photos, paintings):
        say(f"{folder.path}: {len(folder.images)} pictures, {folder.broken} unreadable or too small")
    clips, unseen = (load_clips(paths) if paths else None for paths in videos)
    for each in (clips, unseen):
        if each:
            say(
                f"{', '.join(map(str, each.paths))}: {len(each.clips)} clips with {each.pairs} pairs of frames, "
                f"{each.broken} unreadable, {each.unusable} too small or still"
            )
    return Session(plan, Folders(photos, paintings, clips, unseen), network)
