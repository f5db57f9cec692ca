from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.conftest import ClipMaker
from vidstyle.imaging.frame import Frame, FrameBatch
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames


def gather(frames: Iterable[Frame]) -> tuple[NDArray[np.uint8], list[int], list[int]]:
    batch = FrameBatch.of(frames)
    return batch.data, batch.pts.tolist(), batch.durations.tolist()


def read(path: Path, **bounds: int | None) -> tuple[NDArray[np.uint8], list[int], list[int]]:
    return gather(read_frames(probe(path), **bounds))  # type: ignore[arg-type]


def test_lossless_rgb_comes_back_bit_for_bit(make_clip: ClipMaker) -> None:
    path = make_clip("exact.mkv", codec="ffv1", pix_fmt="bgr0", frames=7)
    data, _, _ = read(path)
    assert np.array_equal(data, np.stack([make_clip.pattern(i, 64, 48) for i in range(7)]))


def test_frames_are_streamed_and_their_own(make_clip: ClipMaker) -> None:
    """A frame that has been given does not change while the next ones are decoded."""
    report = ReadReport()
    frames = read_frames(probe(make_clip("c.mp4", frames=10)), report=report)
    first = next(frames)
    kept = first.data.copy()
    assert report.frames == 1
    assert first.data.flags.c_contiguous
    rest = list(frames)
    assert len(rest) == 9
    assert np.array_equal(first.data, kept)
    assert not any(np.array_equal(frame.data, kept) for frame in rest)


def test_variable_rate_and_late_start(make_clip: ClipMaker) -> None:
    pts = [720_000, 720_040, 720_041, 723_500, 723_540, 730_000]
    path = make_clip("vfr.mp4", pts=pts, time_base=Fraction(1, 90_000))
    info = probe(path)
    report = ReadReport()
    _, times, durations = gather(read_frames(info, report=report))
    assert [t * info.time_base for t in times] == [Fraction(p, 90_000) for p in pts]
    assert [d * info.time_base * 90_000 for d in durations[:-1]] == np.diff(pts).tolist()
    assert durations[-1] > 0
    assert (report.frames, report.repaired_pts, report.warnings) == (6, 0, [])


def test_gif(make_clip: ClipMaker) -> None:
    path = make_clip("a.gif", codec="gif", pix_fmt="rgb8", rate=10, frames=5)
    data, pts, durations = read(path)
    assert data.shape == (5, 48, 64, 3)
    assert (pts, durations) == ([0, 10, 20, 30, 40], [10] * 5)


STREAMS: dict[str, dict[str, Any]] = {
    "closed-gop.mp4": {"options": {"g": "12", "bf": "3"}},
    "open-gop.mp4": {
        "options": {"g": "12", "bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12:b-adapt=0:bframes=3"}
    },
    "open-gop.mkv": {
        "options": {"g": "12", "bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12:b-adapt=0:bframes=3"}
    },
    "b-pyramid.ts": {"options": {"g": "12", "bf": "5", "b-pyramid": "normal", "refs": "4"}},
    "hevc.mp4": {
        "codec": "libx265",
        "options": {"x265-params": "keyint=12:min-keyint=12:open-gop=1:bframes=4:log-level=none"},
    },
    "mpeg2.mpg": {"codec": "mpeg2video", "options": {"g": "9", "bf": "2"}},
    "mpeg2.ts": {"codec": "mpeg2video", "options": {"g": "9", "bf": "2"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"g": "9"}},
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "options": {"g": "10", "cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "10"},
    },
    "alpha.webm": {"codec": "libvpx-vp9", "pix_fmt": "yuva420p", "options": {"g": "10", "cpu-used": "8"}},
    "whole.gif": {"codec": "gif", "pix_fmt": "rgb8", "rate": 10},
    "raw.h264": {"options": {"g": "12", "bf": "3"}},
}


@pytest.mark.parametrize("name", STREAMS)
def test_any_cut_gives_the_frames_of_a_full_read(make_clip: ClipMaker, name: str) -> None:
    path = make_clip(name, frames=50, **STREAMS[name])
    info = probe(path)
    data, pts, durations = gather(read_frames(info))
    assert len(pts) == 50
    for first in range(0, 50, 3):
        # A border on a frame, and one just after it.
        for start in (pts[first], pts[first] + 1):
            begin = first if start == pts[first] else first + 1
            end = min(begin + 5, 50)
            stop = pts[end] if end < 50 else None
            frames = list(read_frames(info, start=start, stop=stop))
            if begin == 50:
                assert frames == []
                continue
            got, times, lasting = gather(frames)
            assert times == pts[begin:end]
            assert lasting == durations[begin:end]
            assert np.array_equal(got, data[begin:end])


@pytest.mark.parametrize("name", ["open-gop.mp4", "open-gop.mkv", "hevc.mp4", "mpeg4.avi", "vp9.webm", "alpha.webm"])
def test_a_late_cut_does_not_decode_the_whole_film(
    make_clip: ClipMaker, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import vidstyle.media.input.decoder as module

    info = probe(make_clip(name, frames=50, **STREAMS[name]))
    pts = [f.pts for f in read_frames(info)]
    decoded = []
    original = module._frames

    def count(*args: object, **named: object) -> Iterator[module.Timed]:
        for timed in original(*args, **named):  # type: ignore[arg-type]
            decoded.append(timed[0])
            yield timed

    monkeypatch.setattr(module, "_frames", lambda *a, **n: (t for t in count(*a, **n)))
    assert len(list(read_frames(info, start=pts[43], stop=pts[46]))) == 3
    assert len(decoded) <= 20


@given(st.lists(st.integers(1, 4000), min_size=2, max_size=14), st.integers(0, 90), st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_segments_partition_any_film(make_clip: ClipMaker, gaps: list[int], late: int, data: st.DataObject) -> None:
    pts = [90_000 * late + sum(gaps[:i]) for i in range(len(gaps))]
    path = make_clip(None, pts=pts, time_base=Fraction(1, 90_000), width=32, height=32, options={"g": "4", "bf": "2"})
    info = probe(path)
    scale = Fraction(1, 90_000) / info.time_base
    borders = sorted(set(data.draw(st.lists(st.integers(pts[0], pts[-1] + 1), max_size=4))))
    ticks = [None, *(int(b * scale) for b in borders), None]
    times: list[int] = []
    for a, b in pairwise(ticks):
        times += [f.pts for f in read_frames(info, start=a, stop=b)]
    assert times == [p * scale for p in pts]


def test_alpha_comes_along(tmp_path: Path) -> None:
    path = tmp_path / "alpha.webm"
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[:, :16] = (200, 60, 60, 255)
    rgba[:, 16:] = (60, 60, 200, 90)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=25, options={"lossless": "1"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuva420p"
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(rgba, format="rgba")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    batch = FrameBatch.of(read_frames(probe(path)))
    assert batch.alpha is not None
    assert batch.alpha.shape == (3, 32, 32)
    assert (batch.alpha[:, :, :16] == 255).all()
    assert np.abs(batch.alpha[:, :, 16:].astype(int) - 90).max() <= 1
    assert np.abs(batch.data[0, 16, 8].astype(int) - (200, 60, 60)).max() <= 6


def test_ten_bits_are_rounded_not_cut(make_clip: ClipMaker) -> None:
    grey = lambda i, w, h: np.full((h, w, 3), 40 + 3 * i, np.uint8)  # noqa: E731
    data, _, _ = read(make_clip("deep.mkv", pix_fmt="yuv420p10le", options={"qp": "0"}, draw=grey))
    assert [int(f.mean().round()) for f in data] == [40 + 3 * i for i in range(10)]
    assert int(data.std(axis=(1, 2, 3)).max()) == 0


def test_frames_that_change_size_are_scaled_and_said(tmp_path: Path, make_clip: ClipMaker) -> None:
    parts = [make_clip(f"{i}.h264", width=w, height=48, frames=4, options={"bf": "0"}) for i, w in enumerate((64, 96))]
    path = tmp_path / "joined.h264"
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    report = ReadReport()
    data, pts, _ = gather(read_frames(probe(path), report=report))
    assert data.shape == (8, 48, 64, 3)
    assert sorted(set(pts)) == pts
    assert any("size of its frames changes" in w for w in report.warnings)
