"""Fits before a run: when, what is remembered, what the journal holds."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ClipMaker
from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.base import Engine
from vidstyle.pipeline import fitting
from vidstyle.pipeline.fitting import default_steps
from vidstyle.pipeline.images import stylize_image
from vidstyle.pipeline.plan.journal import journal_folder
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.run import stylize_video
from vidstyle.styles.fit import optimise
from vidstyle.styles.fit.settings import FitSettings
from vidstyle.styles.fit.store import folder, remembered


@pytest.fixture(autouse=True)
def small_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps on tiny crops, and a folder of the test's own."""
    monkeypatch.setenv("VIDSTYLE_FIT", "2")
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "fitted"))
    monkeypatch.setattr(optimise, "SIDE", 48)


@pytest.fixture
def art(tmp_path: Path) -> str:
    pixels = np.kron(np.random.default_rng(3).integers(0, 256, (10, 12, 3)), np.ones((6, 6, 1))).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "art.png")
    return str(tmp_path / "art.png")


def options(tiny_model: Path, **more: object) -> RunOptions:
    fixed: dict[str, object] = {
        "model": tiny_model,
        "engine": "torch",
        "device": "cpu",
        "precision": "fp32",
        "style_size": 48,
        "codec": "ffv1",
    }
    return RunOptions(**{**fixed, **more})  # type: ignore[arg-type]


def test_how_far_a_fit_is_is_said_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    work = fitting._Work(cast(Engine, None), FitSettings(), True, lines.append)
    clock = iter([0.0, 10.0, 16.0, 16.0, 20.0, 40.0])
    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    tell = work.told("art.jpg")
    for step in (1, 2, 3):
        tell(step, 9)
    assert lines == ["learning the style art.jpg: step 2 of 9"]
    tell(9, 9)
    assert len(lines) == 1


def test_a_style_is_fitted_once_and_said_once(make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path) -> None:
    clip, said = make_clip(frames=6), list[str]()
    asked = options(tiny_model, fit=2)
    first = stylize_video(clip, tmp_path / "1.mkv", art, options=asked, say=said.append)
    assert first.fit == {"steps": 2, "styles": ["fitted"]}
    assert len(said) == 1
    assert "learning the style" in said[0]
    again = stylize_video(clip, tmp_path / "2.mkv", art, options=asked, say=said.append)
    assert again.fit == {"steps": 2, "styles": ["remembered"]}
    assert len(said) == 1
    assert (tmp_path / "1.mkv").read_bytes() == (tmp_path / "2.mkv").read_bytes()
    read = stylize_video(clip, tmp_path / "3.mkv", art, options=options(tiny_model, fit=0))
    assert read.fit == {"steps": 0, "styles": ["read"]}
    assert (tmp_path / "3.mkv").read_bytes() != (tmp_path / "1.mkv").read_bytes()
    assert [r.name for r in remembered()] == [art]


def test_a_short_film_uses_a_fit_only_where_one_is_remembered(
    make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path
) -> None:
    clip, said = make_clip(frames=6), list[str]()
    plain = options(tiny_model)
    report = stylize_video(clip, tmp_path / "1.mkv", art, options=plain, say=said.append)
    assert report.fit == {"steps": 2, "styles": ["read"]}
    assert len(said) == 1
    assert "as it is read" in said[0]
    assert not folder().exists()
    long = make_clip(frames=12, rate=2)
    assert stylize_video(long, tmp_path / "2.mkv", art, options=plain).fit["styles"] == ["fitted"]
    assert stylize_video(clip, tmp_path / "3.mkv", art, options=plain).fit["styles"] == ["remembered"]
    assert (tmp_path / "3.mkv").read_bytes() != (tmp_path / "1.mkv").read_bytes()


def test_files_of_styles_are_left_as_they_are(make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path) -> None:
    clip, asked = make_clip(frames=4), options(tiny_model, fit=2)
    stylize_video(clip, tmp_path / "1.mkv", art, options=asked)
    style = str(remembered()[0].path)
    given = stylize_video(clip, tmp_path / "2.mkv", style, options=asked)
    assert given.fit == {"steps": 2, "styles": ["given"]}
    assert (tmp_path / "1.mkv").read_bytes() == (tmp_path / "2.mkv").read_bytes()


def test_a_resumed_run_has_the_style_of_its_journal(
    make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path
) -> None:
    clip = make_clip(frames=12)
    asked = options(tiny_model, fit=2, segment=Fraction(6, 25))
    stylize_video(clip, tmp_path / "whole.mkv", art, options=asked)

    def stop(done: int, _: int | None) -> None:
        if done >= 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, tmp_path / "cut.mkv", art, options=asked, progress=stop)
    for style in remembered():
        style.path.unlink()  # whatever becomes of the folder, the journal has its own
    assert (journal_folder(tmp_path / "cut.mkv") / "style-0.safetensors").is_file()
    resumed = options(tiny_model, fit=2, segment=Fraction(6, 25), resume=True)
    report = stylize_video(clip, tmp_path / "cut.mkv", art, options=resumed)
    assert report.fit["styles"] == ["remembered"]
    assert remembered() == []
    assert (tmp_path / "cut.mkv").read_bytes() == (tmp_path / "whole.mkv").read_bytes()


def test_another_number_of_steps_does_not_resume(
    make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path
) -> None:
    clip = make_clip(frames=12)

    def stop(done: int, _: int | None) -> None:
        if done >= 7:
            raise KeyboardInterrupt

    asked = options(tiny_model, fit=2, segment=Fraction(6, 25))
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, tmp_path / "cut.mkv", art, options=asked, progress=stop)
    other = options(tiny_model, fit=0, segment=Fraction(6, 25), resume=True)
    with pytest.raises(UsageError, match="fit"):
        stylize_video(clip, tmp_path / "cut.mkv", art, options=other)


def test_no_room_for_the_style_is_one_sentence(
    make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VIDSTYLE_STYLES", str(tmp_path / "file" / "styles"))
    with pytest.raises(InputError, match=r"--no-fit"):
        stylize_video(make_clip(frames=4), tmp_path / "1.mkv", art, options=options(tiny_model, fit=2))
    assert not list(tmp_path.glob("1.mkv*"))


def test_pictures_use_what_is_remembered(make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)).save(photo)
    said = list[str]()
    stylize_image(photo, tmp_path / "read.png", art, options=options(tiny_model), say=said.append)
    assert len(said) == 1
    stylize_video(make_clip(frames=4), tmp_path / "1.mkv", art, options=options(tiny_model, fit=2))
    stylize_image(photo, tmp_path / "fitted.png", art, options=options(tiny_model), say=said.append)
    stylize_image(photo, tmp_path / "plain.png", art, options=options(tiny_model, fit=0))
    assert len(said) == 1
    one, two, three = (np.array(Image.open(tmp_path / f"{n}.png")) for n in ("read", "fitted", "plain"))
    assert np.array_equal(one, three)
    assert not np.array_equal(one, two)


def test_the_default_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_steps() == 2
    monkeypatch.delenv("VIDSTYLE_FIT")
    assert default_steps() == 0
    monkeypatch.setenv("VIDSTYLE_FIT", "many")
    with pytest.raises(UsageError, match="VIDSTYLE_FIT"):
        default_steps()


def test_the_report_is_json(make_clip: ClipMaker, tiny_model: Path, art: str, tmp_path: Path) -> None:
    report = stylize_video(make_clip(frames=4), tmp_path / "1.mkv", art, options=options(tiny_model, fit=0))
    assert json.loads(json.dumps(report.to_dict()))["fit"] == {"steps": 0, "styles": ["read"]}
