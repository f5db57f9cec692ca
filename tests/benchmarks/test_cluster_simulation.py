"""Simulated runs against what can be said without simulating."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cluster_simulation import Slots, fleet, simulate

TIMES = st.lists(st.floats(0.1, 100), min_size=1, max_size=40)


@given(st.integers(1, 60), st.integers(1, 9))
def test_equal_tasks_come_in_rounds(tasks: int, slots: int) -> None:
    outcome = simulate([2.0] * tasks, Slots(slots, gap=0.5))
    rounds = math.ceil(tasks / slots)
    assert outcome.seconds == pytest.approx(2.0 * rounds + 0.5 * (rounds - 1))
    assert outcome.retries == 0


@given(TIMES, st.integers(1, 9))
def test_between_the_bounds_of_list_scheduling(times: list[float], slots: int) -> None:
    seconds = simulate(times, Slots(slots)).seconds
    least = max(max(times), sum(times) / slots)
    assert least - 1e-6 <= seconds <= (2 - 1 / slots) * least + 1e-6


@given(TIMES, st.integers(1, 9), st.integers(0, 5))
def test_losses_cost_and_all_is_done(times: list[float], slots: int, seed: int) -> None:
    calm = simulate(times, Slots(slots), seed)
    stormy = simulate(times, Slots(slots, lost_per_hour=60, back_after=30), seed)
    assert stormy.busy * stormy.seconds * slots == pytest.approx(calm.busy * calm.seconds * slots)
    assert stormy.seconds >= max(times)
    assert simulate(times, Slots(slots, lost_per_hour=60, back_after=30), seed) == stormy


def test_losses_come_as_often_as_they_are_said_to() -> None:
    outcome = simulate([36.0] * 20_000, Slots(100, lost_per_hour=1.0, back_after=0.0))
    lost = 1 - math.exp(-36 / 3600)  # the share of attempts
    assert outcome.retries / (20_000 + outcome.retries) == pytest.approx(lost, rel=0.15)


def test_a_fleet() -> None:
    prediction = {"rows": [{"seconds": 20.0, "bytes": 2_000_000}], "segment_seconds": 10, "input_bytes_per_second": 5e5}
    row = fleet(10, prediction, Slots(36))
    assert (row["tasks"], row["hours"], row["retries"], row["busy"]) == (3600, 0.56, 0, 1.0)
    assert row["input_tb"] == pytest.approx(0.018)
    assert row["driver_in_mb_per_s"] == pytest.approx(3.6)
