"""Clocks, orders, exponents and memory, each against something known."""

from __future__ import annotations

import math
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import harness
from benchmarks.harness import Timing, compare, exponent, measure, peak_bytes, run_command

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's high-water mark is Linux's")


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=20))
def test_a_timing_lies_between_its_extremes(values: list[float]) -> None:
    timing = Timing.of(values)
    assert timing.low == min(values) <= timing.median <= max(values) == timing.high
    assert timing.repeats == len(values)


def test_warm_up_is_not_measured() -> None:
    calls: list[int] = []

    def slow_at_first() -> None:
        calls.append(1)
        if len(calls) <= 2:
            time.sleep(0.05)

    timing = measure(slow_at_first, warmup=2, repeats=3)
    assert len(calls) == 5
    assert timing.repeats == 3
    assert timing.high < 0.05


def test_sleep_is_timed() -> None:
    timing = measure(lambda: time.sleep(0.02), warmup=0, repeats=3)
    assert 0.02 <= timing.low <= timing.median < 0.2


def test_processor_time_stands_still_in_sleep() -> None:
    timing = measure(lambda: time.sleep(0.05), warmup=0, repeats=3, clock="cpu")
    assert timing.clock == "cpu"
    assert timing.median < 0.02


def test_budget_ends_repeats_but_one_is_always_made() -> None:
    assert measure(lambda: time.sleep(0.01), warmup=0, repeats=100, budget=0.03).repeats < 10
    assert measure(lambda: None, warmup=0, repeats=100, budget=0).repeats == 1


def test_pairs_are_interleaved_and_change_order() -> None:
    order: list[str] = []
    compare(lambda: order.append("a"), lambda: order.append("b"), warmup=1, repeats=3)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"


def test_pairs_may_be_timed_by_the_processor() -> None:
    busy = [0.0]

    def work() -> None:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            busy[0] += 1

    asleep, awake, _ = compare(lambda: time.sleep(0.03), work, warmup=0, repeats=2, clock="cpu")
    assert asleep.clock == awake.clock == "cpu"
    assert asleep.median < 0.01 < 0.02 <= awake.low


def test_ratio_is_of_pairs_not_of_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    # The machine slows down fourfold in the middle; b takes twice as long as a in each pair all the same.
    taken = iter([1.0, 2.0, 8.0, 4.0, 4.0, 8.0])
    monkeypatch.setattr(harness, "_seconds", lambda call, now: next(taken))
    _, _, ratio = compare(lambda: None, lambda: None, warmup=0, repeats=3)
    assert ratio == Timing(2.0, 2.0, 2.0, 3)


@given(st.floats(-3, 3), st.floats(1e-3, 1e3))
def test_exponent_of_a_power_law(power: float, factor: float) -> None:
    sizes = [10.0, 30.0, 100.0, 1000.0]
    found = exponent(sizes, [factor * s**power for s in sizes])
    assert found is not None
    assert math.isclose(found, power, abs_tol=1e-9)


def test_two_points_have_no_exponent() -> None:
    assert exponent([1, 2], [1, 2]) is None


@linux
def test_peak_memory_counts_what_was_freed_again() -> None:
    found = peak_bytes(lambda: np.ones(64 * 2**20, np.uint8).sum())
    assert found is not None
    assert 60 * 2**20 < found < 80 * 2**20


@linux
def test_peak_memory_forgets_earlier_peaks() -> None:
    np.ones(64 * 2**20, np.uint8).sum()
    found = peak_bytes(lambda: np.ones(16 * 2**20, np.uint8).sum())
    assert found is not None
    assert found < 32 * 2**20


@linux
def test_peak_memory_sees_what_the_heap_had_kept() -> None:
    def many_small() -> int:
        return sum(len(b) for b in [b"x" * (100_000 + i) for i in range(320)])

    many_small()
    found = peak_bytes(many_small)
    assert found is not None
    assert 28 * 2**20 < found < 48 * 2**20


def test_a_command_tells_time_memory_and_output() -> None:
    done = run_command([sys.executable, "-c", "import time; b = b'x' * 2**26; time.sleep(0.1); print(len(b))"])
    assert done.stdout.strip() == str(2**26)
    assert done.seconds >= 0.1
    assert 0 < done.cpu_seconds < done.seconds  # it slept for a part of them
    assert 64 < done.peak_mb < 200


@linux
def test_a_commands_memory_is_not_that_of_who_started_it() -> None:
    held = np.ones(2**28, np.uint8)
    assert run_command([sys.executable, "-c", "import time; time.sleep(0.1)"]).peak_mb < 100
    assert held[0] == 1


def test_a_failing_command_says_why() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        run_command([sys.executable, "-c", "raise SystemExit('no such thing')"])
