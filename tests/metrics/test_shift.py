"""Shift error: nothing for what commutes with shifts, a grid's own period, known amounts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.metrics.shift import MARGIN, SHIFTS, difference, shift_error, windows

Frames = NDArray[np.uint8]
PICTURE = np.random.default_rng(0).integers(0, 256, (120, 150, 3), np.uint8)


def negative(frames: Frames) -> Frames:
    return 255 - frames


def blurred(frames: Frames) -> Frames:
    """Along the rows, by 9 pixels: commutes with shifts but for four pixels at the borders."""
    wide = np.pad(frames.astype(float), ((0, 0), (0, 0), (4, 4), (0, 0)), mode="reflect")
    return np.mean([wide[:, :, i : i + frames.shape[2]] for i in range(9)], 0).astype(np.uint8)


def gridded(frames: Frames, period: int = 4) -> Frames:
    """A network with a grid: 12 levels are added on every fourth column and row of what it was given."""
    out = frames // 2
    out[:, ::period] += 12
    out[:, :, ::period] += 12
    return out


@pytest.mark.parametrize("method", [negative, blurred])
def test_what_commutes_with_shifts_has_none(method: object) -> None:
    assert shift_error(method, PICTURE) == dict.fromkeys(SHIFTS, 0.0)  # type: ignore[arg-type]


def test_a_grid_of_four() -> None:
    """At multiples of the period nothing; else a quarter of the columns gain 12 levels, and another quarter loses them.

    A shift along (or down) moves one family of lines, 2 * 12 / 4 = 6 levels in the mean; across it moves both. There lines that
    meet add up or cancel: 10.5 levels (a column differs with probability 1/2, a row too; by 12 each, of either sign).
    """
    found = shift_error(gridded, np.zeros((264, 264, 3), np.uint8))
    assert (found[4], found[8]) == (0, 0)
    across = np.mean([abs(c + r) for c in (12, -12, 0, 0) for r in (12, -12, 0, 0)])
    for shift in (1, 2, 3):
        assert found[shift] == pytest.approx((6 + 6 + across) / 3, rel=0.03)


def test_noise_of_its_own_for_every_call() -> None:
    """Independent uniform noise in 0 ... 20: the mean difference of two draws is (n^2 - 1) / (3 n), n = 21."""
    rng = np.random.default_rng(1)
    found = shift_error(lambda f: rng.integers(0, 21, f.shape, np.uint8), np.zeros((300, 300, 3), np.uint8))
    for value in found.values():
        assert value == pytest.approx((21**2 - 1) / (3 * 21), rel=0.02)


@given(st.integers(1, 8), st.integers(40, 90), st.integers(40, 90))
@settings(max_examples=20)
def test_windows_show_the_same_pixels(shift: int, height: int, width: int) -> None:
    frame = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    still, right, down, both = windows(frame, shift, 8)
    assert {w.shape for w in (still, right, down, both)} == {(height - 8, width - 8, 3)}
    assert difference(still, right, shift, 0) == difference(still, down, 0, shift) == 0
    assert difference(still, both, shift, shift) == 0
    assert difference(still, right, 0, 0) > 0


def test_borders_are_left_out() -> None:
    frame = np.zeros((200, 200, 3), np.uint8)
    marked = frame.copy()
    marked[: MARGIN - 1] = marked[:, -MARGIN + 2 :] = 255
    assert difference(frame, marked, 1, 1) == 0
    marked[100, 100] = 255
    assert difference(frame, marked, 0, 0) > 0


def test_a_frame_without_room() -> None:
    with pytest.raises(ValueError, match="20x40 has no room to move by 8"):
        windows(np.zeros((40, 20, 3), np.uint8), 1, 8)
