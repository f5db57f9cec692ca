"""`vidstyle preview`: what a film would look like in several styles, and how long it would take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.pipeline.plan.run_options import RunOptions


def command(
    source: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video file, or numbered pictures (in/%06d.png).")],
    style: Annotated[
        list[str],
        typer.Option("--style", metavar="ART", help="Built-in name, picture file or compiled code; repeat to compare."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PNG", help="The sheet.")] = Path("preview.png"),
    frames: Annotated[int, typer.Option(metavar="N", help="Frames, evenly spread over the film.")] = 3,
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
    json: opts.Json = None,
    quiet: opts.Quiet = False,
) -> None:
    """A sheet of frames of a film in several styles, and about how long a run would take."""
    options = RunOptions(**opts.image_options(locals()))
    from vidstyle.pipeline.plan.checks import check_output
    from vidstyle.styles.resolve import located, parse

    check_output(source, output, overwrite=overwrite)
    for each in style:
        located(parse(each).ref)
    from vidstyle.imaging.image_io import picture_format, write_image

    picture_format(output)
    from vidstyle.pipeline.preview import preview_video

    preview = preview_video(source, style, frames=frames, options=options)
    write_image(output, preview.sheet())
    run = preview.measured
    if not quiet:
        for warning in run.warnings:
            if warning.startswith(run.output):  # of the file that was measured, which nobody sees
                continue
            opts.print_status(f"vidstyle: warning: {warning}")
        opts.print_status(str(output))
        took = "" if preview.seconds is None else f", so about {duration(preview.seconds)} for the film"
        opts.print_status(f"a run paints {preview.fps:.1f} frames per second here ({run.engine} on {run.device}){took}")
    if json is not None:
        report = {
            "input": str(source),
            "output": str(output),
            "styles": list(preview.styles),
            "moments": [round(float(moment), 3) for moment in preview.moments],
            "frames": preview.film_frames,
            "fps": round(preview.fps, 2),
            "seconds": None if preview.seconds is None else round(preview.seconds, 1),
            **{key: getattr(run, key) for key in ("paint_size", "engine", "device", "precision", "model", "warnings")},
        }
        opts.emit_json(report, json)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
