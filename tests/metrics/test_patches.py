"""Patch distance against what is known exactly: equal sets, constants, and one dimension sorted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.metrics.patches import LEAST_SIDE, MOST, PatchDistance, _apart, _at_ranks, _patches


def noise(height: int, width: int, seed: int = 0, top: int = 200) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, top, (height, width, 3), np.uint8)


def test_nothing_between_a_picture_and_itself() -> None:
    for size in ((LEAST_SIDE, LEAST_SIDE), (40, 60), (200, 220)):
        picture = noise(*size)
        assert PatchDistance(picture, min(size))(picture) == 0


@given(st.integers(1, 55), st.integers(30, 50), st.integers(30, 50))
@settings(max_examples=10)
def test_a_constant_costs_itself(step: int, height: int, width: int) -> None:
    """All patches move by the same vector; over a complete basis its mean square is the constant's square, at every scale."""
    picture = noise(height, width)
    ruler = PatchDistance(picture, min(height, width))
    assert ruler((picture + step).astype(np.uint8)) == pytest.approx(step, rel=1e-3)


def test_symmetric_and_growing() -> None:
    a, b = noise(64, 80, 1), noise(64, 80, 2, top=90)
    assert PatchDistance(a, 64)(b) == pytest.approx(PatchDistance(b, 64)(a), rel=1e-5)
    near = ((a.astype(int) * 3 + b) // 4).astype(np.uint8)
    assert PatchDistance(a, 64)(near) < PatchDistance(a, 64)(b)


def test_arrangement_beyond_patches_is_not_seen() -> None:
    """Halves that change places: but for those at the seams all patches are the same, though hardly a pixel is."""
    picture = noise(112, 112)
    swapped = np.roll(picture, 56, 1)
    ruler = PatchDistance(picture, 112)
    assert ruler(swapped) < 0.15 * ruler(np.full_like(picture, 100))


def test_patches_are_those_of_the_picture() -> None:
    picture = torch.arange(3 * 9 * 8, dtype=torch.float32).reshape(1, 3, 9, 8)
    found = _patches(picture)
    assert found.shape == (147, 3 * 2)
    assert torch.equal(found[:, 1], picture[0, :, :7, 1:8].flatten())
    assert torch.equal(found[:, 5], picture[0, :, 2:9, 1:8].flatten())
    large = torch.rand(1, 3, 200, 220)
    assert _patches(large).shape == (147, MOST)
    assert torch.equal(_patches(large), _patches(large))


def test_ranks_of_sets_of_different_size() -> None:
    values = torch.arange(8.0)[None]
    assert _at_ranks(values, 4).tolist() == [[0.5, 2.5, 4.5, 6.5]]
    assert _at_ranks(values, 8) is values
    assert _apart(values, torch.tensor([[0.5, 2.5, 4.5, 6.5]])) == 0
