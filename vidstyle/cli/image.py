"""`vidstyle image`: pictures in the style of a picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import cause
from vidstyle.pipeline.plan.run_options import RunOptions

KEPT = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}
"""Suffixes that an output takes over from its input; any other becomes .png."""


def command(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Picture files.")],
    style: opts.Styles,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="OUT", help="A file, or for several pictures a folder. Default: here."),
    ] = None,
    overwrite: opts.Overwrite = False,
    model: opts.Model = "compact",
    strength: opts.Strength = 1.0,
    preserve_color: opts.PreserveColor = None,
    paint_size: opts.PaintSizeText = "auto",
    detail: opts.Detail = 1.0,
    size: opts.Size = None,
    max_side: opts.MaxSide = None,
    style_size: opts.StyleSize = 384,
    device: opts.Device = "auto",
    engine: opts.EngineName = "auto",
    precision: opts.PrecisionName = "auto",
    fit: opts.Fit = None,
    no_fit: opts.NoFit = False,
    quiet: opts.Quiet = False,
) -> None:
    """Pictures in the style of a picture; written as NAME.styled.SUFFIX where -o names no file."""
    options = RunOptions(**opts.image_options(locals()), fit=opts.fit_steps(fit, no_fit))
    for source in sources:
        if source.is_dir():
            raise UsageError(
                f"{source}: is a folder; name the pictures in it ({source}/*.jpg), or make a film of them with `vidstyle run`."
            )
    pairs = [(source, target(source, output, alone=len(sources) == 1)) for source in sources]
    if len({place.absolute() for _, place in pairs}) < len(pairs):
        raise UsageError("several inputs have the same name and would overwrite each other; style them one by one.")

    from vidstyle.pipeline.images import stylize_images

    failed = []

    def warn(sentence: str) -> None:
        if not quiet:
            opts.print_status(f"vidstyle: warning: {sentence}")

    for _, place, error in stylize_images(pairs, style, options=options, say=warn):
        if error is not None:
            failed.append(error)
            if len(sources) > 1:
                opts.print_status(f"vidstyle: {error}")
        elif not quiet:
            opts.print_status(str(place))
    if failed and len(sources) == 1:
        raise failed[0]
    if failed:
        raise InputError(f"{len(failed)} of {len(sources)} pictures failed; the others are done.")


def target(source: Path, output: str | None, *, alone: bool) -> Path:
    """Where a picture goes: `output` itself, or NAME.styled.SUFFIX in that folder (default: the current one), which is made
    where it is missing. With several pictures, and with a slash at its end, it is a folder.

    Raises:
        UsageError: several pictures are to go into one file.
        InputError: the folder cannot be made.
    """
    name = f"{source.stem}.styled{source.suffix if source.suffix.lower() in KEPT else '.png'}"
    if output is None:
        return Path.cwd() / name
    place = Path(output)
    if place.is_dir():
        return place / name
    if alone and not output.endswith(("/", os.sep)):
        return place
    if place.exists() or (not alone and place.suffix.lower() in KEPT):
        raise UsageError(f"-o {output}: for several pictures it must be a folder.")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"-o {output}: cannot be made ({cause(error)}); choose another.") from error
    return place / name
