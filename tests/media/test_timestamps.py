from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.mux.concat import joined_times
from vidstyle.media.timestamps import PtsRepair, frame_ticks, rescale

BASES = st.sampled_from(
    [Fraction(1, 90000), Fraction(1, 1000), Fraction(1001, 30000), Fraction(1, 12800), Fraction(1, 25)]
)


@given(st.integers(-(10**12), 10**12), BASES, BASES)
def test_rescale_is_the_nearest_tick(ticks: int, source: Fraction, target: Fraction) -> None:
    got = rescale(ticks, source, target)
    assert abs(got * target - ticks * source) <= target / 2


def test_halves_go_away_from_zero_as_in_libavutil() -> None:
    assert [rescale(t, Fraction(1, 1000), Fraction(1, 100)) for t in (14, 15, 25, -14, -15)] == [1, 2, 3, -1, -2]


def test_frame_ticks() -> None:
    assert frame_ticks(Fraction(30000, 1001), Fraction(1, 90000)) == 3003
    assert frame_ticks(None, Fraction(1, 1000)) == 40
    assert frame_ticks(Fraction(1000), Fraction(1, 25)) == 1


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50, unique=True))
def test_good_times_are_left_alone(times: list[int]) -> None:
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    assert [repair.next(t) for t in sorted(times)] == sorted(times)
    assert repair.repaired == 0


@given(st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), min_size=1, max_size=60))
def test_repaired_times_always_increase(times: list[int | None]) -> None:
    repair = PtsRepair(Fraction(1, 1000), Fraction(30000, 1001))
    got = [repair.next(t) for t in times]
    assert all(b > a for a, b in pairwise(got))


def test_a_missing_time_is_made_from_the_frame_before() -> None:
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    assert [repair.next(t, d) for t, d in [(100, 40), (None, 60), (None, 0), (300, 0)]] == [100, 140, 200, 300]
    assert repair.repaired == 2


def test_small_disorder_is_mended_by_one_tick_and_a_new_clock_is_followed() -> None:
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    assert [repair.next(t, 40) for t in [5000, 5000, 5080]] == [5000, 5001, 5080]
    # The recording starts again at zero: the film goes on, and distances between frames stay.
    assert [repair.next(t, 40) for t in [0, 40, 120]] == [5120, 5160, 5240]


def test_after_a_short_jump_back_the_rest_keeps_its_spacing() -> None:
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    later = list(range(600, 1800, 40))
    got = [repair.next(t, 40) for t in [*range(0, 1000, 40), *later]]
    assert got == list(range(0, 1000 + 40 * len(later), 40))


def test_disorder_does_not_push_on_what_follows() -> None:
    """Times in decoding order, as some AVI files have them: the clock is as it was after each group."""
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    times = [t for group in range(0, 40_000, 160) for t in (group, group + 120, group + 40, group + 80)]
    got = [repair.next(t, 40) for t in times]
    assert [got[i] for i in range(0, len(got), 4)] == list(range(0, 40_000, 160))


def test_one_wrong_time_does_not_push_on_what_follows() -> None:
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    times = [*range(0, 400, 40), 200, *range(440, 800, 40)]
    assert [repair.next(t, 40) for t in times] == [*range(0, 440, 40), *range(440, 800, 40)]


def test_packets_shorter_than_a_tick_share_it() -> None:
    """TrueHD: 1200 packets a second on a clock of milliseconds."""
    repair = PtsRepair(Fraction(1, 1000), None, equal=True)
    times = [rescale(i, Fraction(1, 1200), Fraction(1, 1000)) for i in range(5000)]
    assert [repair.next(t, 1) for t in times] == times
    strict = PtsRepair(Fraction(1, 1000), None)
    assert max(strict.next(t, 0) - t for t in [2 * (i // 2) for i in range(4000)]) == 1


def test_a_time_beyond_a_day_is_damage() -> None:
    day = 24 * 60 * 60 * 1000
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    assert [repair.next(t, 40) for t in [0, day - 1]] == [0, day - 1]  # a very long still picture
    repair = PtsRepair(Fraction(1, 1000), Fraction(25))
    assert [repair.next(t, 40) for t in [0, 40, 2**40, 120, 160]] == [0, 40, 80, 120, 160]
    assert repair.repaired == 1


@st.composite
def decode_orders(draw: st.DrawFn) -> tuple[list[int], int]:
    """Presentation times in decoding order of several segments, each reordered by at most `depth`, and that depth."""
    depth = draw(st.integers(0, 4))
    pts: list[int] = []
    clock = draw(st.integers(-1000, 100000))
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.integers(1, 12))
        shown = []
        for _ in range(size):
            shown.append(clock)
            clock += draw(st.integers(1, 50))
        order = list(range(size))
        # Move some frames forward in decoding order (references before the frames that use them).
        for i in range(depth, size, depth + 1):
            order.insert(i - depth, order.pop(i))
        pts += [shown[i] for i in order]
    return pts, depth


@given(decode_orders(), st.integers(1, 50))
def test_joined_times_are_decodable_and_keep_every_pts(case: tuple[list[int], int], last: int) -> None:
    pts, depth = case
    times = joined_times(np.array(pts), last)
    assert times.pts.tolist() == pts
    assert (np.diff(times.dts) > 0).all()
    assert (times.dts <= times.pts).all()
    assert (times.durations > 0).all()
    # One fixed depth: decoding time i is presentation time i - d, d at most the largest reordering.
    shown = sorted(pts)
    d = next(k for k in range(depth + 1) if times.dts[k:].tolist() == shown[: len(pts) - k])
    assert d <= depth
    order = np.argsort(pts)
    assert (np.array(pts)[order] + times.durations[order])[:-1].tolist() == shown[1:]
    assert times.durations[order][-1] == last


@pytest.mark.parametrize("pts", [[], [7]])
def test_joined_times_of_nothing_and_of_one(pts: list[int]) -> None:
    times = joined_times(np.array(pts, np.int64), 40)
    assert (times.pts.tolist(), times.dts.tolist(), times.durations.tolist()) == (pts, pts, [40] * len(pts))
