"""The command line. One file a command; a command's module is imported when its name is typed (or help lists it), and
imports torch and av only inside its function, so that help answers at once.

To add a command: write `vidstyle/cli/NAME.py` with `def command(...)` (typer annotations) or, for a command with
subcommands, `command = typer.Typer(...)`, and add its line to `COMMANDS`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from mimetypes import guess_type
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup

from vidstyle._version import __version__
from vidstyle.cli.interrupts import INTERRUPTED, guard
from vidstyle.core.errors import VidstyleError
from vidstyle.media.paths import PICTURES, VIDEOS

COMMANDS: dict[str, str] = {
    "run": "vidstyle.cli.run",
    "image": "vidstyle.cli.image",
    "preview": "vidstyle.cli.preview",
    "mask": "vidstyle.cli.mask",
    "styles": "vidstyle.cli.styles",
    "studio": "vidstyle.cli.studio",
    "live": "vidstyle.cli.live",
    "evaluate": "vidstyle.cli.evaluate",
    "demo": "vidstyle.cli.demo",
    "info": "vidstyle.cli.info",
    "train-video": "vidstyle.cli.train_video",
    "pack": "vidstyle.cli.pack",
    "import-upstream": "vidstyle.cli.import_upstream",
    "export": "vidstyle.cli.export",
}
"""Name of a command -> module that holds it, in the order of help."""

_PLAIN: Any = {"add_completion": False, "rich_markup_mode": None}
"""Of every typer application here. Help is plain text: rich takes as long to import as the rest, and makes h:m:s an emoji."""


class Lazy(Mapping[str, Any]):
    """Commands by name, each imported when asked for."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.modules = modules

    def __getitem__(self, name: str) -> Any:
        command = import_module(self.modules[name]).command
        if not isinstance(command, typer.Typer):
            single = typer.Typer(**_PLAIN)
            single.command()(command)
            command = single
        built = typer.main.get_command(command)
        built.name = name
        return built

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)


class Commands(TyperGroup):
    """The group of all commands. Failures that a user can meet become one sentence on stderr and an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast(Any, Lazy(COMMANDS))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except VidstyleError as error:
            raise fail(getattr(error, "in_command", str(error)), error.exit_code) from error
        except KeyboardInterrupt as stop:
            raise fail(str(stop) or "Interrupted.", INTERRUPTED) from stop
        except BrokenPipeError:
            raise
        except (OSError, MemoryError) as error:
            raise fail(system_sentence(error), 1) from error


def fail(sentence: str, code: int) -> typer.Exit:
    print(f"vidstyle: {sentence}", file=sys.stderr)
    return typer.Exit(code)


def system_sentence(error: OSError | MemoryError) -> str:
    """What the operating system refused, in words, where no part of vidstyle could say it better."""
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller --max-side or --chunk 1"
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_show_locals=False, **_PLAIN)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"vidstyle {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Any video in the style of any picture: without flicker, with its sound."""


def optional_values(args: Sequence[str]) -> list[str]:
    """`--json` may stand alone (stdout) or name a file, and `--ray` alone (this machine) or name a cluster. The parser knows no
    optional values, so a `--json` that no name of a report follows becomes `--json=-`, and a `--ray` that no address follows
    `--ray=local`, and `--preserve-color` alone is luma; any name at all can be given as `--json=NAME`."""
    out: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*out, word, *rest]
        if word == "--json":
            word = f"--json={rest.pop(0) if rest and _names_a_report(rest[0]) else '-'}"
        if word == "--ray":
            word = f"--ray={rest.pop(0) if rest and _RAY_ADDRESS.fullmatch(rest[0]) else 'local'}"
        if word == "--preserve-color":
            word = f"--preserve-color={rest.pop(0) if rest and rest[0] in _COLOUR_KEEPING else 'luma'}"
        out.append(word)
    return out


_COLOUR_KEEPING = ("luma", "local", "match")


_RAY_ADDRESS = re.compile(r"auto|local|ray://.+|(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}")
"""What after `--ray` is an address rather than an input."""


def _names_a_report(word: str) -> bool:
    """Whether what follows `--json` is its file rather than the next option or an input: no video's or picture's name, no
    folder, and no file that holds something else than JSON; a name without a suffix only where nothing has it yet."""
    path = Path(word)
    kind = (guess_type(f"x{path.suffix.lower()}")[0] or "").partition("/")[0]
    if word.startswith("-") or "://" in word or path.is_dir() or kind in ("video", "image", "audio"):
        return False
    if path.suffix.lower() in VIDEOS | PICTURES:
        return False
    if not path.exists() or path.suffix == ".json":
        return True
    if not path.is_file() or not path.suffix:
        return False
    try:
        with path.open("rb") as file:
            return file.read(1) in (b"", b"{", b"[")
    except OSError:
        return False


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0 done, 1 failed, 2 wrong command, 130 interrupted."""
    try:
        app(optional_values(sys.argv[1:] if args is None else args), prog_name="vidstyle")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def script() -> None:
    """What the program `vidstyle` is: `main` in a process of its own."""
    guard()
    main()
