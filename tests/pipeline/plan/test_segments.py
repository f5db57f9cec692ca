"""Segments partition the film, whatever its times, and batches do not depend on where reading began."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.imaging.frame import Frame
from vidstyle.pipeline.plan.segments import PIECES, SegmentPlan, batches, missing_ranges, shared_out

BASES = st.sampled_from([Fraction(1, 25), Fraction(1001, 30000), Fraction(1, 90000), Fraction(1, 1000), Fraction(1, 7)])
plans = st.builds(
    SegmentPlan,
    origin=st.integers(-5000, 10**7),
    seconds=st.fractions(Fraction(1, 20), 60, max_denominator=50),
    time_base=BASES,
)


@given(plan=plans, offset=st.integers(0, 10**8))
def test_a_frame_lies_in_its_segment(plan: SegmentPlan, offset: int) -> None:
    k = plan.index(plan.origin + offset)
    assert plan.border(k) <= plan.origin + offset < plan.border(k + 1)


@given(plan=plans, k=st.integers(0, 5000))
def test_borders_are_in_source_time(plan: SegmentPlan, k: int) -> None:
    behind = (plan.border(k) - plan.origin) * plan.time_base - k * plan.seconds
    assert 0 <= behind < plan.time_base


def test_before_the_origin_is_the_first() -> None:
    assert SegmentPlan(100, Fraction(1), Fraction(1, 25)).index(7) == 0


@given(
    lengths=st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=8),
    total=st.none() | st.integers(0, 20),
    order=st.randoms(use_true_random=False),
)
def test_missing_and_done_cover_the_film_once(lengths: list[tuple[int, bool]], total: int | None, order: Any) -> None:
    covered, at = [], 0
    for length, finished in lengths:
        last = at + length
        if finished and (total is None or last <= total):
            covered.append((at, last))
        at = last
    order.shuffle(covered)
    end = 40 if total is None else total
    gaps = missing_ranges(covered, total)
    missing = [k for first, last in gaps for k in range(first, end if last is None else last)]
    done = [k for first, last in covered for k in range(first, last)]
    assert sorted([*missing, *done]) == list(range(end))
    assert all(last is None or last > first for first, last in gaps)
    assert (gaps[-1:] == [(gaps[-1][0], None)]) if total is None else all(last is not None for _, last in gaps)


@given(
    gaps=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 30)), max_size=5),
    open_=st.booleans(),
    workers=st.integers(2, 9),
    expected=st.none() | st.integers(0, 120),
)
def test_pieces_are_the_same_segments(
    gaps: list[tuple[int, int]], open_: bool, workers: int, expected: int | None
) -> None:
    ranges: list[tuple[int, int | None]] = []
    at = 0
    for skipped, length in gaps:
        ranges.append((at + skipped, at + skipped + length))
        at += skipped + length
    if open_:
        ranges.append((at, None))
    pieces = shared_out(ranges, workers, expected)
    assert pieces == sorted(pieces)
    assert all(last is not None and last > first for first, last in (pieces[:-1] if open_ else pieces))
    assert not open_ or pieces[-1][1] is None

    def segments(parts: list[tuple[int, int | None]]) -> list[int]:
        return [k for first, last in parts for k in range(first, 500 if last is None else last)]

    assert segments(pieces) == segments(ranges)
    assert len(pieces) <= workers * PIECES + len(ranges)


def test_a_film_of_unknown_length_is_not_shared() -> None:
    assert shared_out([(0, None)], 4, None) == [(0, None)]
    assert shared_out([(0, None)], 2, 9) == [(0, 2), (2, 4), (4, 6), (6, 8), (8, None)]


def film(times: list[int], plan: SegmentPlan) -> list[Frame]:
    """Frames whose samples and alpha are their times."""
    pixels = [np.full((2, 2, 3), pts % 251, np.uint8) for pts in times]
    return [
        Frame(data, pts, 1, Fraction(1, 10), data[..., 0], plan.index(pts))
        for pts, data in zip(times, pixels, strict=True)
    ]


@given(
    times=st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True).map(sorted),
    size=st.integers(1, 9),
    seconds=st.fractions(Fraction(1, 5), 5, max_denominator=10),
    begin=st.integers(0, 20),
)
def test_batches(times: list[int], size: int, seconds: Fraction, begin: int) -> None:
    plan = SegmentPlan(0, seconds, Fraction(1, 10))
    groups = list(batches(film(times, plan), size))
    assert [frame.pts for batch in groups for frame in batch] == times
    for batch in groups:
        assert {plan.index(frame.pts) for frame in batch} == {batch.segment}
        assert len(batch) <= size
        np.testing.assert_array_equal(batch.data[:, 0, 0, 0], batch.pts % 251)
        assert batch.alpha is not None
        np.testing.assert_array_equal(batch.alpha[:, 1, 1], batch.pts % 251)
    for first, second in pairwise(groups):
        assert len(first) == size or second.segment > first.segment
    later = batches(film([t for t in times if t >= plan.border(begin)], plan), size)
    expected = [batch.pts.tolist() for batch in groups if batch.segment >= begin]
    assert [batch.pts.tolist() for batch in later] == expected


def test_a_full_batch_does_not_wait_for_the_next_frame() -> None:
    plan = SegmentPlan(0, Fraction(10), Fraction(1, 10))
    taken: list[int] = []

    def frames() -> Iterator[Frame]:
        for frame in film(list(range(5)), plan):
            taken.append(frame.pts)
            yield frame

    assert len(next(batches(frames(), 2))) == 2
    assert taken == [0, 1]
