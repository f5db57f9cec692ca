"""Masks that are found: by colour, before a plate, carried along; as films that `run` takes."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle import cli
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.pipeline.masking.finders import BeforePlate, ByColour, Carried
from vidstyle.pipeline.masking.mask_film import Softening, mask_video
from vidstyle.pipeline.stages.moving_masks import MovingMask

BLUE = (40, 80, 200)


def scene(x: int, *, width: int = 160, height: int = 96) -> np.ndarray:
    """A textured ground with a textured blue square of 40 pixels whose left edge is at x."""
    rng = np.random.default_rng(1)
    frame = np.repeat(rng.integers(90, 130, (height, width, 1), np.uint8), 3, 2)
    square = np.clip(np.array(BLUE) + rng.integers(-15, 16, (40, 40, 1)), 0, 255).astype(np.uint8)
    frame[30:70, x : x + 40] = square
    return frame


def square(x: int) -> np.ndarray:
    mask = np.zeros((96, 160))
    mask[30:70, x : x + 40] = 1
    return mask


def overlap(found: np.ndarray, wanted: np.ndarray) -> float:
    """Intersection over union."""
    one, two = found > 0.5, wanted > 0.5
    return float((one & two).sum() / (one | two).sum())


def test_a_colour_is_found() -> None:
    assert overlap(ByColour(BLUE, 20)(scene(50), False), square(50)) > 0.97


def test_what_is_before_the_plate_is_found() -> None:
    ground = scene(0)
    ground[30:70, :40] = ground[30:70, 60:100]
    frame = ground.copy()
    frame[30:70, 50:90] = scene(50)[30:70, 50:90]
    assert overlap(BeforePlate(ground, 15)(frame, False), square(50)) > 0.85


def test_a_polygon_goes_with_what_it_covers_and_ends_at_a_cut() -> None:
    carried = Carried([(20, 30), (60, 30), (60, 70), (20, 70)])
    for i in range(12):
        found = carried(scene(20 + 4 * i), False)
    assert overlap(found, square(64)) > 0.8
    assert overlap(found, square(20)) < 0.1
    assert carried(255 - scene(64), True).max() == 0


def test_a_mask_film_is_as_long_as_its_film_and_in_step(make_clip: Any, tmp_path: Path) -> None:
    source = make_clip(
        "film.mkv", codec="ffv1", pix_fmt="bgr0", frames=10, width=160, height=96, draw=lambda i, w, h: scene(8 * i)
    )
    out = tmp_path / "mask.mp4"
    assert mask_video(source, out, ByColour(BLUE, 20), Softening(1, 0)) == 10
    frames, mask = list(read_frames(probe(source))), MovingMask(out, (160, 96))
    for i, frame in enumerate(frames):
        assert overlap(mask.at(frame.seconds - frames[0].seconds) / 255, square(8 * i)) > 0.9, i
    assert mask.at(Fraction(0))[50, 20] > 200


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "give one of"),
        (["--colour", "blue"], "six hex digits"),
        (["--polygon", "1,2 3,4"], "has 2 corners"),
        (["--polygon", "1;2"], "write its corners"),
        (["--colour", "2850c8", "--tolerance", "0"], "above 0"),
        (["--colour", "2850c8", "-o", "m.png"], "written as .mp4"),
    ],
)
def test_wrong_commands(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(scene(0)).save("film.png")
    with pytest.raises(SystemExit) as stop:
        cli.main(["mask", "film.png", *words])
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["film.png"]
