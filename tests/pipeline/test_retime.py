"""`--fps`: at each tick the frame that is on the screen, whatever the rates, cuts, batches and segments."""

from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.core.errors import UsageError
from vidstyle.imaging.frame import Frame
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.pipeline.plan.segments import SegmentPlan, batches
from vidstyle.pipeline.retime import Clock, repeated, retimed

BASES = [
    Fraction(1, 1000),
    Fraction(1, 90000),
    Fraction(1001, 30000),
    Fraction(1, 25),
    Fraction(1, 12800),
    Fraction(3, 7),
]
RATES = [Fraction(1), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(7, 3)]


@given(st.sampled_from(BASES), st.sampled_from(RATES))
def test_clock_holds_both(base: Fraction, fps: Fraction) -> None:
    clock = Clock.of(base, fps)
    assert clock.scale * clock.time_base == base
    assert clock.step is not None
    assert clock.step * clock.time_base == 1 / fps
    assert np.gcd(clock.scale, clock.step) == 1  # the coarsest


def test_no_rate_no_change() -> None:
    assert Clock.of(Fraction(1, 600), None) == Clock(Fraction(1, 600), 1, None)
    with pytest.raises(UsageError, match="choose a rounder rate"):
        Clock.of(Fraction(1, 10**9), Fraction(999983, 999979))


def film(times: list[int], last: int, base: Fraction) -> Iterator[Frame]:
    """Frames whose samples are their number."""
    for number, (pts, end) in enumerate(pairwise([*times, times[-1] + last])):
        yield Frame(np.full((2, 2, 3), number, np.uint8), pts, end - pts, base)


@settings(max_examples=40)
@given(
    gaps=st.lists(st.integers(1, 90), min_size=1, max_size=25),
    first=st.integers(-50, 2000),
    base=st.sampled_from(BASES),
    fps=st.sampled_from(RATES),
    seconds=st.sampled_from([Fraction(1, 10), Fraction(1, 3), Fraction(10)]),
    size=st.integers(1, 4),
    cut=st.tuples(st.integers(0, 20), st.integers(1, 30)),
)
def test_each_tick_shows_what_is_on_the_screen(
    gaps: list[int], first: int, base: Fraction, fps: Fraction, seconds: Fraction, size: int, cut: tuple[int, int]
) -> None:
    times = [first + sum(gaps[:i]) for i in range(len(gaps))]
    end = times[-1] + gaps[-1]
    clock = Clock.of(base, fps)
    assert clock.step is not None
    for start, stop in [(None, None), (times[0] + cut[0], times[0] + cut[0] + cut[1])]:
        a = None if start is None else start * clock.scale
        b = None if stop is None else stop * clock.scale
        plan = SegmentPlan(times[0] * clock.scale if a is None else a, seconds, clock.time_base)
        frames = retimed(film(times, gaps[-1], base), clock, plan, start=a, stop=b)
        got: list[tuple[int, int]] = []
        styled = 0
        for frame in (frame for batch in batches(frames, size) for frame in batch):
            styled += 1
            for one in repeated(frame, clock.step):
                assert plan.index(one.pts) == frame.segment
                got.append((one.pts, int(one.data[0, 0, 0])))
        wanted, tick = [], plan.origin
        while tick < end * clock.scale and (b is None or tick < b):
            wanted.append((tick, bisect_right(times, tick / clock.scale) - 1))
            tick += clock.step
        assert got == wanted
        # Nothing is styled twice in a segment, nor without being shown.
        assert styled == len({(plan.index(t), n) for t, n in wanted})


def shown_times(path: Path) -> list[Fraction]:
    info = probe(path)
    return [f.seconds for f in read_frames(info)]


@pytest.mark.parametrize(
    ("fps", "count"), [(Fraction(60), 48), (Fraction(10), 8), (Fraction(25), 20), (Fraction(24000, 1001), 20)]
)
def test_film_at_another_rate(styled: Any, make_clip: Any, read: Any, here: None, fps: Fraction, count: int) -> None:
    source = make_clip("in.mp4", frames=20, sound="aac")
    report = styled(source, "out.mp4", fps=fps, segment=Fraction(1, 3))
    times = shown_times(Path("out.mp4"))
    assert report.frames == len(times) == count
    assert times == [k / fps for k in range(count)]
    assert probe(Path("out.mp4")).average_rate == fps


def test_repeated_frames_are_the_same(styled: Any, make_clip: Any, read: Any, here: None) -> None:
    source = make_clip("in.mkv", pts=[0, 1, 40, 41], time_base=Fraction(1, 20), codec="ffv1", pix_fmt="bgr0")
    styled(source, "plain.mkv", codec="ffv1")
    styled(source, "fast.mkv", codec="ffv1", fps=Fraction(40), segment=Fraction(1, 2))
    plain, fast = read("plain.mkv")[0], read("fast.mkv")[0]
    assert len(fast) == 84
    wanted = [0, 0, *[1] * 78, 2, 2, 3, 3]
    assert np.abs(fast.astype(int) - plain[wanted]).max() <= 1


def test_cut_begins_with_what_is_on_the_screen(styled: Any, make_clip: Any, read: Any, here: None) -> None:
    source = make_clip("in.mkv", pts=[0, 20, 40], time_base=Fraction(1, 20), codec="ffv1", pix_fmt="bgr0")
    styled(source, "plain.mkv", codec="ffv1")
    report = styled(source, "cut.mkv", codec="ffv1", fps=Fraction(4), start=Fraction(1, 2), end=Fraction(3, 2))
    assert report.frames == 4
    cut, times = read("cut.mkv")
    assert times == [0, Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)]
    assert np.abs(cut.astype(int) - read("plain.mkv")[0][[0, 0, 1, 1]]).max() <= 1


def test_resume_with_a_rate(styled: Any, make_clip: Any, model_fails_every: Any, here: None) -> None:
    from contextlib import suppress

    from vidstyle.core.errors import InputError

    source = make_clip("in.mp4", pts=[0, 3, 4, 30, 31, 33, 60, 70, 71, 72], time_base=Fraction(1, 25))
    options = {"fps": Fraction(30000, 1001), "segment": Fraction(1, 2)}
    styled(source, "whole.mp4", **options)
    model_fails_every(4)
    for _ in range(20):
        with suppress(InputError):
            styled(source, "out.mp4", resume=True, **options)
        if Path("out.mp4").exists():
            break
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()
