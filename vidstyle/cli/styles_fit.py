"""`vidstyle styles fit` and `styles forget`: styles learned for longer, or for one film, and those that are remembered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.sizes import AUTO_PAINT_SIZE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FRAMES = 24
"""Frames of a film that a style is fitted on."""


def fit_style(
    art: Annotated[list[str], typer.Argument(metavar="ART[:W]...", help="Built-in names or picture files.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="STYLE", help="The style's file (.safetensors).", show_default=False),
    ],
    steps: Annotated[int, typer.Option(metavar="N", help="How long: 200 are a minute or more.")] = 200,
    deep: Annotated[
        bool, typer.Option("--deep", help="Fit the decoder too (experimental; no blends or keyframes).")
    ] = False,
    balance: Annotated[
        str, typer.Option(metavar="steady|even|bold", help="More steadiness, or more of the painting.")
    ] = "even",
    on: Annotated[
        Path | None, typer.Option(metavar="VIDEO|FOLDER", help="Fit on a film's frames or a folder's pictures.")
    ] = None,
    paint_size: Annotated[
        int, typer.Option(metavar="N", help="Short side of what will be painted, in pixels.")
    ] = AUTO_PAINT_SIZE,
    style_size: opts.StyleSize = 384,
    model: opts.Model = "compact",
    threads: Annotated[int | None, typer.Option(metavar="N", help="Processor threads.")] = None,
    overwrite: opts.Overwrite = False,
    json: opts.Json = None,
    quiet: opts.Quiet = False,
) -> None:
    """Learn a style by gradient descent; the file then works as --style STYLE with the same model."""
    from vidstyle.styles.fit.settings import FitSettings
    from vidstyle.styles.resolve import CODE_SUFFIX, parse, resolve

    if output.suffix.lower() != CODE_SUFFIX:
        raise UsageError(f"-o {output}: the name of a style's file ends in {CODE_SUFFIX}.")
    if style_size < 16:
        raise UsageError(f"--style-size {style_size}: must be at least 16.")
    settings = FitSettings(steps=steps, deep=deep, balance=balance, paint_size=paint_size, style_size=style_size)
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists already; add -y to replace it.")
    if not output.absolute().parent.is_dir():
        raise InputError(f"{output}: the folder {output.absolute().parent} does not exist; make it first.")
    specs = [parse(text) for text in art]
    read = [(resolve(s.ref, size=style_size), resolve(s.ref, size=settings.target_size), s.weight) for s in specs]
    for spec, (picture, _, _) in zip(specs, read, strict=True):
        if isinstance(picture, Path):
            raise UsageError(f"{spec.ref}: is a style's file already; name the picture.")
    pictures, digest = (None, None) if on is None else _frames_of(on)

    from vidstyle.engines.base import cores
    from vidstyle.models.registry import find_model
    from vidstyle.styles.fit.make import make
    from vidstyle.styles.fit.optimise import Art

    descriptor = find_model(model)
    with _progress_of(quiet) as told:
        make(
            descriptor.load(),
            descriptor.digest,
            [Art(a, b, w) for a, b, w in read if not isinstance(a, Path) and not isinstance(b, Path)],
            settings,
            output,
            name=" + ".join(art),
            pictures=pictures,
            fitted_on=digest,
            device=_gpu_or_cpu(),
            threads=threads or cores(),
            progress=told,
        )
    report(output, model, json, quiet)


def report(output: Path, model: str, json: str | None, quiet: bool) -> None:
    from vidstyle.models.model_files import read_metadata

    about = read_metadata(output)["fit"]
    read, kept = (sum(about[key].values()) for key in ("read", "kept"))
    if json is not None:
        opts.emit_json({"output": str(output), "bytes": output.stat().st_size, "model": model, **about}, json)
    if not quiet:
        size = output.stat().st_size / 1000
        kept_as = (
            f"loss {read:.2f} > {kept:.2f}"
            if about["share"]
            else "nothing better than the style as it is read was found"
        )
        opts.print_status(f"{output}: {size:.0f} kB, {kept_as}, for model {model}")


def _gpu_or_cpu() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _progress_of(quiet: bool) -> Any:
    from vidstyle.cli.progress import progress_bar

    return progress_bar(quiet, "learning")


def _frames_of(source: Path) -> tuple[list[NDArray[np.uint8]], str]:
    """FRAMES frames of a film, evenly spread over what it says is its length, or a folder's pictures; and their digest.

    Raises:
        InputError: no such file, or nothing in it that could be fitted on.
    """
    import hashlib

    import numpy as np

    from vidstyle.styles.fit.crops import REACH, SIDE

    found = _folder_pictures(source) if source.is_dir() else _video_frames(source)
    if not found:
        raise InputError(f"{source}: holds no picture to fit on; name a film or a folder of pictures.")
    if min(min(picture.shape[:2]) for picture in found) < 32:
        raise InputError(f"{source}: its pictures are smaller than 32 pixels; a style needs at least {SIDE + REACH}.")
    digest = hashlib.sha256()
    for picture in found:
        digest.update(f"{picture.shape}".encode() + np.ascontiguousarray(picture).tobytes())
    return found, digest.hexdigest()


def _folder_pictures(folder: Path) -> list[NDArray[np.uint8]]:
    from vidstyle.imaging.image_io import read_image
    from vidstyle.media.paths import PICTURES

    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    step = max(1, len(files) // (4 * _FRAMES))
    return [read_image(path) for path in files[::step]]


def _video_frames(video: Path) -> list[NDArray[np.uint8]]:
    from vidstyle.media.input.probe import probe
    from vidstyle.media.input.reader import read_frames

    info = probe(video)
    total = info.frames or int((info.duration or 10.0) * float(info.average_rate or 25))
    every = max(1, total // _FRAMES)
    found: list[NDArray[np.uint8]] = []
    for number, frame in enumerate(read_frames(info)):
        if number % every == 0:
            found.append(frame.data)
        if len(found) >= _FRAMES:
            break
    return found


def forget(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="As `styles list --fitted` shows them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Remove fitted styles that are remembered; they are learned anew when they are met again."""
    from vidstyle.styles.fit.store import remembered

    known = remembered()
    if everything == bool(names):
        raise UsageError("name the styles to forget, or --all of them (see: vidstyle styles list --fitted).")
    wanted = [r for r in known if everything or r.name in (names or ()) or r.path.stem in (names or ())]
    missing = [n for n in names or () if not any(n in (r.name, r.path.stem) for r in known)]
    if missing:
        raise UsageError(
            f"{missing[0]}: no fitted style of this name is remembered (see: vidstyle styles list --fitted)."
        )
    for style in wanted:
        try:
            style.path.unlink()
        except OSError as error:
            raise InputError(f"{style.path}: cannot be removed ({error.strerror}).") from error
    opts.print_status(f"{len(wanted)} fitted styles forgotten")


def list_fitted(json: str | None) -> None:
    """Print the fitted styles that are remembered."""
    from vidstyle.styles.fit.store import folder, remembered

    rows = [
        {"name": r.name, "path": str(r.path), **{k: v for k, v in r.about["fit"].items() if k != "name"}}
        for r in remembered()
    ]
    if json is not None:
        opts.emit_json(rows, json)
        return
    for row in rows:
        depth = "deep" if row["deep"] else "code"
        print(
            f"{row['name']:24} {depth:4} {row['steps']:5} steps  {row['balance']:6} {row['paint_size']:5} px  {row['path']}"
        )
    if not rows:
        print(f"none; they lie in {folder()}")
