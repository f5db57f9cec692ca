"""`vidstyle styles`: the built-in gallery, and styles compiled to small files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.cli import styles_fit
from vidstyle.core.errors import UsageError

command = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)
"""The group: without a subcommand it lists."""


command.command("fit")(styles_fit.fit_style)
command.command("forget")(styles_fit.forget)


@command.callback()
def styles(context: typer.Context) -> None:
    """Built-in styles: list them, preview them, or compile any style into a small file."""
    if context.invoked_subcommand is None:
        _show(None)


@command.command("list")
def list_styles(
    fitted: Annotated[bool, typer.Option("--fitted", help="Those that have been learned and are remembered.")] = False,
    json: opts.Json = None,
) -> None:
    """Names of the built-in styles, for --style."""
    if fitted:
        styles_fit.list_fitted(json)
    else:
        _show(json)


@command.command()
def preview(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PNG", help="The sheet.")] = Path("styles.png"),
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Also show a picture of ours in each style, by this model.")
    ] = None,
    overwrite: opts.Overwrite = False,
) -> None:
    """A contact sheet of the gallery."""
    _refuse_existing(output, overwrite)
    from vidstyle.imaging.image_io import write_image
    from vidstyle.styles import gallery
    from vidstyle.styles.contact_sheet import contact_sheet

    cells = [(name, gallery.load(name)) for name in gallery.names()]
    if model is None:
        sheet = contact_sheet(cells, columns=4, cell=(256, 256))
    else:
        import numpy as np

        from vidstyle.demo.scene import Scene
        from vidstyle.engines.choose import make_engine
        from vidstyle.imaging.resize import with_short_side

        engine = make_engine(model)
        frame = Scene().render(1.2)[None]
        shown = []
        for name, picture in cells:
            styled = engine.stylize(frame, engine.encode_style(with_short_side(picture, 384)))[0]
            shown.append((name, np.hstack([with_short_side(picture, len(styled)), styled])))
        sheet = contact_sheet(shown, columns=2, cell=(750, 270))
    write_image(output, sheet)
    opts.print_status(str(output))


@command.command("compile")
def compile_style(
    art: Annotated[str, typer.Argument(metavar="ART", help="Built-in name or picture file.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="CODE", help="The code file (.safetensors).")],
    model: opts.Model = "compact",
    style_size: opts.StyleSize = 384,
    overwrite: opts.Overwrite = False,
) -> None:
    """Encode a style once; the file then works as --style CODE with the same model."""
    from vidstyle.styles.resolve import CODE_SUFFIX
    from vidstyle.styles.source import StyleImage, read_source

    if output.suffix.lower() != CODE_SUFFIX:
        raise UsageError(f"-o {output}: the name of a code file ends in {CODE_SUFFIX}.")
    if style_size < 16:
        raise UsageError(f"--style-size {style_size}: must be at least 16.")
    _refuse_existing(output, overwrite)
    source = read_source(art, size=style_size)
    if not isinstance(source, StyleImage):
        raise UsageError(f"{art}: is a compiled code already.")
    from vidstyle.engines.choose import make_engine
    from vidstyle.models.checkpoint import save_style

    # The reference engine: a code must not depend on the machine's fastest precision.
    engine = make_engine(model, engine="torch", device="cpu", precision="fp32")
    save_style(engine.encode_style(source.pixels), output)
    opts.print_status(f"{output}: {output.stat().st_size / 1000:.0f} kB, for model {model}")


def _show(json: str | None) -> None:
    from vidstyle.styles.gallery import DESCRIPTIONS

    if json is not None:
        opts.emit_json([{"name": name, "description": text} for name, text in DESCRIPTIONS.items()], json)
        return
    wide = max(map(len, DESCRIPTIONS))
    for name, text in DESCRIPTIONS.items():
        print(f"{name:<{wide}}  {text}")


def _refuse_existing(output: Path, overwrite: bool) -> None:
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists already; add -y to replace it.")
