"""`vidstyle pack`: everything that a training needs, in files that can be carried."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    content: Annotated[Path, typer.Option(help="Folder of photos.")],
    style: Annotated[Path, typer.Option(help="Folder of paintings.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The pack (.safetensors).")],
    video: Annotated[
        list[Path] | None, typer.Option(help="Folder of clips, for recipes with a weight v; may be given again.")
    ] = None,
    vgg: Annotated[
        Path | None, typer.Option(help="VGG-16 or VGG-19 weights (default: torchvision's VGG-19 from its cache).")
    ] = None,
    recipe: Annotated[Path | None, typer.Option(help="Training recipe (TOML) that travels along, settled.")] = None,
    max_mb: Annotated[float, typer.Option(min=1, help="Largest file, in millions of bytes; more makes parts.")] = 44,
    side: Annotated[int, typer.Option(min=64, help="Short side that larger images are shrunk to, pixels.")] = 256,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of the WebP images.")] = 75,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of frames of a clip, at most.")] = 8,
    credits: Annotated[
        list[Path] | None, typer.Option(help="Text that says where the data come from; may be given again.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", "-y", help="Replace a pack that is there.")] = False,
) -> None:
    """Put photos, paintings, frames with their motion, and the loss network into one file, or into parts of a given size."""
    from vidstyle.core.errors import InputError, UsageError
    from vidstyle.training.data.clips import load_clips
    from vidstyle.training.data.folders import load_folder
    from vidstyle.training.data.pack_writer import PackContents, depth_of, found_credits, part_files, write_pack
    from vidstyle.training.objective.loss_network import load_loss_network
    from vidstyle.training.recipe_file import load_recipe

    if output.suffix != ".safetensors":
        raise UsageError(f"{output}: a pack is a safetensors file; end its name with .safetensors.")
    there = part_files(output)
    if there and not overwrite:
        raise UsageError(f"{there[0]}: exists; choose another name or add --overwrite.")
    for file in credits or ():
        if not file.is_file():
            raise InputError(f"{file}: no such file; --credits takes texts.")
    plan = load_recipe(recipe) if recipe else None
    photos, paintings = load_folder(content, longest_short_side=side), load_folder(style, longest_short_side=side)
    # Pairs spread over the clip are worth more than neighbours, which show the same.
    clips = load_clips(video, longest_short_side=side, runs=pairs, length=2) if video else None
    network = load_loss_network(vgg, photos.images)
    contents = PackContents(
        photos,
        paintings,
        clips,
        depth_of(network, plan),
        plan,
        found_credits([content, style, *(video or ())], credits or ()),
    )
    settings = {"side": side, "quality": quality}
    files = write_pack(contents, output, largest=round(max_mb * 1e6), quality=quality, settings=settings)
    for file in set(there) - set(files):
        file.unlink()
    counts = f"{len(photos.images)} photos, {len(paintings.images)} paintings"
    if clips:
        counts += f", {clips.pairs} pairs of frames of {len(clips.clips)} clips"
    typer.echo(f"{counts}; {photos.broken + paintings.broken} images unreadable or too small", err=True)
    for file in files:
        typer.echo(f"{file}: {file.stat().st_size / 1e6:.1f} MB", err=True)
