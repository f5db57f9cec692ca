"""YUV4MPEG2 against FFmpeg's own reader."""

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.imaging.frame import Frame
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.pipes.y4m import placed, write_y4m


def flat(index: int, width: int, height: int) -> NDArray[np.uint8]:
    colours = [(200, 30, 40), (20, 180, 60), (30, 40, 210), (220, 210, 40)]
    return np.full((height, width, 3), colours[index % 4], np.uint8)


def sent(path: Path, tmp_path: Path, rate: Fraction | None = None) -> tuple[Path, list[str]]:
    sink = io.BytesIO()
    said = write_y4m(path, sink, rate)
    out = tmp_path / "out.y4m"
    out.write_bytes(sink.getvalue())
    return out, said


@pytest.mark.parametrize("size", [(64, 48), (33, 35), (1280, 64)])
def test_colours_and_sizes(size: tuple[int, int], make_clip: Any, tmp_path: Path) -> None:
    """Lossless frames come out as they went in, but for chroma at half size: of flat colours that is a level or two."""
    clip = make_clip(
        "a.mkv",
        frames=4,
        width=size[0],
        height=size[1],
        rate=Fraction(30000, 1001),
        codec="ffv1",
        pix_fmt="bgr0",
        draw=flat,
    )
    out, said = sent(clip, tmp_path)
    assert said == []
    info = probe(out)
    assert (info.width, info.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert info.average_rate == Fraction(30000, 1001)
    frames = list(read_frames(info))
    assert len(frames) == 4
    for index, frame in enumerate(frames):
        assert np.abs(frame.data.astype(int) - flat(index, *frame.size)).max() <= 3


def test_varying_times_get_their_places(make_clip: Any, tmp_path: Path) -> None:
    """At 10 a second: 0, 1, 4 (so 1 is held for three), 4.4 (the same place: 4 is left out), 6."""
    clip = make_clip(
        "a.mkv",
        pts=[0, 100, 400, 440, 600],
        time_base=Fraction(1, 1000),
        rate=10,
        codec="ffv1",
        pix_fmt="bgr0",
        draw=flat,
    )
    out, said = sent(clip, tmp_path, Fraction(10))
    colours = [tuple(np.round(frame.data[5, 5] / 32).astype(int)) for frame in read_frames(probe(out))]
    expected = [tuple(np.round(flat(i, 1, 1)[0, 0] / 32).astype(int)) for i in (0, 1, 1, 1, 3, 3, 0)]
    assert colours == expected
    assert "3 frames are repeated, 1 left out" in said[0]


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=30),
    st.sampled_from([Fraction(25), Fraction(24000, 1001), Fraction(7)]),
)
def test_every_place_is_taken_once(gaps: list[int], rate: Fraction) -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    times = np.cumsum([0, *gaps[:-1]]).tolist()
    frames = [Frame(picture, t, g, Fraction(1, 1000)) for t, g in zip(times, gaps, strict=True)]
    places = [n for _, n in placed(iter(frames), rate)]
    assert len(places) == len(frames)
    last = round(Fraction(times[-1], 1000) * rate)
    assert sum(places[:-1]) == last
    assert places[-1] == max(1, round(Fraction(gaps[-1], 1000) * rate))
    assert min(places) >= 0
