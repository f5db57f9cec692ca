"""A style in a film's colours: exact moments, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vidstyle.core.errors import UsageError
from vidstyle.styles.film_colours import Palette, in_palette, moved_to
from vidstyle.styles.source import CompiledStyle, Style, StyleImage


def _colours(seed: int, low: int = 90, high: int = 160) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, (40, 50, 3), np.uint8)


def test_a_palette_is_mean_and_covariance_of_all_its_frames() -> None:
    frames = [_colours(i) for i in range(3)]
    mean, covariance = sum((Palette.of(f) for f in frames[1:]), Palette.of(frames[0])).moments
    every = np.concatenate([f.reshape(-1, 3) for f in frames]) / 255
    np.testing.assert_allclose(mean, every.mean(0), atol=1e-6)
    np.testing.assert_allclose(covariance, np.cov(every.T, bias=True), atol=1e-6)


def test_a_picture_takes_mean_and_covariance_of_a_palette() -> None:
    film = _colours(1).astype(float)
    film[..., 0] = np.clip(film[..., 1] * 0.8 + 40, 0, 255)  # red goes with green there
    palette = Palette.of(film.astype(np.uint8))
    picture = moved_to(_colours(2, 20, 240), palette)
    found, wanted = Palette.of(picture).moments, palette.moments
    np.testing.assert_allclose(found[0], wanted[0], atol=0.004)
    # Variances have a floor of 4e-4 on the way, a deviation of 5 levels.
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-3)
    assert found[1][0, 1] / np.sqrt(found[1][0, 0] * found[1][1, 1]) > 0.8


def test_a_picture_in_its_own_colours_stays() -> None:
    picture = _colours(3)
    assert np.abs(moved_to(picture, Palette.of(picture)).astype(int) - picture).max() <= 1


def test_compiled_styles_have_no_picture_left() -> None:
    (moved,) = in_palette([Style("a", StyleImage(_colours(4)), 0.3)], Palette.of(_colours(5, 0, 40)))
    assert (moved.name, moved.weight) == ("a", 0.3)
    assert isinstance(moved.source, StyleImage)
    assert moved.source.pixels.mean() < 45
    with pytest.raises(UsageError, match=r"b\.safetensors: is compiled"):
        in_palette([Style("b.safetensors", CompiledStyle(Path("b.safetensors")))], Palette.of(_colours(5)))
