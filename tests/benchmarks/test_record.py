"""Results: what is in the file, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.harness import Timing
from benchmarks.record import ROOT, SCHEMA, environment, load, save


def test_environment_names_machine_and_versions() -> None:
    import torch

    found = environment()
    assert found["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert found["cores"] >= 1
    assert found["processor"]
    assert found["load_1min"] >= 0


def test_a_result_reads_back(tmp_path: Path) -> None:
    path = save(tmp_path / "new", "thing", [{"n": 1, "time": Timing(2.0, 1.0, 3.0, 5)}], {"cores": 2}, answer=42)
    result = load(path)
    assert result["schema"] == SCHEMA
    assert result["answer"] == 42
    assert result["machine"]["cores"] == 2
    assert "load_1min_after" in result["machine"]
    assert result["rows"] == [{"n": 1, "time": {"median": 2.0, "low": 1.0, "high": 3.0, "repeats": 5, "clock": "wall"}}]


def test_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save(tmp_path, "thing", [{"n": float("nan")}], {})


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"schema": SCHEMA + 1}))
    with pytest.raises(ValueError, match="schema"):
        load(path)


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "results").glob("*.json")), ids=lambda p: p.stem)
def test_published_results_can_be_read(path: Path) -> None:
    result = load(path)
    assert result["benchmark"] == path.stem
    assert result["rows"]
    assert result["machine"]["versions"]["torch"]
