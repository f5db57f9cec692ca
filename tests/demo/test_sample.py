"""The sample film as a file, and the command that shows it off."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.cli import main
from vidstyle.cli.demo import SOURCE, STYLED
from vidstyle.core.errors import InputError
from vidstyle.demo.melody import RATE, melody
from vidstyle.demo.sample import write_sample
from vidstyle.demo.scene import Scene
from vidstyle.media.output.clip import write_clip


def test_melody_is_clean_stereo() -> None:
    sound = melody(4.0)
    assert sound.shape == (4 * RATE, 2)
    assert sound.dtype == np.float32
    assert 0.5 < np.abs(sound).max() <= 0.81
    assert np.abs(sound[[0, -1]]).max() == 0, "no click at either end"
    assert np.abs(np.diff(sound, axis=0)).max() < 0.4, "no click between"
    assert (sound[:, 0] != sound[:, 1]).any()
    loud = np.sqrt((sound**2).reshape(16, -1, 2).mean((1, 2)))
    assert loud.min() > 0.02, "no silent quarter second"


def test_melody_begins_on_its_notes() -> None:
    """The first beat holds the chord of C and the tune's E: their frequencies stand out."""
    spectrum = np.abs(np.fft.rfft(melody(4.0)[: RATE // 2].sum(1) * np.hanning(RATE // 2)))
    hertz = np.fft.rfftfreq(RATE // 2, 1 / RATE)
    peaks = {round(float(h)) for h, s in zip(hertz, spectrum, strict=True) if s > 0.08 * spectrum.max()}
    for note in (48, 55, 64, 76):
        f = 440 * 2 ** ((note - 69) / 12)
        assert min(abs(p - f) for p in peaks) <= 2.1


def test_sample_film(tmp_path: Path) -> None:
    path = tmp_path / "sample.mp4"
    assert write_sample(path, seconds=0.4, size=(96, 54)) == 10
    scene = Scene(96, 54)
    with av.open(str(path)) as film:
        frames = [(f.pts * f.time_base, f.to_ndarray(format="rgb24")) for f in film.decode(video=0)]
        context = film.streams.video[0].codec_context
        assert (context.color_range, context.colorspace, context.color_trc) == (1, 1, 1)
    assert [t for t, _ in frames] == [Fraction(n, 25) for n in range(10)]
    for t, frame in frames[::3]:
        assert np.abs(frame.astype(int) - scene.render(float(t))).mean() < 10, (
            "what 4:2:0 and CRF 16 cost such fine colour"
        )
    with av.open(str(path)) as film:
        audio = film.streams.audio[0]
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 48000, 2)
        sound = np.concatenate([f.to_ndarray() for f in film.decode(audio=0)], 1)
    assert abs(sound.shape[1] - 0.4 * 48000) <= 2048
    wanted = melody(0.4)[4800:14400].T
    # AAC answers up to a frame later; at the best shift it is the melody.
    best = max(float(np.corrcoef(sound[0, 4800 + d : 14400 + d], wanted[0])[0, 1]) for d in range(0, 2100, 4))
    assert best > 0.95


def test_write_clip_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Any:
        yield np.zeros((32, 32, 3), np.uint8)
        raise RuntimeError("the painter fell ill")

    with pytest.raises(RuntimeError, match="ill"):
        write_clip(tmp_path / "a.mp4", broken(), rate=Fraction(25))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="no/such"):
        write_clip(tmp_path / "no/such/a.mp4", [np.zeros((32, 32, 3), np.uint8)], rate=Fraction(25))


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(args))
    return int(stop.value.code or 0)


def test_demo_refuses_before_it_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo", "-o", str(tmp_path), "--style", "stained-glas") == 2
    assert "stained-glass" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    (tmp_path / STYLED).write_text("mine")
    assert run("demo", "-o", str(tmp_path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == [STYLED]
    assert (tmp_path / STYLED).read_text() == "mine"


@pytest.mark.slow
def test_demo(tiny_model: Path, tmp_path: Path) -> None:
    assert run("demo", "-o", str(tmp_path / "films"), "--model", str(tiny_model), "-q") == 0
    packets = {}
    for name in (SOURCE, STYLED):
        with av.open(str(tmp_path / "films" / name)) as film:
            assert sum(1 for _ in film.decode(video=0)) == 100
        with av.open(str(tmp_path / "films" / name)) as film:
            packets[name] = [bytes(p) for p in film.demux(audio=0) if p.size]
    assert packets[SOURCE] == packets[STYLED]
