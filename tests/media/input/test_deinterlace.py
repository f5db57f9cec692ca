from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import ClipMaker
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames


def bar(time: int, width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """A grey bar on black that moves 3 px a field."""
    image = np.full((height, width, 3), 30, np.uint8)
    left = 4 + 3 * time
    image[:, left : left + 16] = 210
    return image


def interlaced(path: Path, frames: int) -> Path:
    """Top field first: even rows show time 2i, odd rows time 2i + 1."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "mpeg2video", rate=25, options={"flags": "+ildct+ilme", "g": "6", "bf": "2", "q": "2"}
        )
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        graph = av.filter.Graph()
        source = graph.add_buffer(width=96, height=64, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, 25))
        graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink")).configure()
        for i in range(frames):
            woven = bar(2 * i)
            woven[1::2] = bar(2 * i + 1)[1::2]
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            graph.push(frame)
            made = graph.pull()
            assert isinstance(made, av.VideoFrame)
            container.mux(stream.encode(made))
        container.mux(stream.encode())
    return path


def comb(image: NDArray[Any]) -> float:
    """How much neighbouring rows differ."""
    return float(np.abs(np.diff(image.astype(int), axis=0)).mean())


def test_fields_are_merged_and_every_frame_is_kept(tmp_path: Path) -> None:
    info = probe(interlaced(tmp_path / "a.mkv", 14))
    assert info.interlaced
    assert any("interlaced" in w for w in info.warnings)
    with av.open(str(info.path)) as container:
        decoded = [(f.pts, comb(f.to_ndarray(format="rgb24"))) for f in container.decode(video=0)]
    frames = list(read_frames(info))
    assert [f.pts for f in frames] == [pts for pts, _ in decoded]
    images = np.stack([f.data for f in frames])
    assert min(c for _, c in decoded) > 5
    assert max(comb(i) for i in images) < 0.35 * min(c for _, c in decoded)
    for i in (3, 7):  # the picture is that of the first field's time
        assert np.abs(images[i].astype(int) - bar(2 * i)).mean() < 5


def test_any_cut_gives_the_same_pictures(tmp_path: Path) -> None:
    info = probe(interlaced(tmp_path / "a.mkv", 20))
    full = [(f.pts, f.data) for f in read_frames(info)]
    for first in range(0, 20, 2):
        part = list(read_frames(info, start=full[first][0], stop=full[min(first + 3, 19)][0]))
        assert len(part) == min(first + 3, 19) - first
        for frame, (pts, image) in zip(part, full[first:], strict=False):
            assert frame.pts == pts
            assert np.array_equal(frame.data, image)


@pytest.mark.parametrize("frames", [1, 2])
def test_very_short(tmp_path: Path, frames: int) -> None:
    assert len(list(read_frames(probe(interlaced(tmp_path / "a.mkv", frames))))) == frames


def test_progressive_films_are_left_alone(make_clip: ClipMaker) -> None:
    info = probe(make_clip("a.mkv", codec="mpeg2video"))
    assert not info.interlaced
    assert info.warnings == ()
