"""The carrier against its formula written out in float64, and what is promised of its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.helpers.detail_oracle import painted, rgb_oracle, scene, shrunk_by_area
from vidstyle.imaging.detail import LIMIT, add_detail, coefficients, luma, upsample


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    more=st.tuples(st.integers(0, 50), st.integers(0, 50)),
    detail=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 3),
)
def test_the_formula_written_out(width: int, height: int, more: tuple[int, int], detail: float, seed: int) -> None:
    source = scene(width + more[0], height + more[1], seed)
    shrunk = shrunk_by_area(source, width, height)
    painting = painted(shrunk)
    out = add_detail(painting, shrunk, source, detail)
    assert out.shape == source.shape
    assert np.abs(out - rgb_oracle(painting, shrunk, source, detail)).max() <= 0.51


def test_detail_0_is_plain_enlargement_bit_for_bit() -> None:
    source = scene(161, 93)
    shrunk = shrunk_by_area(source, 70, 41)
    painting = painted(shrunk)
    plain = np.clip(np.rint(upsample(painting.astype(np.float32), (161, 93))), 0, 255).astype(np.uint8)
    assert np.array_equal(add_detail(painting, shrunk, source, 0), plain)


def test_an_untouched_frame_of_texture_comes_back() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (90, 160, 1), np.uint8).repeat(3, axis=2)
    source = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.uint8)
    shrunk = shrunk_by_area(source, 80, 45)
    carried, plain = add_detail(shrunk, shrunk, source), add_detail(shrunk, shrunk, source, 0)
    assert np.abs(carried.astype(int) - source).mean() < 0.35 * np.abs(plain.astype(int) - source).mean()


def test_a_flat_painting_stays_flat() -> None:
    source = scene(160, 90)
    flat = np.full((45, 80, 3), (200, 30, 90), np.uint8)
    out = add_detail(flat, shrunk_by_area(source, 80, 45), source)
    assert np.abs(out.astype(int) - (200, 30, 90)).max() <= 1


@pytest.mark.parametrize("factor", [2, 3, 4.5])
def test_no_halo_wider_than_two_pixels_of_the_painting(factor: float) -> None:
    width, height = 96, 40
    source = np.full((round(height * factor), round(width * factor), 3), 50, np.uint8)
    edge = source.shape[1] // 2 + 1
    source[:, edge:] = 200
    shrunk = shrunk_by_area(source, width, height)
    painting = np.asarray(255 - shrunk, np.uint8)  # what was dark is bright: coefficients of -1
    out = add_detail(painting, shrunk, source).astype(int)
    ideal = 255 - source.astype(int)
    wrong = np.abs(out - ideal).max(axis=(0, 2)) > 3
    places = np.flatnonzero(wrong)
    assert places.size == 0 or (places.min() >= edge - 2 * factor - 1 and places.max() <= edge + 2 * factor)
    assert np.array_equal(out[:, 0], np.full_like(out[:, 0], 205))
    assert out.min() >= 55 - 12  # it undershoots and overshoots less than a tenth of the step
    assert out.max() <= 205 + 12


def test_coefficients_are_those_of_a_straight_line() -> None:
    guide = np.random.default_rng(0).random((30, 50), np.float32)
    (a,) = coefficients(guide, [(0.7 * guide + 0.1).astype(np.float32)], eps=0)
    assert np.abs(a - 0.7).max() < 1e-3


def test_coefficients_are_clamped_and_zero_where_the_frame_is_flat() -> None:
    guide = np.random.default_rng(0).random((20, 20), np.float32)
    (steep,) = coefficients(guide, [9 * guide])
    (none,) = coefficients(np.full_like(guide, 0.3), [guide])
    assert np.allclose(steep, LIMIT)
    assert np.abs(none).max() < 1e-3


def test_luma_takes_the_weights_it_is_given() -> None:
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert np.allclose(luma(rgb), [[0.2126, 0.7152, 0.0722, 1]], atol=1e-6)
    assert np.allclose(luma(rgb, (0.299, 0.587, 0.114)), [[0.299, 0.587, 0.114, 1]], atol=1e-6)


@pytest.mark.parametrize("amount", [0.5, 1.0])
def test_it_adds_no_more_flicker_than_the_frames_own_detail_has(amount: float) -> None:
    """Grain on a still picture: twice the flicker of the band of detail, beyond that of the painting enlarged."""
    still, noise = scene(240, 136).astype(np.float32), np.random.default_rng(0)
    frames = [np.clip(still + noise.normal(0, 5, still.shape), 0, 255).astype(np.uint8) for _ in range(3)]
    shrunk = [shrunk_by_area(f, 80, 45) for f in frames]
    plain = [add_detail(painted(s), s, f, 0) for s, f in zip(shrunk, frames, strict=True)]
    full = [add_detail(painted(s), s, f, amount) for s, f in zip(shrunk, frames, strict=True)]
    bands = [255 * (luma(f) - upsample(luma(s), (240, 136))) for s, f in zip(shrunk, frames, strict=True)]

    def flicker(pictures: Sequence[NDArray[Any]]) -> float:
        return float(np.mean([np.abs(b.astype(float) - a).mean() for a, b in pairwise(pictures)]))

    assert flicker(full) <= flicker(plain) + 2 * amount * flicker(bands)
