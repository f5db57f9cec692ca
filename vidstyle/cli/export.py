"""`vidstyle export`: a model for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import UsageError

if TYPE_CHECKING:
    from vidstyle.styles.request import StyleRequest


class ExportFormat(StrEnum):
    """A kind of file."""

    onnx = "onnx"
    openvino = "openvino"


class PixelsName(StrEnum):
    """What a graph with a style baked in takes and gives."""

    float = "float"
    uint8 = "uint8"


_SUFFIXES = {ExportFormat.onnx: ".onnx", ExportFormat.openvino: ".xml"}
_ANY = "any"


def command(
    kind: Annotated[ExportFormat, typer.Option("--format", help="Format of file.")],
    model: opts.Model = "compact",
    size: Annotated[
        str,
        typer.Option(
            metavar="WxH|any", help="Size of the frames, the only one the graph takes; with --bake: any multiples of 8."
        ),
    ] = "512x288",
    bake: Annotated[
        list[str] | None,
        typer.Option(metavar="ART[:W]", help="A style that becomes part of the graph; repeat to blend by weights."),
    ] = None,
    pixels: Annotated[
        PixelsName,
        typer.Option(help="With --bake: (1, 3, H, W) float in 0..1, or (1, H, W, 3) uint8; in and out, RGB."),
    ] = PixelsName.float,
    strength: Annotated[
        bool, typer.Option("--with-strength", help="The graph takes the strength as one more input.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="Default: MODEL-WxH (STYLE-WxH) and its suffix, here."),
    ] = None,
    overwrite: opts.Overwrite = False,
) -> None:
    """A model as a graph: uint8 frames of one size and the tensors of a compiled style in, uint8 frames out.

    With --bake: a picture in, the picture in that style out, for programs that load such files (ONNX Runtime, OpenCV,
    OpenVINO, VapourSynth).
    """
    from vidstyle.imaging.sizes import MIN_SIDE
    from vidstyle.pipeline.plan.run_options import parse_size

    wanted = None if size == _ANY else parse_size(size)
    if wanted is None and not bake:
        raise UsageError("--size any: goes with --bake; a graph that takes codes is for one size.")
    if wanted is not None and min(wanted) < MIN_SIDE:
        raise UsageError(f"--size {size}: both sides must be at least {MIN_SIDE} pixels.")
    if bake and strength:
        raise UsageError("--with-strength: a graph with a style baked in takes pictures alone; leave one of them out.")
    shown = _ANY if wanted is None else f"{wanted[0]}x{wanted[1]}"
    suffix = _SUFFIXES[kind]
    path = output or Path.cwd() / f"{_name(bake, model)}-{shown}{suffix}"
    if path.suffix.lower() != suffix:
        raise UsageError(f"-o {path}: the name of an {kind} file ends in {suffix}.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists already; add -y to replace it.")
    request = _request(bake) if bake else None

    from vidstyle.engines.export import export, for_codes, for_pictures
    from vidstyle.models.registry import find_model

    found = find_model(model)
    if request is None:
        assert wanted is not None
        net = found.load()
        about = {"architecture": net.architecture, "model_digest": found.digest, "size": shown}
        make = for_codes(net, wanted, about, strength=strength)
    else:
        from vidstyle.engines.choose import make_engine

        code = request.codes(make_engine(found, engine="torch", device="cpu", precision="fp32"))[0]
        net = found.load()
        if wanted is None and net.architecture != "compact":
            raise UsageError(f"--size any: graphs of {net.architecture} are for one size; give it, 640x360.")
        style = ", ".join(Path(each).name for each in bake or ())
        about = {"architecture": net.architecture, "model_digest": found.digest, "size": shown, "style": style}
        make = for_pictures(net, code, pixels.value, wanted, about)
    for file in export(make, path, kind):
        opts.print_status(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


def _name(bake: list[str] | None, model: str) -> str:
    """What the output is named after."""
    from vidstyle.styles.resolve import parse

    return Path(model).stem if not bake else "-".join(Path(parse(each).ref).stem for each in bake)


def _request(bake: list[str]) -> StyleRequest:
    """The styles to bake in, read. Raises as `read_request`."""
    from vidstyle.styles.request import read_request
    from vidstyle.styles.resolve import located, parse

    for each in bake:
        located(parse(each).ref)
    return read_request(bake)
