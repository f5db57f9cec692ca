from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.metrics.report.charts import BINS, Curve, Mark, chart, nice_ticks, runs, thinned
from vidstyle.metrics.report.html import HIDDEN, heat
from vidstyle.metrics.report.worst_frames import Moment, Worst, thumb_error


@given(top=st.floats(1e-9, 1e6), count=st.integers(2, 10))
def test_ticks_cover_the_range_in_even_steps(top: float, count: int) -> None:
    ticks = nice_ticks(top, count)
    assert ticks[0] == 0
    assert ticks[-1] >= top * 0.999
    assert len(ticks) <= count + 2
    np.testing.assert_allclose(np.diff(ticks), ticks[1], rtol=1e-6)


@given(n=st.integers(1, 5000), at=st.integers(0, 4999))
def test_thinning_keeps_the_peak(n: int, at: int) -> None:
    values = np.zeros(n)
    values[at % n] = 1
    seconds, kept = thinned(np.arange(n) / 25, values)
    assert len(kept) <= BINS
    assert seconds[np.argmax(kept)] == at % n / 25


def test_missing_numbers_break_the_line() -> None:
    values = np.array([1, np.nan, 2, 3, np.nan])
    assert runs(np.arange(5.0), values) == [[(0, 1)], [(2, 2), (3, 3)]]


def test_chart_is_well_formed_and_marks_the_worst() -> None:
    seconds = np.arange(100) / 25
    values = np.abs(np.sin(seconds))
    values[50] = np.nan
    text = chart("E", seconds, [Curve("film", values, "film")], [Mark(2.0, 0.5, "E1")], np.array([1.5]))
    root = ET.fromstring(text)
    assert len(root.findall("polyline")) == 2
    assert [t.text for g in root.findall("g") for t in g.findall("text")] == ["E1"]
    assert [line.get("class") for line in root.findall("line")].count("cut") == 1


def test_heat_map_shows_what_was_not_measured() -> None:
    error = np.array([[0, 0.5, 1, np.nan]], np.float32)
    picture = heat(error, 1.0)
    assert tuple(picture[0, 3]) == HIDDEN
    brightness = picture[0, :3].astype(int).sum(1)
    assert list(brightness) == sorted(brightness)
    assert brightness[0] < 20


def test_shrunk_errors_are_means_of_measured_pixels() -> None:
    error = np.full((1280, 640), 0.25, np.float32)
    measured = np.ones((1280, 640), bool)
    measured[:, ::2] = False
    error[~measured] = 99
    measured[:640] = False
    small = thumb_error(error, measured)
    assert small.shape == (640, 320)
    assert np.isnan(small[:320]).all()
    np.testing.assert_allclose(small[320:], 0.25, rtol=1e-5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(1, 4))
def test_worst_moments_lie_apart_and_hold_the_largest(values: list[float], count: int) -> None:
    worst = Worst(count, apart=3)
    nothing = np.zeros((1, 1, 3), np.uint8)
    for index, value in enumerate(values):
        if worst.wants(index, value):
            worst.add(Moment(index, index / 25, value, nothing, nothing, nothing, np.zeros((1, 1), np.float32)))
    kept = worst.moments
    assert len(kept) <= count
    assert kept[0].value == max(values)
    assert [m.value for m in kept] == sorted((m.value for m in kept), reverse=True)
    indices = sorted(m.index for m in kept)
    assert all(b - a >= 3 for a, b in pairwise(indices))
