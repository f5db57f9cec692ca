"""Clocks that begin anywhere, wrap, and start again: one film from 0, sound and picture together."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.mpegts import WRAP, shifted, with_stray
from tests.helpers.recordings import record
from vidstyle.media.container import open_source, packets
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.input.timeline import _Stretch, sections
from vidstyle.media.timestamps import Timeline

SECOND = 90_000


def recording(folder: Path, *, sound: float = 1.0, frames: int = 25, suffix: str = ".ts", first: float = 0) -> bytes:
    """A transport stream whose clock begins at `first` seconds (about 1.4 s later: the muxer's delay)."""
    data = record(folder / f"one{suffix}", frames=frames, sound=sound).read_bytes()
    return shifted(data, round(first * SECOND)) if suffix == ".ts" else data


def pictures(path: Path) -> list[Fraction]:
    info = probe(path)
    return [f.seconds for f in read_frames(info)]


def sounds(path: Path) -> list[Fraction]:
    info = probe(path)
    with open_source(path) as container:
        found = packets(container, container.streams.audio[0], info.timeline)
        return [p.pts * p.time_base for p in found if p.pts is not None]


@pytest.mark.parametrize("first", [0, 3600, 90_000, -1.4 - 0.5, -1.4 - 0.02, -1.4 - 0.98])
def test_a_recording_begins_at_0_wherever_its_clock_does(tmp_path: Path, first: float) -> None:
    """Also where the clock of 33 bits comes round within it."""
    path = tmp_path / "a.ts"
    path.write_bytes(recording(tmp_path, first=first))
    shown, heard = pictures(path), sounds(path)
    assert min(shown[0], heard[0]) == 0
    assert np.allclose(np.diff(np.array(shown, float)), 0.04, atol=1e-4)
    assert np.allclose(np.diff(np.array(heard, float)), 0.024, atol=1e-4)
    assert abs(shown[0] - heard[0]) < 0.05
    info = probe(path)
    assert info.duration == pytest.approx(1, abs=1e-3)
    assert (info.end_pts or 0) * info.time_base == shown[-1] + Fraction(1, 25)


def test_a_long_film_wraps_in_the_middle_of_every_stream(tmp_path: Path) -> None:
    data = record(tmp_path / "long.ts", frames=100, rate=1, sound=100).read_bytes()
    for before in (5, 70):  # seconds of film until the clock is at 0 again
        path = tmp_path / "wrapped.ts"
        path.write_bytes(shifted(data, WRAP - round((before + 1.4) * SECOND)))
        shown, heard = pictures(path), sounds(path)
        assert len(shown) == 100
        assert np.allclose(np.diff(np.array(shown, float)), 1, atol=1e-4)
        assert np.allclose(np.diff(np.array(heard, float)), 0.024, atol=1e-4)
        assert probe(path).timeline.borders == ()


def check_together(path: Path, parts: int, *, frames: int, tolerance: float = 1e-3) -> None:
    """Every part keeps its own steps, and its sound its distance from its picture; nothing overlaps."""
    shown, heard = np.array(pictures(path), float), np.array(sounds(path), float)
    assert len(shown) == parts * frames
    assert len(heard) % parts == 0
    each = len(heard) // parts
    apart = [heard[n * each] - shown[n * frames] for n in range(parts)]
    assert np.allclose(apart, apart[0], atol=tolerance)
    for n in range(parts):
        assert np.allclose(np.diff(shown[n * frames : (n + 1) * frames]), 0.04, atol=tolerance)
        assert np.allclose(np.diff(heard[n * each : (n + 1) * each]), 0.024, atol=tolerance)
    assert (np.diff(shown) > 0).all()
    assert (np.diff(heard) > 0.024 - tolerance).all()


@pytest.mark.parametrize(
    "starts",
    [(0, 0), (0,) * 6, (3600, 0), (0, 3600, 0), (5, 4.6), (5, 4.9, 4.8), (0, 90_000), (95_000, 10, 95_000)],
    ids=str,
)
@pytest.mark.parametrize("sound", [0.6, 1.0, 1.6])
def test_joined_recordings_stay_together(tmp_path: Path, starts: Sequence[float], sound: float) -> None:
    """One shift for all streams at each join, however much longer or shorter the sound is."""
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(recording(tmp_path, sound=sound, first=first) for first in starts))
    check_together(path, len(starts), frames=25)
    info = probe(path)
    assert len(info.timeline.borders) == len(starts) - 1
    assert len(info.warnings) == 1
    assert f"made of {len(starts)} recordings" in info.warnings[0]
    longest = len(starts) * max(1, sound)
    assert info.duration == pytest.approx(longest - max(0, sound - 1), abs=0.1)


def test_joined_program_streams(tmp_path: Path) -> None:
    path = tmp_path / "joined.mpg"
    path.write_bytes(recording(tmp_path, suffix=".mpg", sound=1.4) * 3)
    check_together(path, 3, frames=25, tolerance=2e-3)


def test_a_film_without_sound_goes_on_after_each_join(tmp_path: Path) -> None:
    """A jump back by less than a second: the later part keeps its own steps."""
    path = tmp_path / "joined.ts"
    path.write_bytes(recording(tmp_path, sound=0) + recording(tmp_path, sound=0, first=0.3))
    assert np.allclose(np.diff(np.array(pictures(path), float)), 0.04, atol=1e-4)


@pytest.mark.parametrize("seconds", [-40, -3, -0.5, 0.5, 3, 40, 5000])
@pytest.mark.parametrize("pid", [0x100, 0x101], ids=["picture", "sound"])
def test_one_wrong_time_moves_nothing_else(tmp_path: Path, seconds: float, pid: int) -> None:
    good, bad = tmp_path / "good.ts", tmp_path / "bad.ts"
    good.write_bytes(record(good, frames=100, sound=4).read_bytes())
    bad.write_bytes(with_stray(good.read_bytes(), pid, 12, round(seconds * SECOND)))
    before, after = pictures(good), pictures(bad)
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < 0.05
    assert after[40:] == before[40:]
    assert set(sounds(bad)) <= set(sounds(good))  # those without a time are not among them


def test_cuts_of_a_joined_film_are_those_of_a_full_read(tmp_path: Path) -> None:
    path = tmp_path / "joined.ts"
    path.write_bytes(recording(tmp_path) + recording(tmp_path, first=500) + recording(tmp_path, first=100))
    info = probe(path)
    whole = [f.pts for f in read_frames(info)]
    for first in (0, 10, 30, 60):
        assert [f.pts for f in read_frames(info, start=whole[first])] == whole[first:]


def test_cuts_of_a_recording_that_begins_late(tmp_path: Path) -> None:
    path = tmp_path / "late.ts"
    path.write_bytes(recording(tmp_path, first=7000, frames=60, sound=2))
    info = probe(path)
    whole = [f.pts for f in read_frames(info)]
    got = [f.pts for f in read_frames(info, start=whole[40])]
    assert got == whole[40:]


def stretch(stream: int, place: int, begin: float, end: float, *, count: int = 10, step: float = 0.04) -> _Stretch:
    first, last = Fraction(begin), Fraction(end) - Fraction(step)
    return _Stretch(stream, place, place + 8 * count, first, last, first, Fraction(end), Fraction(step), count)


def test_a_stray_time_is_no_new_clock() -> None:
    runs = [stretch(0, 0, 0, 4), stretch(0, 200, 1, 1.04, count=1), stretch(0, 210, 4.04, 8), stretch(1, 5, 0, 8)]
    assert sections(runs, 0).borders == ()
    assert sections(runs, 0).strays == {(0, 200), (0, 208)}
    wild = [stretch(0, 0, 0, 4), stretch(0, 200, 9e4, 90000.04, count=1), stretch(0, 210, 4.04, 8)]
    assert sections(wild, 0).borders == ()


def test_short_pieces_with_pauses_between_are_no_strays() -> None:
    """Sound that is only there now and then, a slow film."""
    pieces = [stretch(0, 10 * n, 2 * n, 2 * n + 0.04, count=1) for n in range(20)]
    assert sections(pieces, 0) == Timeline((), (Fraction(0),), frozenset(), pieces[-1].end, 20)


def test_a_long_pause_that_sound_fills_is_a_pause() -> None:
    still = [stretch(0, 0, 0, 4), stretch(0, 500, 64, 68), stretch(1, 2, 0, 68, count=100)]
    assert sections(still, 0).borders == ()
    assert sections(still[:2], 0).borders == (500,)
    slow = [stretch(0, 0, 0, 400, step=8), stretch(0, 500, 460, 500, step=8)]
    assert sections(slow, 0).borders == ()


def test_sound_that_comes_first_after_a_join_belongs_behind_it() -> None:
    """The sound of the second part neither overlaps nor jumps: only its pause shows where the part begins."""
    runs = [stretch(0, 0, 0, 4), stretch(0, 300, 2, 6), stretch(1, 3, 0, 1), stretch(1, 250, 2, 6)]
    timeline = sections(runs, 0)
    assert timeline.borders == (250,)
    assert timeline.shift(249) == 0
    assert timeline.shift(250) == 2


@given(st.lists(st.tuples(st.integers(0, 10**5), st.integers(-5, 5)), min_size=1, max_size=6))
def test_parts_never_overlap_and_keep_their_distances(parts: list[tuple[int, int]]) -> None:
    """Each part: 2 s of picture and 2 s and a little of sound, the clock anywhere."""
    runs = []
    for n, (start, more) in enumerate(parts):
        runs += [stretch(0, 1000 * n, start, start + 2), stretch(1, 1000 * n + 1, start, start + 2 + more / 10)]
    timeline = sections(sorted(runs, key=lambda r: (r.stream, r.first_position)), 0)
    ends: dict[int, Fraction] = {}
    for run in sorted(runs, key=lambda r: r.first_position):
        begin = run.begin + timeline.shift(run.first_position)
        assert begin >= 0
        assert begin >= ends.get(run.stream, Fraction(0))
        ends[run.stream] = run.end + timeline.shift(run.first_position)


@pytest.mark.parametrize(
    ("name", "late", "kept"), [("a.mp4", 2, 2), ("a.mkv", 2, 0), ("a.mp4", 100, 0), ("a.mkv", 100, 0)]
)
def test_a_start_that_all_streams_share(tmp_path: Path, name: str, late: int, kept: int) -> None:
    """In mp4 an edit list's delay, which stays, but not that of a live stream; in Matroska a clock that was not set back."""
    path = record(tmp_path / name, late=late)
    assert float(pictures(path)[0]) == pytest.approx(kept, abs=0.03)


def test_a_lone_late_stream_stays_late(tmp_path: Path) -> None:
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgr0"
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = 125 + i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert pictures(path)[0] == 5
