"""The painting size that holds a rate: down at once, up only after a trial."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytest.importorskip("fastapi", reason="the studio needs more packages: pip install '.[studio]'")

from vidstyle.studio.live.pace import LADDER, RATE, SEEN, Pace


def run(pace: Pace, cost_at_100: float, seconds: float, begin: float = 0.0, *, ready: bool = True) -> list[int]:
    """Sizes of the frames of a while, where a frame of short side 100 costs so much and others by their area."""
    now, sizes = begin, []
    while now < begin + seconds:
        cost = cost_at_100 * (pace.size / 100) ** 2
        sizes.append(pace.size)
        now += max(cost, 1 / 30)
        pace.observe(cost, pace.size, now, ready=ready)
    return sizes


def test_it_begins_in_the_middle_and_paints_nothing_larger_than_the_frame() -> None:
    assert Pace(270).size == 180
    assert Pace(270).sizes[-1] == 270
    assert Pace(100).sizes == [96, 100]
    assert Pace(50).size == 50
    assert Pace(2000).sizes == list(LADDER)


def test_too_slow_goes_down_at_once() -> None:
    pace = Pace(270)
    for i in range(SEEN // 2):
        pace.observe(2 / RATE, 180, i / 10)
    assert pace.size == 160


@pytest.mark.parametrize("cost", [0.001, 0.008, 0.02, 0.1])
def test_it_settles_at_the_largest_size_that_holds_the_rate(cost: float) -> None:
    pace = Pace(1080)
    sizes = run(pace, cost, 120)[-200:]
    fits = [size for size in pace.sizes if cost * (size / 100) ** 2 <= 1 / RATE]
    assert max(set(sizes), key=sizes.count) in (max(fits, default=pace.sizes[0]), fits[-2] if len(fits) > 1 else 96)


def test_up_only_after_a_while_and_only_where_it_is_ready() -> None:
    pace = Pace(270)
    assert set(run(pace, 0.002, 2)) == {180}
    assert set(run(pace, 0.002, 20, 2, ready=False)) == {180}
    assert max(run(pace, 0.002, 20, 30)) == 270


def test_a_trial_that_fails_is_not_tried_again_soon() -> None:
    """The next size costs more than its area says: each failed trial doubles the wait."""
    pace, now = Pace(270), 0.0
    tried: list[float] = []
    while now < 60:
        size = pace.size
        cost = 0.02 if size <= 180 else 0.08
        if size > 180 and (not tried or now - tried[-1] > 1):
            tried.append(now)
        now += 1 / 25
        pace.observe(cost, size, now)
    waits = [b - a for a, b in pairwise(tried)]
    assert len(tried) <= 6
    assert waits == sorted(waits)


def test_workers_share_the_cost() -> None:
    one, two = Pace(270), Pace(270, workers=2)
    for i in range(SEEN):
        one.observe(0.06, one.size, i / 10)
        two.observe(0.06, two.size, i / 10)
    assert one.size < 180
    assert two.size == 180


def test_frames_of_another_size_say_nothing() -> None:
    pace = Pace(270)
    for i in range(SEEN):
        pace.observe(9.0, 270, i / 10)
    assert pace.size == 180
