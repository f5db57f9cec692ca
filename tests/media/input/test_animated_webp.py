"""Animated WebP as a film: its pictures, its times, its transparency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidstyle.core.errors import InputError
from vidstyle.media.input.animated_webp import is_animated_webp
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.run import stylize_video

RNG = np.random.default_rng(0)


def animation(path: Path, times: list[int], *, alpha: bool = False) -> list[np.ndarray]:
    """Pictures of which only a part changes, so that the encoder writes parts."""
    frames = []
    for number in range(len(times)):
        frame = np.full((32, 48, 4 if alpha else 3), 90, np.uint8)
        frame[4:12, 4 * number : 4 * number + 8, :3] = RNG.integers(0, 256, 3)
        if alpha:
            frame[..., 3] = 255
            frame[20:26, 10:30] = 0  # a hole; what lies at an edge would only be left out of the file
        frames.append(frame)
    first, *more = (Image.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=more, duration=times, lossless=True, exact=True)
    return frames


@pytest.mark.parametrize("alpha", [False, True])
def test_pictures_and_times(tmp_path: Path, alpha: bool) -> None:
    path, times = tmp_path / "a.webp", [80, 40, 120, 200]
    pictures = animation(path, times, alpha=alpha)
    info = probe(path)
    assert (info.width, info.height, info.frames, info.duration, info.has_alpha) == (48, 32, 4, 0.44, alpha)
    found = list(read_frames(info))
    assert [(f.pts, f.duration) for f in found] == [(0, 80), (80, 40), (120, 120), (240, 200)]
    for frame, picture in zip(found, pictures, strict=True):
        assert np.array_equal(frame.data, picture[..., :3])
        assert (frame.alpha is not None) == alpha
        if frame.alpha is not None:
            assert np.array_equal(frame.alpha, picture[..., 3])
    later = list(read_frames(info, start=100, stop=300))
    assert [f.pts for f in later] == [120, 240]


def test_a_still_webp_is_none(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "still.webp")
    assert not is_animated_webp(tmp_path / "still.webp")


def test_pictures_without_a_time_are_shown_as_browsers_do(tmp_path: Path) -> None:
    animation(tmp_path / "a.webp", [0, 5, 40])
    assert [f.pts for f in read_frames(probe(tmp_path / "a.webp"))] == [0, 100, 200]


def test_one_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    animation(path, [80] * 6)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match=r"a\.webp: is "):
        probe(path)


def test_it_is_styled_as_a_film(tmp_path: Path, tiny_model: Path) -> None:
    animation(tmp_path / "a.webp", [80, 40, 120])
    options = RunOptions(model=tiny_model, style_size=32, engine="torch", device="cpu")
    report = stylize_video(tmp_path / "a.webp", tmp_path / "o.mkv", "mosaic", options=options)
    assert (report.frames, report.warnings) == (3, [])
    made = probe(tmp_path / "o.mkv")
    assert [round(float(f.seconds), 3) for f in read_frames(made)] == [0, 0.08, 0.12]
