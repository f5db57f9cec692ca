"""`vidstyle export`: a model for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import UsageError


class ExportFormat(StrEnum):
    """A kind of file."""

    onnx = "onnx"
    openvino = "openvino"


_SUFFIXES = {ExportFormat.onnx: ".onnx", ExportFormat.openvino: ".xml"}


def command(
    kind: Annotated[ExportFormat, typer.Option("--format", help="ExportFormat of file.")],
    model: opts.Model = "compact",
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the frames; the graph takes no other.")] = "512x288",
    strength: Annotated[
        bool, typer.Option("--with-strength", help="The graph takes the strength as one more input.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="OUT", help="Default: MODEL-WxH and its suffix, here.")
    ] = None,
    overwrite: opts.Overwrite = False,
) -> None:
    """A model as a graph: uint8 frames of one size and the tensors of a compiled style in, uint8 frames out."""
    from vidstyle.imaging.sizes import MIN_SIDE
    from vidstyle.pipeline.plan.run_options import parse_size

    width, height = parse_size(size)
    if min(width, height) < MIN_SIDE:
        raise UsageError(f"--size {size}: both sides must be at least {MIN_SIDE} pixels.")
    suffix = _SUFFIXES[kind]
    path = output or Path.cwd() / f"{Path(model).stem}-{width}x{height}{suffix}"
    if path.suffix.lower() != suffix:
        raise UsageError(f"-o {path}: the name of an {kind} file ends in {suffix}.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists already; add -y to replace it.")

    from vidstyle.engines.export import Wanted, export
    from vidstyle.models.registry import find_model

    found = find_model(model)
    net = found.load()
    about = {"architecture": net.architecture, "model_digest": found.digest, "size": f"{width}x{height}"}
    for file in export(net, Wanted(width, height, strength, about), path, kind):
        opts.print_status(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
