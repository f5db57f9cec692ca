from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.mux.timecode import later

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("code", "frames", "rate", "expected"),
    [
        ("11:07:15:07", 0, Fraction(25), "11:07:15:07"),
        ("11:07:15:07", 18, Fraction(25), "11:07:16:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("01:00:59;29", 1, NTSC, "01:01:00;02"),  # two numbers are dropped
        ("01:09:59;29", 1, NTSC, "01:10:00;00"),  # but not at every tenth minute
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("00:00:00;00", 1800, NTSC, "00:01:00;02"),
        ("01:00:59:29", 1, NTSC, "01:01:00:00"),
        ("00:00:59;59", 1, 2 * NTSC, "00:01:00;04"),
        ("no code", 5, Fraction(25), "no code"),
    ],
)
def test_codes(code: str, frames: int, rate: Fraction, expected: str) -> None:
    assert later(code, frames, rate) == expected


@given(st.integers(0, 2_000_000), st.integers(0, 500_000))
def test_steps_add_up_and_no_dropped_number_appears(first: int, more: int) -> None:
    code = later("00:00:00;00", first, NTSC)
    assert later(code, more, NTSC) == later("00:00:00;00", first + more, NTSC)
    minute, second, frame = int(code[3:5]), int(code[6:8]), int(code[9:])
    assert minute % 10 == 0 or second or frame >= 2
