"""The pages: their links lead somewhere, every page is on the site, and tables of numbers are those of their files."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")), *DOCS]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r"""(?:src|href)=["']([^"'#]+)""", text)
    local = [t for t in targets if not re.match(r"[a-z]+:", t)]
    assert [t for t in local if not (page.parent / t).exists()] == []


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [
        str(p.relative_to(ROOT / "docs")) for p in DOCS if str(p.relative_to(ROOT / "docs")) not in navigation
    ] == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 80


def test_pinned_versions_cover_what_is_declared() -> None:
    """Every requirement but torch's own stands in constraints.txt, else `make lock` was forgotten."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"].values()
    lines = [
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *(line for group in groups for line in group if isinstance(line, str)),
    ]
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    declared = {re.findall(r"^[\w.-]+", line)[0].lower() for line in lines} - {"torch", "torchvision", "vidstyle"}
    assert sorted(declared - pinned) == []


def speeds() -> tuple[dict[tuple[str, str, str], float], dict[str, float], float]:
    """Of fps.json: the model's frames per second by (size, engine, precision), a run's by size, and the bound x pixels."""
    result = json.loads((ROOT / "benchmarks/results/fps.json").read_text(encoding="utf-8"))
    rows, best = result["rows"], result["bound"]["peaks"]["int8"] / result["bound"]["multiplications"]
    model = {
        (f"{r['width']}x{r['height']}", r["engine"], r["precision"]): r["fps"] for r in rows if r["what"] == "model"
    }
    whole = {f"{r['width']}x{r['height']}": r["fps_after_start"] for r in rows if r["what"] == "command"}
    return model, whole, best


def same(text: str, exact: float) -> bool:
    return abs(float(text) - exact) <= (0.0051 if exact < 10 else 0.0501)


def test_speeds_of_the_benchmarks_page_are_those_of_the_result_file() -> None:
    model, whole, best = speeds()
    page = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\d+x\d+) \|" + r" ([\d.]+) \|" * 7 + "$", page, re.MULTILINE)
    assert len(table) == len(whole)
    for size, *shown, bound in table:
        width, height = map(int, size.split("x"))
        assert float(bound) == pytest.approx(best / (width * height), rel=0.01)
        columns = [("openvino", "int8"), *((e, p) for e in ("openvino", "torch") for p in ("bf16", "fp32"))]
        for text, exact in zip(shown, [*(model[size, *c] for c in columns), whole[size]], strict=True):
            assert same(text, exact)


def test_speeds_of_readme_are_those_of_the_result_file() -> None:
    _, whole, _ = speeds()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    head, numbers = re.findall(r"^\|((?: [\dx.]+ \|){6})$", readme, re.MULTILINE)
    table = dict(zip(head.strip(" |").split(" | "), numbers.strip(" |").split(" | "), strict=True))
    assert table.keys() == whole.keys()
    assert [size for size, text in table.items() if not same(text, whole[size])] == []


def test_start_up_times_are_those_of_the_result_file() -> None:
    rows = json.loads((ROOT / "benchmarks/results/startup.json").read_text(encoding="utf-8"))["rows"]
    page = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| [^|]+ \| (\d\.\d\d) \| (\d\.\d\d) \| \d\.\d\d \| [^|]+ \|$", page, re.MULTILINE)
    order = ["help", "no such file", "no such style", "not a video", "one frame"]
    exact = {row["what"]: (row["seconds"]["median"], row["cpu_seconds"]["median"]) for row in rows}
    assert [tuple(map(float, pair)) for pair in shown] == [tuple(round(x, 2) for x in exact[what]) for what in order]
