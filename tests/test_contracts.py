"""Promises that hold for the package as a whole and that no single part could test for itself."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "vidstyle").rglob("*.py"))
HEAVY = ("torch", "torchvision", "av", "cv2", "kornia", "openvino", "numpy", "PIL")

HELP = """
import json, resource, sys
from vidstyle.cli import COMMANDS, main
if sys.argv[1] == "names":
    print(json.dumps(list(COMMANDS)))
    raise SystemExit
try:
    main(sys.argv[1:])
except SystemExit as stop:
    code = stop.code
used = resource.getrusage(resource.RUSAGE_SELF)
print("\\n" + json.dumps([code, used.ru_utime + used.ru_stime, sorted(sys.modules)]))
"""


def help_of(*words: str) -> tuple[int, float, set[str]]:
    """Exit code, processor seconds and imported modules of `vidstyle WORDS`, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", HELP, *words], capture_output=True, text=True, check=True)
    code, seconds, modules = json.loads(done.stdout.splitlines()[-1])
    return code or 0, seconds, set(modules)


def commands() -> list[str]:
    done = subprocess.run([sys.executable, "-c", HELP, "names"], capture_output=True, text=True, check=True)
    names = json.loads(done.stdout)
    assert isinstance(names, list)
    return names


@pytest.mark.parametrize(
    "words", [[], *([name] for name in commands())], ids=lambda words: " ".join(words) or "vidstyle"
)
def test_help_imports_nothing_heavy(words):
    code, _, modules = help_of(*words, "--help")
    assert code == 0
    assert not modules & set(HEAVY)


def test_help_answers_at_once():
    """Less than 0.3 s: processor time, the best of three, so that a busy machine does not decide."""
    assert min(help_of("--help")[1] for _ in range(3)) < 0.3


def test_importing_the_package_is_cheap():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, vidstyle; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(loaded) & set(HEAVY)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_source_is_short_and_loads_no_pickle(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute | ast.Name):
            assert ast.unparse(node) not in {"pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load"}
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            safe = [k.value for k in node.keywords if k.arg == "weights_only"]
            assert [ast.unparse(v) for v in safe] == ["True"], (
                f"line {node.lineno}: torch.load without weights_only=True"
            )


def test_every_module_says_what_it_is():
    silent = [
        str(p.relative_to(ROOT))
        for p in SOURCES
        if p.read_text(encoding="utf-8").strip() and not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_every_import_is_declared():
    """What the package imports is the standard library, itself, or a distribution that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    declared = {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in lines}
    homes = packages_distributions()
    imported: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {a.name.partition(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"vidstyle"}
    assert [n for n in sorted(foreign) if not declared & {d.lower().replace("_", "-") for d in homes.get(n, [n])}] == []
