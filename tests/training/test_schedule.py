"""Schedules: steps as written; by the clock, the rate is nothing when time is up, whatever the speed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.training.recipe import Recipe, Stage
from vidstyle.training.schedule import Place, StepSchedule, TimedSchedule

PLAN = Recipe(
    stage=(
        Stage(kind="distil", steps=100, lr=2.0, lr_end=0.5, warmup=10),
        Stage(kind="style", steps=300, lr=1.0, lr_end=0.2, warmup=10),
    )
)


class Clock:
    """Seconds that go by when a step is taken."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def walk(schedule: TimedSchedule, clock: Clock, seconds: float, first: int = 0) -> list[Place]:
    places, step = [], first
    while (place := schedule.place(step)) is not None:
        places.append(place)
        clock.now += seconds
        step += 1
    return places


@given(seconds=st.floats(0.01, 2))
def test_by_the_clock_the_rate_is_nothing_when_time_is_up(seconds: float) -> None:
    clock = Clock()
    places = walk(TimedSchedule(PLAN, 1.0, clock=clock), clock, seconds)
    assert len(places) == pytest.approx(60 / seconds, abs=1.01)
    first, last = ([p for p in places if p.stage == n] for n in (0, 1))
    assert len(first) == pytest.approx(len(places) / 4, abs=1.5)  # as the recipe shares its steps
    assert [p.step for p in first] == list(range(len(first)))
    assert [p.step for p in last] == list(range(len(last)))
    rates = [p.rate for p in last]
    assert max(rates) <= 1.0
    warm = rates.index(max(rates))
    assert all(a >= b for a, b in pairwise(rates[warm:]))
    # A cosine is nearly flat at its end: within the last step it is below (pi/2 * share of a step)^2.
    assert rates[-1] <= max(1e-9, (3.1416 / 2 * seconds / (45 * 0.95)) ** 2 * 1.01)
    assert places[len(first) - 1].rate >= 0.5 * 2.0 or len(first) < 20  # the other stage falls to what it says


def test_resumed_by_the_clock_what_is_left_is_done_in_the_new_time() -> None:
    clock = Clock()
    places = walk(TimedSchedule(PLAN, 1.0, (1, 40), clock=clock), clock, 0.5, first=140)
    assert [(p.stage, p.step) for p in places] == [(1, 40 + i) for i in range(len(places))]
    assert len(places) == 120
    assert places[0].rate == 0.0  # it warms up again
    assert max(p.rate for p in places) == pytest.approx(1.0, rel=0.01)
    assert walk(TimedSchedule(PLAN, 1.0, last=3, clock=clock), clock, 0.5) != []


def test_steps_are_as_written_and_end_early_where_told() -> None:
    schedule = StepSchedule(PLAN, 150)
    assert schedule.place(0) == Place(0, 0, PLAN.stage[0].rate(0))
    assert schedule.place(149) == Place(1, 49, PLAN.stage[1].rate(49))
    assert schedule.place(150) is None
    assert StepSchedule(PLAN, 150, lambda: True).place(0) is None
