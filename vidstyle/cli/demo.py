"""`vidstyle demo`: see it work, with nothing but what is in the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import InputError, UsageError
from vidstyle.pipeline.plan.run_options import RunOptions, parse_paint_size

SOURCE, STYLED = "vidstyle-demo.mp4", "vidstyle-demo.styled.mp4"
_DEFAULT_STYLE = "stained-glass"


def command(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the two films.")] = Path(),
    style: Annotated[str, typer.Option(metavar="ART", help="Built-in name or picture file.")] = _DEFAULT_STYLE,
    model: opts.Model = "compact",
    paint_size: opts.PaintSizeText = "auto",
    detail: opts.Detail = 1.0,
    overwrite: opts.Overwrite = False,
    quiet: opts.Quiet = False,
) -> None:
    """A sample film with sound of our own making, and the same film in a style."""
    options = RunOptions(model=model, overwrite=overwrite, paint_size=parse_paint_size(paint_size), detail=detail)
    source, styled = output / SOURCE, output / STYLED
    taken = [path for path in (source, styled) if path.exists()]
    if taken and not overwrite:
        raise UsageError(f"{taken[0]} exists already; add -y to replace it, or name another folder with -o.")
    from vidstyle.cli.progress import progress_bar
    from vidstyle.pipeline.run import stylize_video

    options = RunOptions(model=model, overwrite=overwrite)
    request = options.style_request(style)  # a wrong name is told before anything is rendered
    try:
        output.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"{output}: a file, not a folder; name another with -o.") from error
    from vidstyle.demo.sample import write_sample

    if not quiet:
        opts.print_status("rendering the sample scene ...")
    write_sample(source)
    with progress_bar(quiet) as progress:
        report = stylize_video(source, styled, request, options=options, progress=progress)
    if not quiet:
        opts.print_status(f"source: {source.resolve()}")
        opts.print_status(
            f"styled: {styled.resolve()} ({report.frames} frames, {report.fps:.1f} frames per second, with sound)"
        )
