"""Options are checked when they are made; times and sizes are read exactly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.core.errors import UsageError
from vidstyle.pipeline.plan.run_options import RunOptions, parse_rate, parse_share, parse_size, parse_time, peak_rss_mb


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", Fraction(0)),
        ("90.5", Fraction(181, 2)),
        ("1:30.25", Fraction(361, 4)),
        ("0:01:05", Fraction(65)),
        ("10:00:00.001", Fraction(36000001, 1000)),
    ],
)
def test_times(text: str, seconds: Fraction) -> None:
    assert parse_time(text) == seconds


@given(hours=st.integers(0, 99), minutes=st.integers(0, 59), ms=st.integers(0, 59999))
def test_times_add_up(hours: int, minutes: int, ms: int) -> None:
    text = f"{hours}:{minutes:02d}:{ms // 1000}.{ms % 1000:03d}"
    assert parse_time(text) == hours * 3600 + minutes * 60 + Fraction(ms, 1000)


@pytest.mark.parametrize("text", ["", "-1", "1:75:00", "1:2:3:4", "nan", "inf", "1e3", "12s", "1,5"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        parse_time(text)


def test_sizes() -> None:
    assert parse_size("640x360") == (640, 360)
    for text in ("640", "640x", "x360", "640*360", "-640x360", "1e3x2"):
        with pytest.raises(UsageError, match="640x360"):
            parse_size(text)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"strength": 2.5}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"chunk": 0}, "chunk"),
        ({"threads": 0}, "threads"),
        ({"style_size": 8}, "style_size"),
        ({"segment": Fraction(0)}, "segment"),
        ({"size": (640, 8)}, "size"),
        ({"max_side": 15}, "max_side"),
        ({"size": (64, 64), "max_side": 32}, "exclude each other"),
        ({"start": Fraction(-1)}, "start"),
        ({"start": Fraction(5), "end": Fraction(5)}, "end"),
        ({"end": Fraction(0)}, "end"),
        ({"crf": 64}, "crf"),
    ],
)
def test_out_of_range(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word) as refused:
        RunOptions(**wrong)
    assert "--" not in str(refused.value)
    assert "--" in vars(refused.value)["in_command"]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"strength": x} for x in ("a", None, True, float("nan"))),
        *({"size": x} for x in (5, (5,), "64x48", (64.0, 48))),
        *({"start": x} for x in ("1:00", float("nan"), float("inf"))),
        *({"crf": x} for x in ("x", 1.5)),
        *({"mask": x} for x in (5, b"m.png")),
        *({"fps": "fast"}, {"device": None}, {"threads": 0.5}, {"style_size": None}),
    ],
)
def test_wrong_types(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(UsageError, match=name):
        RunOptions(**wrong)


def test_numbers_and_texts_that_mean_a_time_or_a_path_are_taken() -> None:
    options = RunOptions(start=0.1, end=3, mask="m.png", size=[64, 48])  # type: ignore[arg-type]
    assert (options.start, options.end, options.mask, options.size) == (Fraction(1, 10), 3, Path("m.png"), (64, 48))


def test_peak_memory_is_that_of_the_process() -> None:
    before = peak_rss_mb()
    assert before is not None
    block = bytearray(64 << 20)
    block[::4096] = b"x" * len(block[::4096])
    after = peak_rss_mb()
    assert after is not None
    assert before <= after < 1 << 20
    del block


@pytest.mark.parametrize(
    ("text", "rate"),
    [("25", 25), ("12.5", Fraction(25, 2)), ("30000/1001", Fraction(30000, 1001)), ("29.97", Fraction(30000, 1001))],
)
def test_rates(text: str, rate: Fraction) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "-1", "1/0", "1e9", "25fps"])
def test_no_rates(text: str) -> None:
    with pytest.raises(UsageError, match="--fps"):
        parse_rate(text)


def test_shares() -> None:
    assert [parse_share(t) for t in ("10%", "0.1", "0", "100%", "1")] == [0.1, 0.1, 0, 1, 1]
    for text in ("10", "101%", "-1%", "some", "nan"):
        with pytest.raises(UsageError, match="--max-errors"):
            parse_share(text)


def test_new_options_are_checked() -> None:
    for options in ({"fps": Fraction(0)}, {"fps": Fraction(2000)}, {"max_errors": 1.5}, {"bit_depth": 12}):
        with pytest.raises(UsageError, match=next(iter(options))):
            RunOptions(**options)
