"""The preview shows what a run would paint, and tells how long it would take."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle import cli
from vidstyle.core.errors import UsageError
from vidstyle.engines.choose import make_engine
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.preview import preview_video


def call(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        cli.main([str(a) for a in args])
    return int(stop.value.code or 0)


def test_frames_are_those_that_a_run_paints(make_clip: Any, tiny_model: Path) -> None:
    source = make_clip("exact.mkv", frames=30, codec="ffv1", pix_fmt="bgr0")
    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
    options = RunOptions(model=tiny_model, style_size=32, threads=1, preserve_color=True, start=Fraction(1))
    preview = preview_video(source, ["mosaic", "cubist"], frames=3, options=options, engine=engine)
    frames = list(read_frames(probe(source)))
    assert preview.moments == tuple(frames[n].seconds for n in (5, 15, 25))
    plain = RunOptions(style_size=32)
    for n, row in zip((5, 15, 25), preview.rows, strict=True):
        assert np.array_equal(row[0], frames[n].data)
        for style, shown in zip(("mosaic", "cubist"), row[1:], strict=True):
            code = plain.style_request(style).codes(engine)[0]
            painted = engine.stylize(frames[n].data[None], code)[0].astype(float)
            # The source's colours: of the painting only the luma is kept, where that does not leave the cube.
            inside = ((shown > 0) & (shown < 255)).all(-1)
            luma = np.array([0.2126, 0.7152, 0.0722])
            assert inside.mean() > 0.5
            assert np.abs((shown - painted) @ luma)[inside].max() < 1
    assert preview.measured.frames == 15  # from the middle frame to the end
    assert preview.film_frames == 30
    assert preview.seconds == pytest.approx(30 * max(preview.measured.stages.values()) / 15)


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_clip: Any, tiny_model: Path, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    source = make_clip(frames=8)
    common = ("--style", "mosaic", "--style", "cubist", "--model", tiny_model, "--style-size", 32, "--engine", "torch")
    assert call("preview", source, *common, "--frames", 2, "-o", "sheet.png", "--json") == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["styles"] == ["mosaic", "cubist"]
    assert report["moments"] == [0.08, 0.24]
    assert report["frames"] == 8
    assert report["seconds"] == pytest.approx(8 / report["fps"], abs=0.1)
    assert "frames per second here" in err
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (3 * 412 + 12, 2 * (300 + 42) + 12)
    kept = Path("sheet.png").read_bytes()
    for args, code, sentence in [
        ((source, *common, "-o", "sheet.png"), 2, "exists already"),
        ((source, *common, "-o", "sheet.xyz"), 2, "no picture format"),
        ((source, "--style", "mosiac", "-o", "new.png"), 2, "nearest are mosaic"),
        ((tiny_model, "--style", "mosaic", "-o", "new.png"), 1, "is not a video"),
        ((source, *common, "--frames", 0, "-o", "new.png"), 2, "--frames 0"),
    ]:
        assert call("preview", *args) == code
        assert sentence in capsys.readouterr().err
    assert Path("sheet.png").read_bytes() == kept
    assert not Path("new.png").exists()


def test_needs_a_style() -> None:
    with pytest.raises(UsageError, match="no style given"):
        preview_video("film.mp4", [])
