"""Styles that take turns with the shots of a film."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.choose import make_engine
from vidstyle.imaging.frame import Frame
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.pipeline.plan.journal import journal_folder
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.plan.shots import shot_palettes, shot_starts
from vidstyle.pipeline.run import stylize_video
from vidstyle.styles.film_colours import in_palette

STYLES = ("mosaic", "cubist")


def scenes(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Three shots: frames 0 to 19, 20 to 34, 35 and on; in each a square moves."""
    colour = ((30, 60, 200), (220, 190, 40), (20, 160, 60))[(index >= 20) + (index >= 35)]
    frame = np.full((height, width, 3), colour, np.uint8)
    frame[10:20, index : index + 10] = 255 - frame[10:20, index : index + 10]
    return frame


def test_shots_begin_at_cuts_and_not_at_flashes() -> None:
    levels = [10] * 20 + [200] * 20 + [20] + [200] * 30 + [90] * 2
    frames = [Frame(np.full((16, 16, 3), v, np.uint8), n, 1, Fraction(1, 25)) for n, v in enumerate(levels)]
    # The flash at frame 40 begins a shot; its end, a frame later, does not.
    assert [at * 25 for at in shot_starts(frames)] == [0, 20, 40, 71]
    assert shot_starts([]) == []


def test_each_shot_has_its_style(make_clip: Any, tiny_model: Path, tmp_path: Path) -> None:
    source = make_clip("shots.mkv", frames=50, codec="ffv1", pix_fmt="bgr0", draw=scenes)
    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
    options = RunOptions(style_size=32, threads=1, codec="ffv1", style_per_shot=STYLES, chunk=8)
    out = tmp_path / "out.mkv"
    stylize_video(source, out, options=options, engine=engine)
    codes = [RunOptions(style_size=32).style_request(style).codes(engine)[0] for style in STYLES]
    pairs = zip(read_frames(probe(source)), read_frames(probe(out)), strict=True)
    for n, (before, after) in enumerate(pairs):
        if n not in (0, 19, 20, 34, 35, 49):
            continue
        wanted = engine.stylize(before.data[None], codes[20 <= n < 35])[0]
        other = engine.stylize(before.data[None], codes[not 20 <= n < 35])[0]
        lost = np.abs(after.data.astype(int) - wanted).mean()  # by the subsampling of ffv1's chroma
        assert lost < np.abs(after.data.astype(int) - other).mean() / 2, n


def test_each_shot_is_painted_in_its_own_colours(make_clip: Any, tiny_model: Path, tmp_path: Path) -> None:
    source = make_clip("shots.mkv", frames=40, codec="ffv1", pix_fmt="bgr0", draw=scenes)
    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
    options = RunOptions(style_size=32, threads=1, codec="ffv1", chunk=8, preserve_color="match")
    out = tmp_path / "out.mkv"
    stylize_video(source, out, STYLES[0], options=options, engine=engine)
    frames = list(read_frames(probe(source)))
    (first, one), (second, two), (third, _) = shot_palettes(frames)
    assert [at * 25 for at in (first, second, third)] == [0, 20, 35]
    assert one.count == 20
    request = RunOptions(style_size=32).style_request(STYLES[0])
    codes = [replace(request, styles=in_palette(request.styles, palette)).codes(engine)[0] for palette in (one, two)]
    for n, (before, after) in enumerate(zip(frames, read_frames(probe(out)), strict=True)):
        if n in (0, 19, 20, 34):
            wanted, other = (engine.stylize(before.data[None], codes[i])[0] for i in (n >= 20, n < 20))
            lost = np.abs(after.data.astype(int) - wanted).mean()
            assert lost < np.abs(after.data.astype(int) - other).mean() / 2, n


def test_resume_keeps_the_shots(
    make_clip: Any, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip("shots.mkv", frames=50, codec="ffv1", pix_fmt="bgr0", draw=scenes)
    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
    options = RunOptions(style_size=32, threads=1, style_per_shot=STYLES, chunk=4, segment=Fraction(2, 5))
    whole, resumed = tmp_path / "whole.mp4", tmp_path / "resumed.mp4"
    stylize_video(source, whole, options=options, engine=engine)

    def stop(done: int, total: int | None) -> None:
        if done > 22:
            raise InputError("stopped.")

    with pytest.raises(InputError, match="stopped"):
        stylize_video(source, resumed, options=options, engine=engine, progress=stop)
    frozen = json.loads((journal_folder(resumed) / "run.json").read_text())
    times, weights, _, easings = frozen["style"]["keyframes"]
    assert times == [0, 0.8, 1.4]
    assert weights == [[1, 0], [0, 1], [1, 0]]
    assert easings == ["hold"] * 3
    monkeypatch.setattr("vidstyle.pipeline.plan.shots.find_shots", lambda video: pytest.fail("looked again"))
    again = RunOptions(**{**vars(options), "resume": True})
    with pytest.raises(UsageError, match="style"):
        stylize_video(
            source, resumed, options=RunOptions(**{**vars(again), "style_per_shot": STYLES[::-1]}), engine=engine
        )
    stylize_video(source, resumed, options=again, engine=engine)
    assert resumed.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"style_per_shot": ("mosaic",)}, "at least two"),
        ({"style_per_shot": "mosaic,cubist"}, "at least two"),
        ({"style_per_shot": STYLES, "keyframes": Path("k.csv")}, "exclude each other"),
        ({"style_per_shot": STYLES, "preserve_color": "match"}, "does not go with"),
        ({"fit": 40, "preserve_color": "match"}, "does not go with"),
        ({"preserve_color": "some"}, "use luma, local or match"),
    ],
)
def test_refused_at_once(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        RunOptions(**options)


def test_refused_when_read() -> None:
    with pytest.raises(UsageError, match="names its styles itself"):
        RunOptions(style_per_shot=STYLES).style_request("mosaic")
    with pytest.raises(UsageError, match="leave the weight out"):
        RunOptions(style_per_shot=("mosaic:2", "cubist")).style_request(())
    with pytest.raises(UsageError, match="nearest are mosaic"):
        RunOptions(style_per_shot=("mosiac", "cubist")).style_request(())
