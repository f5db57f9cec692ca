"""Promises that hold for the package as a whole and that no single part could test for itself."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

from vidstyle.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "vidstyle").rglob("*.py"))
HEAVY = ("torch", "torchvision", "av", "cv2", "kornia", "openvino", "numpy", "PIL")


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


HELP = """
import json, resource, sys
from vidstyle.cli import COMMANDS, main
found = {}
for name in ["vidstyle", *(COMMANDS if sys.argv[1] == "all" else [])]:
    try:
        main([*([] if name == "vidstyle" else [name]), "--help"])
    except SystemExit as stop:
        found[name] = [stop.code or 0, sorted(sys.modules)]
used = resource.getrusage(resource.RUSAGE_SELF)
print("\\n" + json.dumps([used.ru_utime + used.ru_stime, found]))
"""


def helped(what: str) -> tuple[float, dict[str, tuple[int, list[str]]]]:
    """Help of `vidstyle` alone or of all commands, one after the other, in a process of its own: processor seconds of all; exit
    code of each, and the modules that are there after it."""
    done = subprocess.run([sys.executable, "-c", HELP, what], capture_output=True, text=True, check=True)
    seconds, found = json.loads(done.stdout.splitlines()[-1])
    return seconds, found


def test_help_imports_nothing_heavy() -> None:
    _, found = helped("all")
    assert set(COMMANDS) < set(found)
    for name, (code, modules) in found.items():
        assert code == 0, name
        assert not set(modules) & set(HEAVY), name


def test_help_answers_at_once() -> None:
    """Less than 0.3 s of processor, the best of six. A busy machine's seconds are longer: there three and a half times what
    importing typer alone takes, which is about as much."""
    measure = "import resource, typer; r = resource.getrusage(resource.RUSAGE_SELF); print(r.ru_utime + r.ru_stime)"
    tries = [
        (
            helped("itself")[0],
            float(subprocess.run([sys.executable, "-c", measure], capture_output=True, text=True).stdout),
        )
        for _ in range(6)
    ]
    assert min(help_ for help_, _ in tries) < max(0.3, 3.5 * min(typer for _, typer in tries)), tries


def test_importing_the_package_is_cheap() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, vidstyle; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(loaded) & set(HEAVY)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_source_is_short_and_loads_no_pickle(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    if not re.search("pickle|joblib|torch.load", text):
        return
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            assert ast.unparse(node) not in {"pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load"}
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            safe = [k.value for k in node.keywords if k.arg == "weights_only"]
            assert [ast.unparse(v) for v in safe] == ["True"], (
                f"line {node.lineno}: torch.load without weights_only=True"
            )


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in SOURCES
        if p.read_text(encoding="utf-8").strip() and not ast.get_docstring(_parsed(p))
    ]
    assert silent == []


def test_every_import_is_declared() -> None:
    """What the package imports is the standard library, itself, or a distribution that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    declared = {re.findall(r"^[\w.-]+", line)[0].lower().replace("_", "-") for line in lines}
    homes = packages_distributions()
    imported: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.Import):
                imported |= {a.name.partition(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"vidstyle"}
    assert [n for n in sorted(foreign) if not declared & {d.lower().replace("_", "-") for d in homes.get(n, [n])}] == []


def _syntax() -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        yield path.relative_to(ROOT / "vidstyle"), _parsed(path)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _is_command(path: Path, function: ast.FunctionDef) -> bool:
    """A typer command: its parameters are the command line's options, and its length is mostly theirs."""
    return path.parts[0] == "cli" and "Annotated" in ast.unparse(function.args)


def test_functions_are_read_at_a_glance() -> None:
    for path, tree in _syntax():
        for function in _functions(tree):
            name, lines = f"{path.as_posix()}:{function.name}", (function.end_lineno or 0) - function.lineno + 1
            if not _is_command(path, function):
                assert lines <= 60, f"{name} has {lines} lines"


MORE_PARAMETERS = {
    "engines/cuda/graph.py:__init__": 8,
    "media/input/reader.py:read_frames": 9,
    "media/output/writer.py:__init__": 8,
    "styles/fit/make.py:make": 11,
    "training/trainer.py:__init__": 8,
}
"""Functions with more than 7 parameters, and how many they may have. None is to be added."""


def test_functions_take_few_parameters() -> None:
    for path, tree in _syntax():
        for function in _functions(tree):
            names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
            count = len(names) - (names[:1] in (["self"], ["cls"]))
            name = f"{path.as_posix()}:{function.name}"
            if not _is_command(path, function):
                assert count <= MORE_PARAMETERS.get(name, 7), f"{name} takes {count} parameters"


def test_a_class_name_is_used_once() -> None:
    places: dict[str, list[str]] = {}
    for path, tree in _syntax():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(path.as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


TWINS = {"source", "detail", "shift", "checkpoint", "images", "picture", "painting"}
"""Names of modules that two packages share although neither is a command nor CUDA's. None is to be added."""


def test_a_module_name_is_used_once() -> None:
    places: dict[str, list[Path]] = {}
    for path, _ in _syntax():
        if path.stem not in ("__init__", "__main__"):
            places.setdefault(path.stem, []).append(path)
    for name, found in places.items():
        others = [p for p in found if p.parts[0] != "cli" and p.parent.name != "cuda"]
        assert len(others) <= 1 or name in TWINS, f"{name}: {', '.join(map(str, found))}"


FOLDERS = {"cli": 40, "imaging": 16, "media/input": 14, "models": 13, "training": 17, "training/data": 15}
"""Folders that may hold more than 12 modules: one file a command in cli/; the others are to shrink."""


def test_a_folder_is_one_idea() -> None:
    held: dict[str, int] = {}
    for path, _ in _syntax():
        if path.stem != "__init__":
            held[path.parent.as_posix()] = held.get(path.parent.as_posix(), 0) + 1
    for folder, count in held.items():
        assert count <= FOLDERS.get(folder, 12), f"{folder}/ holds {count} modules"


def _names_of_others(tree: ast.Module) -> set[str]:
    """What a module may name of other modules: imported names, attributes, ends of strings ("package.module:name")."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(re.split(r"[.:]", node.value)[-1])
    return found


def _functions_and_constants(tree: ast.Module) -> Iterator[str]:
    """Top-level functions, but for commands and routes, which a decorator gives to others; constants in capitals."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not any(isinstance(d, ast.Call) and ast.unparse(d.func) != "cache" for d in node.decorator_list):
                yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name) and n.id.isupper())


def test_what_one_module_alone_uses_is_private() -> None:
    """Names without `_` are those that somebody else uses: another module, a test, a benchmark, a program. Classes and aliases
    are left out: their objects travel although their names need not."""
    others = [p for folder in ("tests", "benchmarks", "pipelines", "docs") for p in (ROOT / folder).rglob("*.py")]
    uses = {path: _names_of_others(_parsed(path)) for path in (*SOURCES, *others)}
    users = Counter(name for found in uses.values() for name in found)
    for path, tree in _syntax():
        names = {name for name in _functions_and_constants(tree) if not name.startswith("_")}
        if path.parts[0] == "cli":
            names -= {f.name for f in _functions(tree) if _is_command(path, f)} | {"script"}  # the entry point
        own = uses[ROOT / "vidstyle" / path]
        alone = sorted(name for name in names if users[name] == (name in own))
        assert not alone, f"{path.as_posix()}: {', '.join(alone)}: used here only, so the name begins with _"


def _at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in a module but what type checkers alone read."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from _at_run_time(child)


def _imports(tree: ast.Module, known: set[str]) -> set[str]:
    """The package's modules that a module imports, at its top or inside functions."""
    found: set[str] = set()
    for node in _at_run_time(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return found & known


def test_no_imports_in_circles() -> None:
    """Imports inside functions count: what two modules need of each other belongs into a third one. (Imports for type checkers
    alone do not: nothing is run for them.)"""
    modules = {".".join(("vidstyle", *p.with_suffix("").parts)).removesuffix(".__init__"): t for p, t in _syntax()}
    order = TopologicalSorter({name: _imports(tree, set(modules)) - {name} for name, tree in modules.items()})
    order.prepare()  # raises CycleError, which names them


DIALECT = {"crew", "fill", "look", "words", "draws", "feed", "parts", "film"}
"""What modules were called once; the field has words for all of it."""


def test_no_module_is_named_in_a_dialect_of_our_own() -> None:
    assert {path.stem for path, _ in _syntax()} & DIALECT == set()
