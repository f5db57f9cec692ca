"""`vidstyle import-upstream`: the weights that AdaAttN's authors released, as a model file of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import UsageError

_SUFFIX = ".safetensors"


def command(
    vgg: Annotated[Path, typer.Option(metavar="F", help="vgg_normalised.pth")],
    transformer: Annotated[Path, typer.Option(metavar="F", help="latest_net_transformer.pth")],
    decoder: Annotated[Path, typer.Option(metavar="F", help="latest_net_decoder.pth")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The model file (.safetensors).")],
    adaattn3: Annotated[
        Path | None, typer.Option(metavar="F", help="latest_net_adaattn_3.pth: the image release has it.")
    ] = None,
    overwrite: opts.Overwrite = False,
) -> None:
    """AdaAttN's released files (video: three, image: four) as one model file, for --model. Nothing in them is executed."""
    if output.suffix.lower() != _SUFFIX:
        raise UsageError(f"-o {output}: the name of a model file ends in {_SUFFIX}.")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists already; add -y to replace it.")

    import torch

    from vidstyle.models.checkpoint import save_model
    from vidstyle.models.upstream import ReleaseFiles, import_release

    files = ReleaseFiles(vgg, transformer, decoder, adaattn3)
    model = import_release(files)
    about = {"imported": files.digests(), "licence": "that of the imported files"}
    save_model(model, output, metadata=about, dtype=torch.float32)
    opts.print_status(
        f"{output}: {model.architecture}, {output.stat().st_size / 1e6:.1f} MB; use it with --model {output}"
    )
