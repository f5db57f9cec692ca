"""`vidstyle run`: a video in the style of a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from vidstyle.cli import words
from vidstyle.errors import UsageError
from vidstyle.pipeline.options import RunOptions, parse_rate, parse_share, parse_time


def command(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A video file.")],
    style: words.MaybeStyles = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Default: NAME.styled.SUFFIX here.")
    ] = None,
    overwrite: words.Overwrite = False,
    model: words.Model = "compact",
    strength: words.Strength = 1.0,
    preserve_color: words.PreserveColor = False,
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="IMG", help="Grey picture over the frame: white is the style, black the source or a second --style."
        ),
    ] = None,
    keyframes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Blends that change over time (CSV or TOML), instead of --style."),
    ] = None,
    stabilize: Annotated[
        float,
        typer.Option(metavar="S", help="Draw each frame to the one before, along the source's motion: 0 to 0.99."),
    ] = 0.0,
    start: Annotated[str | None, typer.Option(metavar="T", help="Begin here: seconds or [h:]m:s.")] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help="Stop here: seconds or [h:]m:s.")] = None,
    fps: Annotated[
        str | None,
        typer.Option(metavar="N", help="Constant frame rate: frames are repeated or left out. Default: as the source."),
    ] = None,
    size: words.Size = None,
    max_side: words.MaxSide = None,
    codec: Annotated[
        str | None, typer.Option(metavar="C", help="h264, hevc, av1, vp9, prores, ffv1, gif. Default: by suffix.")
    ] = None,
    crf: Annotated[int | None, typer.Option(metavar="N", help="Quality of the encoding; lower is better.")] = None,
    bit_depth: Annotated[int, typer.Option(metavar="8|10", help="Bits a sample of the encoded video.")] = 8,
    device: words.Device = "auto",
    engine: words.EngineName = "auto",
    precision: words.PrecisionName = "auto",
    chunk: Annotated[str, typer.Option(metavar="N|auto", help="Frames a call of the model.")] = "auto",
    style_size: words.StyleSize = 384,
    segment: Annotated[float, typer.Option(metavar="SECONDS", help="Film between two points to resume from.")] = 10.0,
    max_errors: Annotated[
        str, typer.Option(metavar="P%", help="Damaged frames to put up with (each repeats the one before).")
    ] = "10%",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    json: words.Json = None,
    quiet: words.Quiet = False,
) -> None:
    """A video in the style of a picture: its sound, timing and length stay as they are."""
    if chunk != "auto" and not chunk.isdecimal():
        raise UsageError(f"--chunk {chunk}: give a number of frames, or auto.")
    options = RunOptions(
        **words.picture_options(locals()),
        resume=resume,
        mask=mask,
        keyframes=keyframes,
        stabilize=stabilize,
        start=None if start is None else parse_time(start),
        end=None if end is None else parse_time(end),
        fps=None if fps is None else parse_rate(fps),
        max_errors=parse_share(max_errors),
        codec=codec,
        bit_depth=bit_depth,
        crf=crf,
        chunk=None if chunk == "auto" else int(chunk),
        segment=Fraction(str(segment)),
    )
    # Read when torch's OpenMP is loaded: its threads sleep between two parallel loops instead of spinning, which leaves the
    # cores to the decoder and the encoder (15 % less processor time for a whole run on two cores).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from vidstyle.pipeline.run import stylize_video

    with progress_bar(quiet) as progress:
        report = stylize_video(source, output, style or (), options=options, progress=progress)
    if not quiet:
        for warning in report.warnings:
            words.say(f"vidstyle: warning: {warning}")
        words.say(f"{report.output}: {report.frames} frames, {report.fps:.1f} frames a second")
    if json is not None:
        words.emit_json(report.to_dict(), json)


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[int, int | None], None] | None]:
    """Frames, frames a second and time left, on stderr; nothing where that is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:.1f} fps" if task.speed else "- fps")

    columns = (TextColumn("[bold]styling"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("frames", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
