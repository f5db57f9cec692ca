"""What is told of films is what the engine makes of the same windows; stills are those of `shift_error`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.shift import blur, keys, on_films, on_stills, styled_by
from benchmarks.validation import Style
from vidstyle.engines.choose import make_engine
from vidstyle.metrics.shift import SHIFTS, difference, shift_error, windows

RNG = np.random.default_rng(0)
FRAME = RNG.integers(0, 256, (88, 104, 3), np.uint8)
STYLE = Style("art", "paintings", RNG.integers(0, 256, (384, 400, 3), np.uint8))


@pytest.mark.slow
def test_films_and_stills_of_one_engine(tiny_model: Path, tmp_path: Path) -> None:
    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32")
    method = styled_by(engine, STYLE)
    still = method(windows(FRAME, 1, max(SHIFTS))[0][None])[0]
    wanted = {s: difference(still, method(windows(FRAME, s, max(SHIFTS))[3][None])[0], s, s) for s in SHIFTS}
    more = ["--model", str(tiny_model), "--engine", "torch", "--device", "cpu", "--precision", "fp32"]
    (row,) = on_films([STYLE], {"clip": [FRAME, FRAME]}, tmp_path, more)
    assert {k: row[k] for k in keys(wanted)} == pytest.approx(keys(wanted), abs=2e-3)
    (row,) = on_stills(engine, [STYLE], {"clip": FRAME})
    assert {k: row[k] for k in keys(wanted)} == keys(shift_error(method, FRAME))
    assert row["shift_1"] > 0


def test_a_blur_has_nothing() -> None:
    assert set(shift_error(blur, FRAME).values()) == {0.0}
