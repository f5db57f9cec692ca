"""Options that several commands share, and how results are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from vidstyle.core.errors import UsageError
from vidstyle.core.files import atomic_output
from vidstyle.pipeline.plan.run_options import parse_paint_size, parse_size

STYLE = typer.Option(
    "--style", metavar="ART[:W]", help="Built-in name, picture file or compiled code; repeat to blend by weights."
)
Styles = Annotated[list[str], STYLE]
MaybeStyles = Annotated[list[str] | None, STYLE]
Overwrite = Annotated[bool, typer.Option("-y", "--overwrite", help="Replace an existing output.")]
Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="Shipped model or checkpoint file.")]
Strength = Annotated[
    float, typer.Option(metavar="A", help="How much style: 1 is all of it, 0 none, up to 2 more than that.")
]
PreserveColor = Annotated[
    str | None,
    typer.Option(
        "--preserve-color",
        metavar="[luma|local|match]",
        help="Keep the source's colours: luma (or alone), local (its brightness too), match (paint with its palette).",
    ),
]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Resize to this size.")]
MaxSide = Annotated[int | None, typer.Option(metavar="N", help="Shrink so that the longer side is at most N pixels.")]
PaintSizeText = Annotated[
    str,
    typer.Option(
        "--paint-size",
        metavar="N|source|auto",
        help="Short side at which frames are painted, then carried to full size; smaller: broader strokes, faster.",
    ),
]
Detail = Annotated[float, typer.Option(metavar="D", help="The frame's own detail in what is carried: 0 to 1.")]
StyleSize = Annotated[
    int, typer.Option(metavar="N", help="Short side at which style pictures are read; smaller: coarser strokes.")
]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help="Where the model runs.")]
EngineName = Annotated[
    str, typer.Option("--engine", metavar="auto|torch|openvino|torch-compile", help="What runs the model.")
]
PrecisionName = Annotated[
    str, typer.Option("--precision", metavar="auto|fp32|bf16|fp16|int8", help="Of the model's numbers.")
]
Fit = Annotated[
    int | None,
    typer.Option(
        "--fit",
        metavar="N",
        help="Learn a style that is met for the first time, for N steps (40 are a start), and remember it.",
    ),
]
NoFit = Annotated[bool, typer.Option("--no-fit", help="Use styles as they are read.")]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="[FILE]", help="Print the report as JSON on stdout, or write it to FILE (*.json)."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no warnings.")]

STDOUT = "-"

_PICTURE = (
    "overwrite",
    "model",
    "strength",
    "detail",
    "max_side",
    "style_size",
    "device",
    "engine",
    "precision",
)


def image_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `run` and `image` are told alike, out of the arguments of either (its `locals()`), as `RunOptions` takes it."""
    size = given["size"]
    return {
        **{name: given[name] for name in _PICTURE},
        "preserve_color": given["preserve_color"] or False,
        "size": None if size is None else parse_size(size),
        "paint_size": parse_paint_size(given["paint_size"]),
    }


def masks(given: Sequence[str], keep: Sequence[Path]) -> dict[str, Any]:
    """--mask and --keep, as `RunOptions` takes them. Raises UsageError."""
    alone = [text for text in given if "=" not in text or Path(text).is_file()]
    if len(alone) > 1:
        raise UsageError("--mask MASK alone can be given once; name a style for each: --mask MASK=ART.")
    regions = [text.partition("=") for text in given if text not in alone]
    for path, _, art in regions:
        if not path or not art:
            raise UsageError(f"--mask {path}={art}: write the mask's file, =, and a style.")
    return {
        "mask": Path(alone[0]) if alone else None,
        "regions": tuple((Path(path), art) for path, _, art in regions),
        "keep": tuple(keep),
    }


def fit_steps(steps: int | None, off: bool) -> int | None:
    """What --fit and --no-fit say, as `RunOptions` takes it. Raises UsageError."""
    if off and steps is not None:
        raise UsageError("--fit and --no-fit exclude each other; give one.")
    if steps is not None and steps < 1:
        raise UsageError(f"--fit {steps}: must be at least 1; to use styles as they are read: --no-fit.")
    return 0 if off else steps


def emit_json(report: Any, target: str) -> None:
    """Print a report as one JSON object, or write it to a file that appears only when whole.

    Raises:
        InputError: the file cannot be written.
    """
    text = json.dumps(report, indent=2, ensure_ascii=False)
    if target == STDOUT:
        print(text)
        return
    with atomic_output(Path(target)) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def print_status(sentence: str) -> None:
    """A line for the user, on stderr."""
    print(sentence, file=sys.stderr)
