"""Where fitted styles lie, and under which name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.core.errors import UsageError
from vidstyle.models.checkpoint import save_fitted_code
from vidstyle.models.style_code import MomentCode, StyleCode
from vidstyle.styles.fit.settings import SIZES, VERSION, FitSettings
from vidstyle.styles.fit.store import folder, place, remembered, usable

ART = np.zeros((32, 40, 3), np.uint8)
CODE = StyleCode((MomentCode(torch.zeros(1, 3), torch.ones(1, 3)),))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "styles"))
    return tmp_path / "styles"


def test_the_name_depends_on_all_that_the_fit_depends_on() -> None:
    settings = FitSettings()
    names = [
        place("art.jpg", ART, settings, "a" * 64),
        place("art.jpg", ART, settings, "b" * 64),
        place("art.jpg", ART + 1, settings, "a" * 64),
        place("art.jpg", ART, settings, "a" * 64, fitted_on="film"),
        *(
            place("art.jpg", ART, replace(settings, **change), "a" * 64)
            for change in ({"steps": 41}, {"deep": True}, {"balance": "bold"}, {"paint_size": 240}, {"style_size": 256})
        ),
    ]
    assert len(set(names)) == len(names)
    assert all(name.parent == folder() and name.name.startswith("art-") for name in names)
    assert place("art.jpg", ART, replace(settings, paint_size=400), "a" * 64) == names[0]  # 360 is nearest to both


@pytest.mark.parametrize("name", ["", "...", "/tmp/a b/ü.png", "x" * 300])
def test_any_name_makes_a_file_name(name: str) -> None:
    assert len(place(name, ART, FitSettings(), "a" * 64).name) < 90


def test_painting_sizes_go_to_the_nearest() -> None:
    assert [FitSettings(paint_size=size).size for size in SIZES] == list(SIZES)
    assert FitSettings(paint_size=64).size == SIZES[0]
    assert FitSettings(paint_size=4000).size == SIZES[-1]


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"balance": "loud"}])
def test_wrong_settings_are_one_sentence(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="--"):
        FitSettings(**wrong)  # type: ignore[arg-type]


def test_only_a_style_of_this_version_and_model_is_used(own_folder: Path) -> None:
    path = own_folder / "art.safetensors"
    assert not usable(path, "a" * 64)
    save_fitted_code(CODE, path, "a" * 64, {"fit": {"version": VERSION, "name": "art"}})
    assert usable(path, "a" * 64)
    assert not usable(path, "b" * 64)
    save_fitted_code(CODE, path, "a" * 64, {"fit": {"version": VERSION - 1, "name": "art"}})
    assert not usable(path, "a" * 64)
    path.write_bytes(path.read_bytes()[:-5])
    assert not usable(path, "a" * 64)


def test_what_is_remembered(own_folder: Path) -> None:
    assert remembered() == []
    for name in ("b", "a"):
        save_fitted_code(
            CODE, own_folder / f"{name}.safetensors", "a" * 64, {"fit": {"version": VERSION, "name": name}}
        )
    (own_folder / "other.safetensors").write_bytes(b"no style")
    assert [r.name for r in remembered()] == ["a", "b"]
