"""`vidstyle train-video`: train a model from a recipe."""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path
from typing import Annotated

import typer

_SAVE_MINUTES = 1.0
"""Between checkpoints of a training from a pack: a rented machine may be taken back at any time."""


def command(
    out: Annotated[Path, typer.Option(help="Folder of the run: state, models, log, previews.")],
    recipe: Annotated[
        Path | None, typer.Option(help="Training recipe (TOML), e.g. pipelines/compact.toml (default: the pack's own).")
    ] = None,
    content: Annotated[Path | None, typer.Option(help="Folder of photos.")] = None,
    style: Annotated[Path | None, typer.Option(help="Folder of paintings.")] = None,
    pack: Annotated[
        list[Path] | None,
        typer.Option(help="Pack (`vidstyle pack`) instead of folders and --vgg; each of its parts if it has several."),
    ] = None,
    video: Annotated[
        list[Path] | None, typer.Option(help="Folder of clips, for recipes with a weight clips; may be given again.")
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
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="Stop after so many minutes; with --pack the whole schedule is done in them."),
    ] = None,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Compile the networks (torch.compile; GPUs only, unmeasured so far).")
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads (default: torch's own choice).")] = None,
) -> None:
    """Train a model. A line every few steps, a preview grid and a checkpoint every few hundred; Ctrl-C saves and stops.

    Several processes: torchrun --nproc-per-node 2 -m vidstyle train-video ...
    """
    # Read when torch's OpenMP is loaded: threads that spin while they wait take the cores from whatever else runs here, and
    # each loop then waits for a thread that has lost its core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from vidstyle.core.errors import UsageError
    from vidstyle.training.session import session_from_folders, session_from_pack
    from vidstyle.training.trainer import Limits

    first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started

    def print_status(line: str) -> None:
        if first:
            typer.echo(line, err=True)

    def unless_disk(args: threading.ExceptHookArgs) -> None:
        """The charts' writer fails in a thread of its own; the training meets its error at the next line and tells it."""
        if not issubclass(args.exc_type, OSError):
            threading.__excepthook__(args)

    threading.excepthook = unless_disk
    if threads:
        torch.set_num_threads(threads)
    if pack and (content or style or video or validation_video or vgg):
        raise UsageError("--pack takes the place of --content, --style, --video, --validation-video and --vgg.")
    if pack:
        session = session_from_pack(pack, recipe, print_status)
    else:
        folders, videos = (content, style), (video, validation_video)
        session = session_from_folders(recipe, folders, videos, (vgg, download_vgg), print_status)
    timed = bool(pack) and minutes is not None
    limits = Limits(max_steps, minutes, timed, _SAVE_MINUTES if pack else math.inf)
    session.train(out, limits, print_status, resume=resume, weights=weights)
