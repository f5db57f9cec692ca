from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.metrics.flicker import flicker, still_pixels


def test_still_means_less_than_two_steps_in_every_channel() -> None:
    first = np.full((4, 4, 3), 100, np.uint8)
    second = first.copy()
    second[0] += 1
    second[1, :, 1] += 2
    second[2, :, 2] -= 2
    assert still_pixels(first, second).tolist() == [[True] * 4, [False] * 4, [False] * 4, [True] * 4]


def test_no_wrap_around() -> None:
    assert not still_pixels(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)).any()


@given(change=st.integers(0, 255))
def test_mean_change_of_still_pixels(change: int) -> None:
    still = np.zeros((10, 10), bool)
    still[:2] = True
    first, second = np.zeros((2, 10, 10, 3), np.uint8)
    second[:1] = change
    second[2:] = 255
    assert flicker(first, second, still) == pytest.approx(change / 255 / 2)


@pytest.mark.parametrize(("pixels", "known"), [(1, False), (2, True)])
def test_two_percent_are_enough(pixels: int, known: bool) -> None:
    still = np.zeros(100, bool)
    still[:pixels] = True
    frame = np.zeros((10, 10, 3), np.uint8)
    assert (flicker(frame, frame, still.reshape(10, 10)) is not None) is known
