"""Damage in the middle of a film: counted, concealed at the right times, refused where it is too much."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.conftest import ClipMaker
from vidstyle.core.errors import InputError
from vidstyle.media.input.concealment import LostFrames, ReadReport
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames


def spoil(source: Path, target: Path, packets: set[int], *, keep: int = 0) -> list[int]:
    """Copy a film, overwriting the payload of some packets of it (all but `keep` bytes); returns their pts in order."""
    times = []
    with av.open(str(source)) as inp, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(inp.streams.video[0])
        for i, packet in enumerate(p for p in inp.demux(video=0) if p.size):
            payload = bytes(packet)
            if i in packets:
                payload = payload[:keep] + b"\x00" * (len(payload) - keep)
                assert packet.pts is not None
                times.append(packet.pts)
            spoilt = av.Packet(payload)
            spoilt.pts, spoilt.dts, spoilt.time_base = packet.pts, packet.dts, packet.time_base
            spoilt.duration, spoilt.is_keyframe, spoilt.stream = packet.duration, packet.is_keyframe, stream
            out.mux(spoilt)
    return sorted(times)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("codec", "pix_fmt"), [("mjpeg", "yuvj420p"), ("libx264", "yuv420p")])
def test_lost_frames_are_shown_again_at_their_own_times(
    make_clip: ClipMaker, tmp_path: Path, codec: str, pix_fmt: str, threads: int
) -> None:
    whole = make_clip("whole.mkv", codec=codec, pix_fmt=pix_fmt, frames=40, options={"g": "1"})
    broken = tmp_path / "broken.mkv"
    lost = spoil(whole, broken, {12, 13, 30})
    pts = [f.pts for f in read_frames(probe(whole))]
    report = ReadReport()
    frames = list(read_frames(probe(broken), report=report, threads=threads))
    assert [f.pts for f in frames] == pts
    assert (report.concealed, report.decode_errors, report.frames) == (3, 3, 40)
    assert sum("3 lost frames were replaced" in w for w in report.warnings) == 1
    shown = np.stack([f.data for f in frames])
    good = np.stack([f.data for f in read_frames(probe(whole))])
    for i, time in enumerate(pts):
        assert np.array_equal(shown[i], good[11 if i in (12, 13) else 29 if i == 30 else i]), time in lost


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("bad", [39, 38, 36])
def test_damage_at_the_very_end_costs_no_other_frame(
    make_clip: ClipMaker, tmp_path: Path, bad: int, threads: int
) -> None:
    broken = tmp_path / "broken.mkv"
    spoil(make_clip("whole.mkv", frames=40, options={"g": "1"}), broken, {bad})
    report = ReadReport()
    frames = list(read_frames(probe(broken), report=report, threads=threads))
    assert [f.pts for f in frames] == [40 * i for i in range(40)]
    assert report.concealed == 1


def test_a_segment_behind_the_damage_is_like_the_full_read(make_clip: ClipMaker, tmp_path: Path) -> None:
    whole = make_clip("whole.mkv", frames=60, options={"g": "10", "bf": "2"})
    broken = tmp_path / "broken.mkv"
    spoil(whole, broken, {22, 23, 24})
    info = probe(broken)
    full = list(read_frames(info, max_errors=1.0))
    for first in (0, 15, 21, 25, 28, 33, 41):
        start = full[first].pts
        part = list(read_frames(info, start=start, max_errors=1.0))
        assert [f.pts for f in part] == [f.pts for f in full[first:]]
        assert all(np.array_equal(a.data, b.data) for a, b in zip(part, full[first:], strict=True))


def test_too_much_damage_is_refused(make_clip: ClipMaker, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mkv"
    spoil(make_clip("whole.mkv", codec="mjpeg", pix_fmt="yuvj420p", frames=40), broken, set(range(10, 30)))
    info = probe(broken)
    with pytest.raises(InputError, match=r"frames are damaged, more than 10%"):
        list(read_frames(info))
    report = ReadReport()
    assert len(list(read_frames(info, report=report, max_errors=0.6))) == 40
    assert report.concealed == 20


def test_a_file_that_breaks_off_gives_what_it_has(make_clip: ClipMaker, tmp_path: Path) -> None:
    whole = make_clip("whole.mkv", frames=50, options={"g": "10"}, width=128, height=96)
    data = whole.read_bytes()
    broken = tmp_path / "half.mkv"
    broken.write_bytes(data[: len(data) * 6 // 10])
    pts = [f.pts for f in read_frames(probe(broken), max_errors=0.2)]
    assert 15 < len(pts) < 50
    assert pts == [f.pts for f in read_frames(probe(whole))][: len(pts)]


def test_healthy_films_conceal_nothing(make_clip: ClipMaker) -> None:
    """VP9's hidden reference frames and packets without a frame are no damage."""
    options = {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}
    path = make_clip("hidden.webm", codec="libvpx-vp9", frames=60, options=options)
    report = ReadReport()
    assert len(list(read_frames(probe(path), report=report))) == 60
    assert report == ReadReport(frames=60)


def test_lost_frames_need_an_error_each() -> None:
    lost = LostFrames()
    for pts in (0, 10, 20, 30, 40):
        lost.sent(pts, discarded=pts == 40)
    assert lost.before(0) == []
    lost.failed()
    assert lost.before(30) == [10]  # two times are missing, but only one error was seen
    lost.failed()
    assert lost.before(None) == []
    lost.sent(None, discarded=False)
    lost.sent(50, discarded=False)
    assert lost.before(None) == [50]


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_never_escape_as_anything_but_an_input_error(
    make_clip: ClipMaker, tmp_path: Path, seed: int
) -> None:
    suffix = ("mp4", "mkv", "ts", "avi")[seed % 4]
    codec = "mpeg4" if suffix == "avi" else "libx264"
    data = bytearray(make_clip(f"whole.{suffix}", frames=30, codec=codec, sound="libmp3lame").read_bytes())
    rng = np.random.default_rng(seed)
    for position in rng.integers(0, len(data), 60):
        data[position] = rng.integers(256)
    broken = tmp_path / f"broken.{suffix}"
    broken.write_bytes(data)
    try:
        frames = list(read_frames(probe(broken), max_errors=1.0))
    except InputError as error:
        assert str(broken) in str(error)  # noqa: PT017
        return
    pts = [f.pts for f in frames]
    assert pts == sorted(set(pts))
