"""The pictures that ship: there, sane, rich, and what their program paints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from vidstyle.styles import gallery

PICTURES = Path(gallery.__file__).parent / "pictures"
PROGRAM = Path(__file__).parents[2] / "pipelines" / "gallery"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(PROGRAM))
    before = set(sys.modules)
    yield import_module("paint")
    for name in set(sys.modules) - before:
        if (PROGRAM / f"{name}.py").exists():
            del sys.modules[name]


def test_names_are_what_ships() -> None:
    assert sorted(gallery.names()) == sorted(p.stem for p in PICTURES.iterdir())
    assert len(gallery.names()) == len(set(gallery.names())) >= 10


def test_names_are_what_is_painted(program: ModuleType) -> None:
    assert sorted(gallery.names()) == program.names()


def test_files_are_small() -> None:
    sizes = [p.stat().st_size for p in PICTURES.iterdir()]
    assert max(sizes) < 120_000
    assert sum(sizes) < 1_000_000


@pytest.mark.parametrize("name", gallery.names())
def test_a_picture_has_contrast_colour_and_strokes(name: str) -> None:
    picture = gallery.load(name)
    assert picture.dtype == np.uint8
    assert picture.shape == (512, 512, 3)
    grey = picture.astype(np.float32).mean(2)
    assert grey.std() > 30, "contrast"
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab).astype(np.float32)
    assert np.hypot(lab[..., 1].std(), lab[..., 2].std()) > 6, "colour"
    # Detail between 2 and 15 px nearly everywhere: no large flat area.
    band = cv2.GaussianBlur(grey, (0, 0), 1) - cv2.GaussianBlur(grey, (0, 0), 8)
    local = np.sqrt(cv2.blur(band * band, (64, 64)))[32:-32, 32:-32]
    assert (local > 2).mean() > 0.98, "strokes"


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        gallery.load("../__init__")


def test_the_program_paints_what_ships(program: ModuleType) -> None:
    """WebP loses what it loses (its own round trip is the yardstick); anything else must be the same."""
    name = "pointillism"
    painted = program.painted(name)
    shipped = gallery.load(name)
    assert psnr(painted, shipped) > 22
    # The same strokes at the same places: blurred beyond the codec's noise, hardly anything is left.
    near = [cv2.GaussianBlur(p, (0, 0), 2) for p in (painted, shipped)]
    assert psnr(*near) > 36


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery.names())
def test_every_picture_is_painted_alike(program: ModuleType, name: str) -> None:
    near = [cv2.GaussianBlur(p, (0, 0), 2) for p in (program.painted(name), gallery.load(name))]
    assert psnr(*near) > 36


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return float(10 * np.log10(255**2 / error))
