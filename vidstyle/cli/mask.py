"""`vidstyle mask`: where in a film something is, for `run --mask` and `--keep`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import UsageError

if TYPE_CHECKING:
    from vidstyle.pipeline.masking.finders import Finder


def command(
    source: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video file.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="MP4", help="The mask film.")] = Path("mask.mp4"),
    colour: Annotated[
        str | None, typer.Option("--colour", "--color", metavar="RRGGBB", help="What has about this colour.")
    ] = None,
    plate: Annotated[
        Path | None,
        typer.Option(metavar="IMG", help="What is not in this picture of the empty background (a camera that stands)."),
    ] = None,
    polygon: Annotated[
        str | None,
        typer.Option(
            metavar='"X,Y X,Y .."', help="What a polygon covers in the first frame, carried along its motion."
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="T", help="How far colours may differ (2: just visible, 100: black and white).")
    ] = 15.0,
    soften: Annotated[float, typer.Option(metavar="PX", help="Blur of the edge, in pixels.")] = 3.0,
    steady: Annotated[
        float | None,
        typer.Option(metavar="S", help="Share of the mask before, in a shot: 0 to 0.95. Default: 0.5, of a polygon 0."),
    ] = None,
    invert: Annotated[bool, typer.Option("--invert", help="White is what was not found.")] = False,
    overwrite: opts.Overwrite = False,
    quiet: opts.Quiet = False,
) -> None:
    """A film of masks, white where something is: by its colour, before a background, or in a polygon."""
    if sum(way is not None for way in (colour, plate, polygon)) != 1:
        raise UsageError("give one of --colour, --plate and --polygon.")
    if steady is None:
        steady = (
            0.5 if polygon is None else 0.0
        )  # a polygon does not flicker; where it moves fast it would leave a trail
    if tolerance <= 0 or soften < 0 or not 0 <= steady <= 0.95:
        raise UsageError("--tolerance must be above 0, --soften at least 0, --steady between 0 and 0.95.")
    from vidstyle.core.files import check_readable
    from vidstyle.pipeline.plan.checks import check_output

    check_readable(source)
    check_output(source, output, overwrite=overwrite)
    from vidstyle.pipeline.masking.mask_film import Softening, mask_video

    count = mask_video(source, output, _finder(colour, plate, polygon, tolerance), Softening(soften, steady, invert))
    if not quiet:
        opts.print_status(f"{output}: {count} frames")


def _finder(colour: str | None, plate: Path | None, polygon: str | None, tolerance: float) -> Finder:
    from vidstyle.imaging.image_io import read_image
    from vidstyle.pipeline.masking.finders import BeforePlate, ByColour, Carried

    if colour is not None:
        match = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", colour)
        if match is None:
            raise UsageError(f"--colour {colour}: write six hex digits, for example 3a78c8.")
        red, green, blue = (int(part, 16) for part in match.groups())
        return ByColour((red, green, blue), tolerance)
    if plate is not None:
        return BeforePlate(read_image(plate), tolerance)
    corners = re.findall(r"(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)", polygon or "")
    if re.sub(r"(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)", "", polygon or "").strip():
        raise UsageError(f'--polygon {polygon}: write its corners as x,y in pixels, for example "10,10 90,10 50,80".')
    return Carried([(float(x), float(y)) for x, y in corners])
