"""Flashes of films that flash as often, as strongly and as widely as is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.metrics.flashes import FlashMeter

H, W = 40, 64


def level(luminance: float) -> int:
    """The grey of a relative luminance, the nearest of 256 (WCAG's formula turned round)."""
    value = 12.92 * luminance if luminance <= 0.03928 / 12.92 else 1.055 * luminance ** (1 / 2.4) - 0.055
    return round(255 * value)


def flat(colour: int | tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((H, W, 3), colour, np.uint8)


def measured(picture: Callable[[int], NDArray[np.uint8]], frames: int, rate: float = 24) -> FlashMeter:
    meter = FlashMeter()
    for n in range(frames):
        meter.add(n / rate, picture(n))
    return meter


def square(hertz: float, dark: int, bright: int, rate: float = 24) -> Callable[[int], NDArray[np.uint8]]:
    return lambda n: flat(bright if math.floor(2 * hertz * n / rate + 1e-9) % 2 else dark)


@pytest.mark.parametrize(("hertz", "flashes"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 6), (12, 12)])
def test_a_square_wave_flashes_as_often_as_it_turns(hertz: float, flashes: float) -> None:
    meter = measured(square(hertz, 20, 230), 72)
    assert meter.most == flashes
    assert meter.most_red == 0


@pytest.mark.parametrize(
    ("dark", "bright", "counts"),
    [
        (0.2, 0.32, True),
        (0.2, 0.28, False),
        (0.75, 0.9, True),
        (0.82, 1.0, False),
        (0.0, 0.12, True),
        (0.0, 0.08, False),
    ],
)
def test_strength_and_darkness(dark: float, bright: float, counts: bool) -> None:
    meter = measured(square(6, level(dark), level(bright)), 48)
    assert meter.most == (6 if counts else 0)


@pytest.mark.parametrize(("share", "counts"), [(0.2, False), (0.3, True)])
def test_a_quarter_of_the_picture(share: float, counts: bool) -> None:
    wide = square(6, 20, 230)

    def picture(n: int) -> NDArray[np.uint8]:
        out = flat(128)
        out[:, : round(share * W)] = wide(n)[0, 0]
        return out

    assert measured(picture, 48).most == (6 if counts else 0)


def test_a_slow_rise_counts_once_however_far_it_goes() -> None:
    """Down and up over two seconds each: half a change a second."""
    meter = measured(lambda n: flat(level(0.5 + 0.5 * math.cos(math.pi * n / 48))), 240)
    assert meter.most == 0.5


def test_fine_patterns_do_not_flash() -> None:
    """A checkerboard of single pixels that changes places with itself, on a large picture."""
    board = (np.indices((480, 640)).sum(0) % 2).astype(np.uint8)[..., None] * np.full(3, 255, np.uint8)
    assert measured(lambda n: board if n % 2 else 255 - board, 24).most == 0


@pytest.mark.parametrize(
    ("one", "other", "counts"),
    [
        ((255, 0, 0), (0, 0, 0), True),
        ((180, 0, 0), (180, 180, 180), True),
        ((255, 0, 0), (250, 0, 0), True),  # 4.2 % of 320: 13; below
        ((120, 100, 100), (0, 0, 0), False),
        ((0, 0, 255), (0, 0, 0), False),
    ],
)
def test_red(one: tuple[int, int, int], other: tuple[int, int, int], counts: bool) -> None:
    def x(colour: tuple[int, int, int]) -> float:
        r, g, b = (c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
        return max(0.0, r - g - b) * 320

    meter = measured(lambda n: flat(one if n // 2 % 2 else other), 48)
    assert meter.most_red == (6 if counts and abs(x(one) - x(other)) > 20 else 0)


def test_it_says_when() -> None:
    """Quiet for two seconds, then 6 Hz: the first second that holds them all ends a second later."""
    wave = square(6, 20, 230)
    meter = measured(lambda n: flat(20) if n < 48 else wave(n), 120)
    assert meter.most == 6
    assert meter.worst == pytest.approx(3.0, abs=0.1)


@given(st.integers(1, 11), st.sampled_from([24.0, 25.0, 30.0, 60.0]))
def test_never_more_than_the_wave_has(hertz: int, rate: float) -> None:
    meter = measured(square(hertz, 20, 230, rate), round(2.5 * rate), rate)
    assert hertz - 0.5 <= meter.most <= hertz + 0.5
