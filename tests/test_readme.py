"""The README's examples: each parses, and those in blocks marked `sh run` do what they say, one after another."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from vidstyle.cli import COMMANDS, app, optional_json

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples(kind: str) -> list[list[str]]:
    """Words of each `vidstyle ...` line in the README's shell blocks whose fence matches `kind`, comments left out."""
    blocks = re.findall(rf"^```({kind})\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    lines = "\n".join(block for _, block in blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("vidstyle ")]


def parse(words: list[str]) -> int:
    """Exit code of a command line that is only parsed: nothing runs."""
    group = typer.main.get_command(app)
    group.commands = {name: silenced(group.commands[name]) for name in COMMANDS}
    with pytest.raises(SystemExit) as stop:
        group.main(optional_json(words), prog_name="vidstyle")
    return int(stop.value.code or 0)


def silenced(command: Any) -> Any:
    command.callback = lambda **_: None
    for inner in getattr(command, "commands", {}).values():
        silenced(inner)
    return command


@pytest.mark.parametrize("words", examples("sh(?: run)?"), ids=" ".join)
def test_example_parses(words):
    assert parse(words) == 0


@pytest.mark.parametrize("words", [["run", "film.mp4", "--no-such-option"], ["run"], ["no-such-command"]], ids=" ".join)
def test_parsing_notices_mistakes(words):
    assert parse(words) == 2


def test_every_command_has_an_example():
    assert {words[0] for words in examples("sh(?: run)?")} >= set(COMMANDS)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_examples_run(tmp_path):
    """In one empty folder, in the README's order: later examples use the files of earlier ones."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for words in examples("sh run"):
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_within_the_repository_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r"""(?:src|href)=["']([^"'#]+)""", text)
    local = [t for t in targets if not re.match(r"[a-z]+:", t)]
    assert [t for t in local if not (document.parent / t).exists()] == []


def test_speeds_are_those_of_the_result_file():
    result = json.loads((ROOT / "benchmarks/results/fps.json").read_text(encoding="utf-8"))
    rows, best = result["rows"], result["bound"]["peaks"]["int8"] / result["bound"]["multiplications"]
    model = {
        (f"{r['width']}x{r['height']}", r["engine"], r["precision"]): r["fps"] for r in rows if r["what"] == "model"
    }
    whole = {f"{r['width']}x{r['height']}": r["fps_after_start"] for r in rows if r["what"] == "command"}
    table = re.findall(r"^\| (\d+x\d+) \|" + r" ([\d.]+) \|" * 7 + "$", README, re.MULTILINE)
    assert len(table) == len(whole)
    for size, *shown, bound in table:
        width, height = map(int, size.split("x"))
        assert float(bound) == pytest.approx(best / (width * height), rel=0.01)
        columns = [("openvino", "int8"), *((e, p) for e in ("openvino", "torch") for p in ("bf16", "fp32"))]
        for text, exact in zip(shown, [*(model[size, *c] for c in columns), whole[size]], strict=True):
            assert abs(float(text) - exact) <= (0.0051 if exact < 10 else 0.0501)
