"""One clip in one style, measured by the commands that users have: `vidstyle run`, then `vidstyle evaluate`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import vidstyle
from vidstyle.models.registry import find_model


def add_options(parser: ArgumentParser) -> None:
    """The options of the scripts that measure pictures."""
    for name in ("clips", "styles", "frames"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help="how many; default: as --quick says")
    parser.add_argument("--vgg", type=Path, metavar="FILE", help="normalised VGG weights, for style distance")
    parser.add_argument("--model", default="compact", help="shipped name or checkpoint file")


def extent(arguments: Namespace, *, quick: tuple[int, int, int], full: tuple[int, int, int]) -> tuple[int, int, int]:
    """(clips, styles, frames): what was asked for, else the script's own."""
    default = quick if arguments.quick else full
    asked = (arguments.clips, arguments.styles, arguments.frames)
    clips, styles, frames = (d if a is None else a for a, d in zip(asked, default, strict=True))
    return clips, styles, frames


@contextmanager
def one_model(name: str) -> Iterator[str]:
    """The model's digest. Raises RuntimeError at the end where its file was replaced meanwhile: the rows mix two models."""
    digest = find_model(name).digest
    yield digest
    if find_model(name).digest != digest:
        raise RuntimeError(f"model {name} was replaced while it was measured; nothing is saved, run again")


def styled(source: Path, style: str, work: Path, *more: str, model: str = "compact") -> Path:
    """`source` in a style, by `vidstyle run` with `more` options, coded losslessly."""
    output = work / f"{source.stem}.{style}.mkv"
    vidstyle("run", source, "--style", style, "-o", output, "--model", model, "--codec", "ffv1", "-y", "-q", *more)
    return output


def evaluated(
    film: Path, source: Path, *, style: str | None = None, vgg: Path | None = None, gaps: Sequence[int] = (1,)
) -> dict[str, Any]:
    """The object of `vidstyle evaluate --json`."""
    command: list[str | Path] = ["evaluate", film, "--source", source, "--json", "-q"]
    command += [word for gap in gaps for word in ("--gap", str(gap))]
    command += ["--style", style] if style else []
    command += ["--vgg", vgg] if style and vgg else []
    found: dict[str, Any] = json.loads(vidstyle(*command).stdout)
    return found


def line(name: str, numbers: dict[str, Any], keys: Sequence[str]) -> str:
    """A row for the terminal."""
    return f"{name:58} " + "  ".join(f"{k} {numbers[k]:.5f}" if numbers[k] is not None else f"{k} -" for k in keys)
