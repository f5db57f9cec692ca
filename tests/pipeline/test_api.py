"""The package's functions as programs call them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vidstyle
from vidstyle.core.errors import in_api_words

PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.fixture
def options(tiny_model: Path) -> dict[str, Any]:
    return {"model": tiny_model, "engine": "torch", "device": "cpu", "style_size": 32, "overwrite": True}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    Image.fromarray(255 - PICTURE).save(tmp_path / "in.png")
    Image.fromarray(PICTURE).save(tmp_path / "art.png")
    return tmp_path / "in.png"


def test_a_style_is_a_name_a_path_or_a_picture(source: Path, options: dict[str, Any]) -> None:
    art, out = source.with_name("art.png"), source.with_name("out.png")
    alpha = np.dstack([PICTURE, np.full((48, 64), 255, np.uint8)])
    results = []
    styles: list[Any] = [str(art), art, PICTURE, alpha, [art], [PICTURE], [f"{art}:1", PICTURE], (art, str(art), alpha)]
    for style in styles:
        vidstyle.stylize_image(source, out, style, options=vidstyle.RunOptions(**options))
        results.append(np.asarray(Image.open(out)).astype(int))
    assert all(np.abs(r - results[0]).max() <= 1 for r in results)


def test_a_path_is_a_file_also_where_a_built_in_style_has_its_name(
    source: Path, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    with pytest.raises(vidstyle.InputError, match="mosaic: no such file"):
        vidstyle.stylize_image(source, "out.png", Path("mosaic"), options=vidstyle.RunOptions(**options))


@pytest.mark.parametrize(
    "styles", [5, None, [], [5], {"mosaic": 1}, PICTURE[..., 0], PICTURE.astype(float), [PICTURE[:0]], "mosaic:x:0"]
)
def test_wrong_styles_are_usage_errors(styles: Any, source: Path, options: dict[str, Any]) -> None:
    with pytest.raises(vidstyle.UsageError) as refused:
        vidstyle.stylize_image(source, source.with_name("o.png"), styles, options=vidstyle.RunOptions(**options))
    assert "--" not in str(refused.value)


def test_wrong_arguments_are_usage_errors(source: Path, options: dict[str, Any]) -> None:
    good = vidstyle.RunOptions(**options)
    for arguments in ((5, "o.mp4", "mosaic", good), (source, 5, "mosaic", good), (source, "o.mp4", "mosaic", options)):
        for function in (vidstyle.stylize_video, vidstyle.stylize_image):
            with pytest.raises(vidstyle.UsageError, match="must be"):
                function(*arguments[:3], options=arguments[3])  # type: ignore[arg-type]


def test_errors_speak_of_arguments(source: Path, options: dict[str, Any], make_clip: Any, tmp_path: Path) -> None:
    settings = vidstyle.RunOptions(**{**options, "overwrite": False})
    with pytest.raises(
        vidstyle.UsageError, match=r"exists already; pass overwrite=True to replace it, or choose"
    ) as there:
        vidstyle.stylize_image(source, source.with_name("art.png"), "mosaic", options=settings)
    assert " -" not in str(there.value)
    clip = make_clip(frames=3)
    with pytest.raises(vidstyle.UsageError, match=r"^start: .* lasts only 0\.120 s"):
        vidstyle.stylize_video(
            clip, tmp_path / "o.mp4", "mosaic", options=vidstyle.RunOptions(**options, start=Fraction(9))
        )


def test_words() -> None:
    said = "out.mp4: holds a run; add --resume to go on, or -y to start over; --max-side 3: choose another with -o."
    told = (
        "out.mp4: holds a run; pass resume=True to go on, or overwrite=True to start over; max_side 3: choose another."
    )
    assert in_api_words(said) == told
