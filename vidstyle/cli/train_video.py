"""`vidstyle train-video`: train a model from a recipe."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Annotated

import typer


def command(
    recipe: Annotated[Path, typer.Option(help="Training recipe (TOML), e.g. pipelines/compact.toml.")],
    content: Annotated[Path, typer.Option(help="Folder of photos.")],
    style: Annotated[Path, typer.Option(help="Folder of paintings.")],
    out: Annotated[Path, typer.Option(help="Folder of the run: state, models, log, previews.")],
    video: Annotated[
        list[Path] | None, typer.Option(help="Folder of clips, for recipes with a weight v; may be given again.")
    ] = None,
    validation_video: Annotated[
        list[Path] | None, typer.Option(help="Folder of clips that are only validated on; may be given again.")
    ] = None,
    vgg: Annotated[
        Path | None, typer.Option(help="VGG-16 or VGG-19 weights (default: torchvision's VGG-19 from its cache).")
    ] = None,
    download_vgg: Annotated[
        bool, typer.Option("--download-vgg", help="Fetch torchvision's VGG-19 (548 MB) where it is not in the cache.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from OUT's state, or start a new schedule from OUT's model alone.")
    ] = False,
    weights: Annotated[Path | None, typer.Option(help="Start a new schedule from this model file.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop at this step of the recipe.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads (default: torch's own choice).")] = None,
) -> None:
    """Train a model. A line every few steps, a preview grid and a checkpoint every few hundred; Ctrl-C saves and stops.

    Several processes: torchrun --nproc-per-node 2 -m vidstyle train-video ...
    """
    # Read when torch's OpenMP is loaded: threads that spin while they wait take the cores from whatever else runs here, and
    # each loop then waits for a thread that has lost its core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from vidstyle.training.data.clips import load_clips
    from vidstyle.training.data.images import load_folder
    from vidstyle.training.objective.loss_network import load_loss_network
    from vidstyle.training.recipe_file import load_recipe
    from vidstyle.training.trainer import Limits, Training

    first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started

    def say(line: str) -> None:
        if first:
            typer.echo(line, err=True)

    def unless_disk(args: threading.ExceptHookArgs) -> None:
        """The charts' writer fails in a thread of its own; the training meets its error at the next line and tells it."""
        if not issubclass(args.exc_type, OSError):
            threading.__excepthook__(args)

    threading.excepthook = unless_disk
    if threads:
        torch.set_num_threads(threads)
    plan = load_recipe(recipe)
    photos, paintings = load_folder(content), load_folder(style)
    network = load_loss_network(vgg, photos.images, download=download_vgg)
    for folder in (photos, paintings):
        say(f"{folder.path}: {len(folder.images)} pictures, {folder.broken} unreadable or too small")
    clips, unseen = (load_clips(paths) if paths else None for paths in (video, validation_video))
    for films in (clips, unseen):
        if films:
            say(
                f"{', '.join(map(str, films.paths))}: {len(films.clips)} clips with {films.pairs} pairs of frames, "
                f"{films.broken} unreadable, {films.unusable} too small or still"
            )
    training = Training(
        plan, photos, paintings, network, out, clips=clips, unseen_clips=unseen, resume=resume, weights=weights, say=say
    )
    say(f"step {training.step} of {plan.steps}")
    training.run(Limits(max_steps, minutes))
    say(f"stopped at step {training.step}: {out / 'model.safetensors'}")
