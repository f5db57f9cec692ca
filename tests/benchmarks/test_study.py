"""What keeps a study honest."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.study import extent, line, one_model


def test_a_model_that_stays_is_named_by_its_digest(tiny_model: Path) -> None:
    with one_model(str(tiny_model)) as digest:
        assert len(digest) == 64


def test_a_model_replaced_meanwhile_spoils_the_run(tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    shutil.copy(tiny_model, model)
    with pytest.raises(RuntimeError, match="replaced"), one_model(str(model)):
        model.write_bytes(model.read_bytes()[:-1] + b"\x7f")


def test_what_is_asked_for_goes_before_quick_and_full() -> None:
    asked = Namespace(quick=True, clips=None, styles=7, frames=None)
    assert extent(asked, quick=(1, 2, 3), full=(4, 5, 6)) == (1, 7, 3)
    asked.quick = False
    assert extent(asked, quick=(1, 2, 3), full=(4, 5, 6)) == (4, 7, 6)


def test_a_missing_number_is_a_dash() -> None:
    assert line("name", {"a": 0.5, "b": None}, ("a", "b")).split() == ["name", "a", "0.50000", "b", "-"]
