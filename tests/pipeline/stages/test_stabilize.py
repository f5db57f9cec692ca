"""Stabilisation: exact where nothing moves, follows what moves, leaves what is new alone, the same in any chunks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.pipeline.stages.stabilize import Stabilizer

Frames = NDArray[np.uint8]


def texture(height: int = 48, width: int = 64, seed: int = 0) -> Frames:
    noise = np.random.default_rng(seed).random((height // 4, width // 4, 3), np.float32)
    return np.clip(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * 200 + 20, 0, 255).astype(
        np.uint8
    )


def film(count: int, *, pan: int = 0) -> Frames:
    big = texture(48, 160)
    return np.stack([big[:, pan * i : pan * i + 64] for i in range(count)])


def noisy(frames: Frames, seed: int = 1) -> Frames:
    noise = np.random.default_rng(seed).normal(0, 12, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def test_a_still_scene_is_a_running_mean() -> None:
    source, styled = film(6), noisy(film(6))
    out = Stabilizer(0.6, threads=1)(0, source, styled)
    mean = styled[0].astype(np.float64)
    for i in range(1, 6):
        mean = 0.4 * styled[i] + 0.6 * mean
        assert np.abs(out[i] - mean).max() <= 0.51
    np.testing.assert_array_equal(out[0], styled[0])


def test_nothing_at_zero() -> None:
    styled = noisy(film(3, pan=2))
    np.testing.assert_array_equal(Stabilizer(0.0, threads=1)(0, film(3, pan=2), styled), styled)


def test_follows_motion() -> None:
    """Noise that the motion carries nowhere is averaged away; the picture beneath stays sharp."""
    source = film(12, pan=3)
    styled = noisy(source)
    out = Stabilizer(0.8, threads=1)(0, source, styled)
    inside = (slice(8, -8), slice(8, 40))
    before, after = (np.abs(f[-1][inside].astype(float) - source[-1][inside]).mean() for f in (styled, out))
    assert after < 0.5 * before


def test_a_cut_is_left_alone() -> None:
    source = np.stack([texture(seed=1), 255 - texture(seed=2)])
    styled = noisy(source)
    out = Stabilizer(0.9, threads=1)(0, source, styled)
    assert np.abs(out[1].astype(int) - styled[1]).mean() < 3


def test_what_comes_from_outside_is_left_alone() -> None:
    source = film(2, pan=6)
    styled = np.stack([np.full_like(source[0], 10), np.full_like(source[0], 240)])
    out = Stabilizer(0.9, threads=1)(0, source, styled)
    assert (out[1][4:-4, -5:] > 200).mean() > 0.9  # new at the right
    assert (out[1][8:-8, 8:46] < 80).mean() > 0.9  # seen before


@settings(max_examples=15)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(16, 40), st.integers(16, 40))
def test_chunks_are_invisible_and_segments_begin_anew(sizes: list[int], height: int, width: int) -> None:
    count = sum(sizes)
    source = np.ascontiguousarray(film(count, pan=1)[:, :height, :width])
    styled = noisy(source)
    whole = Stabilizer(0.7, threads=1)(3, source, styled)
    pieces, stabilizer, at = [], Stabilizer(0.7, threads=1), 0
    stabilizer(2, source[::-1], styled[::-1])  # another segment before it changes nothing
    for size in sizes:
        pieces.append(stabilizer(3, source[at : at + size], styled[at : at + size]))
        at += size
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.fixture(autouse=True)
def threads_of_opencv() -> Any:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)
