"""`vidstyle evaluate`: temporal consistency and fidelity of a styled film, ours or any other tool's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.core.errors import InputError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vidstyle.imaging.flow import Flow
    from vidstyle.metrics.rulers import Ruler


class FlowName(StrEnum):
    dis = "dis"
    raft = "raft"


class PairingName(StrEnum):
    time = "time"
    order = "order"


class DeviceName(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


def command(
    styled: Annotated[Path, typer.Argument(help="The styled film, of any tool.", show_default=False)],
    source: Annotated[Path, typer.Option(help="The film it was made from.", show_default=False)],
    style: Annotated[str | None, typer.Option(help="Its style (built-in name or picture), for style distance.")] = None,
    vgg: Annotated[
        Path | None,
        typer.Option(help="Other VGG weights (safetensors) for style distances; those that ship end at relu4_1."),
    ] = None,
    gap: Annotated[
        list[int] | None, typer.Option(help="Frames between the two of a pair; repeat. [default: 1 10]")
    ] = None,
    flow: Annotated[FlowName, typer.Option(help="dis needs no weights; raft takes --raft-weights.")] = FlowName.dis,
    raft_weights: Annotated[
        Path | None, typer.Option(help="torchvision's raft_large or raft_small file. [default: torch's cache folder]")
    ] = None,
    pair: Annotated[
        PairingName, typer.Option(help="Match frames by time, or by order where a tool lost the times.")
    ] = PairingName.time,
    source_start: Annotated[float, typer.Option(min=0, help="Seconds of the source before the film begins.")] = 0,
    device: Annotated[DeviceName, typer.Option(help="Where RAFT and VGG run.")] = DeviceName.auto,
    json: Annotated[
        str | None, typer.Option(metavar="[FILE]", help="Print one JSON object, or write it to FILE.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the numbers of every frame.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with curves, worst moments and heat maps.")] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Replace files that exist.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no table.")] = False,
) -> None:
    """Measure how steady a styled film is and how true to its source and style.

    E_g: warp error over g frames. Flicker: change where the source stands still. SSIM, MS-SSIM: content kept. Style distance,
    Gram of relu5_1: VGG statistics. Patch distance: 7x7 patches, needs --style alone. Beside each stands the source's own
    number, the noise floor.
    """
    gaps = tuple(sorted(set(gap or (1, 10))))
    if gaps[0] < 1:
        raise UsageError(f"--gap {gaps[0]}: the gap is a number of frames, at least 1.")
    outputs = {"--json": Path(json) if json not in (None, "-") else None, "--csv": csv, "--html": html}
    inputs = [styled, source, vgg, raft_weights, None if style is None else Path(style.rpartition(":")[0] or style)]
    _check_outputs({k: v for k, v in outputs.items() if v}, [p for p in inputs if p and p.exists()], overwrite=yes)

    import json as json_format
    import os

    import torch
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from vidstyle.core.files import atomic_output
    from vidstyle.media.input.probe import probe
    from vidstyle.metrics.evaluation import Options, evaluate
    from vidstyle.metrics.report.html import write_page
    from vidstyle.metrics.report.summary import summary
    from vidstyle.metrics.report.tables import terminal_table, write_csv
    from vidstyle.metrics.report.worst_frames import thumb

    # OpenCV's flow, which takes most of the time, has a thread a core of its own: torch's would only wait for them.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    where = _device(device)
    estimator = _flow(flow, raft_weights, where)
    picture, chosen = _style(style, vgg, where)
    original_info, styled_info = probe(source), probe(styled)
    if original_info.duration is not None and source_start and source_start >= original_info.duration:
        raise UsageError(f"--source-start {source_start:g}: {source} lasts only {original_info.duration:.3f} s.")
    errors = Console(stderr=True)
    bars = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bars, console=errors, transient=True, disable=quiet or not errors.is_terminal) as bar:
        task = bar.add_task("", total=styled_info.frames)
        result = evaluate(
            original_info,
            styled_info,
            estimator,
            rulers=chosen,
            options=Options(gaps, pair is PairingName.order, source_start),
            progress=lambda n: bar.update(task, completed=n),
        )
    result.style = None if picture is None else thumb(picture)
    numbers = summary(result)
    text = json_format.dumps(numbers, indent=2, allow_nan=False)
    if csv is not None:
        write_csv(result, csv)
    if html is not None:
        write_page(result, numbers, html)
    if json not in (None, "-"):
        with atomic_output(Path(str(json))) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    if not quiet:
        # Standard output belongs to the JSON object where that is asked for.
        Console(stderr=json == "-").print(terminal_table(numbers, f"{styled.name} against {source.name}"))
    if json == "-":
        typer.echo(text)


def _check_outputs(outputs: Mapping[str, Path], inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse outputs that are an input or each other, also by link, that exist without leave, or have no folder to lie in."""
    from vidstyle.core.files import check_regular, same_file

    seen: dict[str, Path] = {}
    for option, path in outputs.items():
        for other in inputs:
            if same_file(path, other):
                raise UsageError(f"{option} {path}: is an input of this command; choose another name.")
        for before, other in seen.items():
            if same_file(path, other):
                raise UsageError(f"{before} and {option} name one file, {path}; choose two.")
        seen[option] = path
        if not path.absolute().parent.is_dir():
            raise InputError(f"{path}: the folder {path.parent} does not exist; make it first.")
        if path.is_dir():
            raise UsageError(f"{option} {path}: is a folder; name a file in it.")
        check_regular(path)
        if path.exists() and not overwrite:
            raise UsageError(f"{path}: exists already; choose another name, or replace it with -y.")


def _device(wanted: DeviceName) -> str:
    import torch

    have = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted is DeviceName.auto:
        return next(name for name in ("cuda", "mps", "cpu") if have[name])
    if not have[wanted]:
        raise UsageError(f"--device {wanted}: this machine has none that torch can use; try --device auto.")
    return str(wanted)


def _flow(name: FlowName, weights: Path | None, device: str) -> Flow:
    if name is FlowName.dis:
        if weights is not None:
            raise UsageError("--raft-weights needs --flow raft; add it, or leave the weights out.")
        from vidstyle.imaging.flow import DisFlow

        return DisFlow()
    from vidstyle.metrics.flow_raft import RaftFlow, find_weights

    return RaftFlow(find_weights(weights), device)


def _style(ref: str | None, vgg: Path | None, device: str) -> tuple[NDArray[np.uint8] | None, Sequence[Ruler]]:
    """The style's picture, and the rulers of distances from it."""
    if ref is None:
        return None, ()
    from vidstyle.metrics.rulers import rulers
    from vidstyle.styles.resolve import parse
    from vidstyle.styles.source import StyleImage, read_source

    source = read_source(parse(ref).ref, size=512)
    if not isinstance(source, StyleImage):
        raise InputError(f"{ref}: a compiled code holds no picture to measure against; give --style the picture.")
    picture = source.pixels
    from vidstyle.losses.network import loss_network
    from vidstyle.models.vgg import load_vgg

    return picture, rulers(picture, loss_network() if vgg is None else load_vgg(vgg), device)
