"""`vidstyle train-video`: train a model from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    recipe: Annotated[Path, typer.Option(help="Training recipe (TOML), e.g. pipelines/compact.toml.")],
    content: Annotated[Path, typer.Option(help="Folder of photos.")],
    style: Annotated[Path, typer.Option(help="Folder of paintings.")],
    vgg: Annotated[Path, typer.Option(help="Normalised VGG-16 or VGG-19, safetensors.")],
    out: Annotated[Path, typer.Option(help="Folder of the run: state, model, log, previews.")],
    video: Annotated[
        list[Path] | None, typer.Option(help="Folder of clips, for recipes with a weight v; may be given again.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from OUT's state, or start a new schedule from OUT's model alone.")
    ] = False,
    weights: Annotated[Path | None, typer.Option(help="Start a new schedule from this model file.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop at this step of the recipe.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads (default: torch's own choice).")] = None,
) -> None:
    """Train a model. A line every few steps, a preview grid and a checkpoint every few hundred; Ctrl-C saves and stops."""
    import torch

    from vidstyle.models.vgg import load_vgg
    from vidstyle.training.clips import load_clips
    from vidstyle.training.data import load_folder
    from vidstyle.training.loop import Limits, Training
    from vidstyle.training.recipe import load_recipe

    if threads:
        torch.set_num_threads(threads)
    plan = load_recipe(recipe)
    network = load_vgg(vgg)
    photos, paintings = load_folder(content), load_folder(style)

    def say(line: str) -> None:
        typer.echo(line, err=True)

    for folder in (photos, paintings):
        say(f"{folder.path}: {len(folder.images)} pictures, {folder.broken} unreadable or too small")
    clips = load_clips(video) if video else None
    if clips:
        say(
            f"{', '.join(map(str, clips.paths))}: {len(clips.clips)} clips with {clips.pairs} pairs of frames, "
            f"{clips.broken} unreadable, {clips.unusable} too small or still"
        )
    training = Training(plan, photos, paintings, network, out, clips=clips, resume=resume, weights=weights, say=say)
    say(f"step {training.step} of {plan.steps}")
    training.run(Limits(max_steps, minutes))
    say(f"stopped at step {training.step}: {out / 'model.safetensors'}")
