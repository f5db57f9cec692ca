"""What `--style` may say, and what it must refuse."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidstyle.core.errors import InputError, UsageError
from vidstyle.styles import gallery
from vidstyle.styles.resolve import StyleSpec, normalised, parse, resolve


@pytest.mark.parametrize(
    ("text", "ref", "weight"),
    [
        ("mosaic", "mosaic", 1.0),
        ("mosaic:0.7", "mosaic", 0.7),
        ("art.jpg:2", "art.jpg", 2.0),
        ("art.jpg:1e-3", "art.jpg", 0.001),
        ("art.jpg:.5", "art.jpg", 0.5),
        ("art.jpg: 3 ", "art.jpg", 3.0),
        (r"C:\art\a.jpg", r"C:\art\a.jpg", 1.0),
        (r"C:\art\a.jpg:0.25", r"C:\art\a.jpg", 0.25),
        ("a:b.jpg", "a:b.jpg", 1.0),
        ("a:b:c.jpg:4", "a:b:c.jpg", 4.0),
        ("12:30 sunset.png:5", "12:30 sunset.png", 5.0),
        ("art.jpg:1_0", "art.jpg:1_0", 1.0),
    ],
)
def test_parse(text: str, ref: str, weight: float) -> None:
    assert parse(text) == StyleSpec(ref, weight)


@pytest.mark.parametrize(
    "text", ["", "  ", ":0.5", "a.jpg:", "a.jpg:0", "a.jpg:-1", "a.jpg:nan", "a.jpg:inf", "a.jpg:1e999", "a.jpg:0.0"]
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_parse_names_the_point_for_a_comma() -> None:
    with pytest.raises(UsageError, match=r"art\.jpg:0\.7"):
        parse("art.jpg:0,7")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no colons in file names")
def test_an_existing_file_with_a_colon_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("still:0.5").touch()
    assert parse("still:0.5") == StyleSpec("still:0.5")
    assert parse("still:0.5:2") == StyleSpec("still:0.5", 2.0)


@given(st.text(min_size=1).filter(lambda s: s.strip() and "\0" not in s), st.floats(1e-300, 1e300))
def test_parse_returns_what_was_joined(ref: str, weight: float) -> None:
    assert parse(f"{ref}:{weight!r}") == StyleSpec(ref, weight)


@given(st.lists(st.floats(5e-324, 1.7e308), min_size=1, max_size=20))
def test_normalised_is_the_exact_share(weights: list[float]) -> None:
    shares = normalised(weights)
    assert math.fsum(shares) == pytest.approx(1, abs=1e-12)
    total = sum(map(Fraction, weights))
    for share, weight in zip(shares, weights, strict=True):
        assert share == pytest.approx(float(Fraction(weight) / total), rel=1e-12, abs=1e-300)


def test_normalised_needs_a_style() -> None:
    with pytest.raises(UsageError, match="vidstyle styles"):
        normalised([])


@pytest.mark.parametrize("ref", ["stained-glass", "Stained-Glass", "stained_glass", " stained glass "])
def test_built_in_names_are_forgiving(ref: str) -> None:
    picture = resolve(ref, size=100)
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (100, 100, 3)
    assert picture.dtype == np.uint8


def test_a_misspelt_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="stained-glass") as error:
        resolve("staned-glas")
    assert error.value.exit_code == 2
    with pytest.raises(UsageError, match=gallery.names()[0]):
        resolve("qqqq")


@pytest.mark.parametrize("ref", ["no/such", "nothing.jpg", "./mosaic", "gone.safetensors"])
def test_a_missing_file_is_called_one(ref: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no such file") as error:
        resolve(ref)
    assert error.value.exit_code == 1


def test_a_folder_and_a_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"):
        resolve(str(tmp_path))
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.jpg"):
        resolve(str(tmp_path / "a.jpg"))


@given(st.integers(16, 90), st.integers(16, 90))
def test_a_picture_is_read_at_the_short_side(width: int, height: int) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "p.png"
        Image.new("RGB", (width, height), (10, 200, 30)).save(path)
        picture = resolve(str(path), size=32)
    assert isinstance(picture, np.ndarray)
    assert min(picture.shape[:2]) == 32
    assert picture.shape[1] / picture.shape[0] == pytest.approx(width / height, rel=0.04)
    assert (picture == (10, 200, 30)).all()


def test_a_compiled_code_stays_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.touch()
    assert resolve(str(path)) == path
