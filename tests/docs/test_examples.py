"""The examples of README and docs: each parses, and the blocks under `<!-- run -->` do what they say, one after another."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from vidstyle.cli import COMMANDS, app, optional_values

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?P<run>^<!-- run -->\n)?^```sh\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: Path, *, run: bool = False) -> list[list[str]]:
    """Words of each `vidstyle ...` line in a page's shell blocks (those under `<!-- run -->` alone), without comments."""
    blocks = [m["lines"] for m in BLOCK.finditer(page.read_text(encoding="utf-8")) if m["run"] or not run]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    own = (
        line.partition(" | ")[0] for line in lines if line.startswith("vidstyle ")
    )  # what it is piped into is not ours
    return [shlex.split(line, comments=True)[1:] for line in own]


EXAMPLES = [(page.name, words) for page in PAGES for words in commands(page)]
RUNNABLE = [page for page in PAGES if commands(page, run=True)]


def parse(words: list[str]) -> int:
    """Exit code of a command line that is only parsed: nothing runs."""
    group: Any = typer.main.get_command(app)
    group.commands = {name: silenced(group.commands[name]) for name in COMMANDS}
    with pytest.raises(SystemExit) as stop:
        group.main(optional_values(words), prog_name="vidstyle")
    return int(stop.value.code or 0)


def silenced(command: Any) -> Any:
    command.callback = lambda **_: None
    for inner in getattr(command, "commands", {}).values():
        silenced(inner)
    return command


@pytest.mark.parametrize(
    ("page", "words"), EXAMPLES, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_example_parses(page: Path, words: list[str]) -> None:
    assert parse(words) == 0


@pytest.mark.parametrize("words", [["run", "film.mp4", "--no-such-option"], ["run"], ["no-such-command"]], ids=" ".join)
def test_parsing_notices_mistakes(words: list[str]) -> None:
    assert parse(words) == 2


def test_every_command_has_an_example() -> None:
    assert {words[0] for words in commands(ROOT / "docs/commands.md")} >= set(COMMANDS)


def test_readme_and_tutorial_have_examples_that_run() -> None:
    assert {page.name for page in RUNNABLE} >= {"README.md", "tutorial.md"}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)
def test_examples_run(page: Path, tmp_path: Path) -> None:
    """In one empty folder, in the page's order: later examples use the files of earlier ones."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for words in commands(page, run=True):
        done = subprocess.run(
            [sys.executable, "-m", "vidstyle", *words],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"vidstyle {shlex.join(words)}: {done.stderr}"
        for name in outputs(words):
            assert (tmp_path / name).stat().st_size > 0


def outputs(words: list[str]) -> list[str]:
    """Files that a command line names with -o or --html."""
    return [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-o", "--html")]


PYTHON = [
    (page.name, block)
    for page in PAGES
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=lambda value: value.partition("\n")[0])
def test_python_example_uses_names_that_exist(page: Path, block: str) -> None:
    import vidstyle

    names = {
        node.attr
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "vidstyle"
    }
    assert [name for name in sorted(names) if not hasattr(vidstyle, name)] == []
