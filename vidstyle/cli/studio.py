"""`vidstyle studio`: a page in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import InputError, UsageError

_EXTRA = 'the studio needs more packages: pip install "vidstyle[studio]"'


def command(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen; others than this machine need it.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any that is free.")] = 7860,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where videos, jobs and results lie. Default: in the user's data folder."),
    ] = None,
    allow_path: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Videos in this folder may be named by path (this machine only); repeat."),
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="Ask for a token on this machine as well; always asked for on others.")
    ] = False,
    tls_cert: Annotated[Path | None, typer.Option(metavar="PEM", help="Certificate, for https.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
    keep: Annotated[
        float, typer.Option(metavar="HOURS", min=0.1, help="After that, what nobody uses is deleted.")
    ] = 168.0,
    quota: Annotated[float, typer.Option(metavar="GB", min=0.1, help="That the folder may hold.")] = 50.0,
    model: opts.Model = "compact",
    engine: opts.EngineName = "auto",
    device: opts.Device = "auto",
) -> None:
    """A page in the browser: see a frame painted, move sliders, render, paint a camera."""
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together; give both, or neither.")
    for path in (tls_cert, tls_key):
        if path is not None and not path.is_file():
            raise InputError(f"{path}: no such file; check the path.")
    for path in allow_path or ():
        if not path.is_dir():
            raise InputError(f"--allow-path {path}: no such folder.")
    try:
        from vidstyle.studio.serve import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("fastapi", "uvicorn", "starlette", "anyio", "websockets"):
            raise UsageError(f"{_EXTRA} ({error.name} is missing).") from error
        raise
    from vidstyle.models.registry import find_model
    from vidstyle.studio.configuration import StudioConfiguration, UploadLimits, default_folder, is_loopback, new_token

    find_model(model)  # a wrong name is told now
    configuration = StudioConfiguration(
        folder=(folder or default_folder()).absolute(),
        host=host,
        port=port,
        token=new_token() if token or not is_loopback(host) else None,
        allowed=tuple(path.absolute() for path in allow_path or ()),
        secure=tls_cert is not None,
        model=model,
        engine=engine,
        device=device,
        limits=UploadLimits(keep_hours=keep, folder_bytes=int(quota * 1e9)),
    )
    tls = None if tls_cert is None or tls_key is None else (tls_cert, tls_key)
    serve(configuration, tls=tls, say=opts.print_status)
