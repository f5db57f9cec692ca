"""Colour channels: their means and deviations tell a picture's colours, and grey texture tells nothing of colour."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from vidstyle.losses.palette import COARSE, palettes


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(shape))


@given(st.integers(0, 2**31), st.integers(COARSE, 40), st.integers(COARSE, 40))
def test_deviations_determine_the_covariance(seed: int, height: int, width: int) -> None:
    fine, coarse = palettes(noise(seed, 2, 3, height, width))
    assert fine.shape == (2, 6, height, width)
    assert coarse.shape == (2, 6, height // COARSE, width // COARSE)
    first = fine[0].flatten(1).numpy()
    variances, covariance = first.var(1), np.cov(first[:3], bias=True)
    for pair, (a, b) in enumerate(((0, 1), (0, 2), (1, 2)), start=3):
        assert_allclose(2 * variances[pair] - variances[a] - variances[b], 2 * covariance[a, b], atol=1e-12)


def test_grey_texture_has_no_chroma_and_no_coarse_deviation() -> None:
    tile = noise(0, 1, 1, COARSE, COARSE)
    fine, coarse = palettes(tile.repeat(1, 3, 4, 4))
    assert fine[:, 0].std() > 0.1
    assert_allclose(fine[:, 1:3], 0, atol=1e-12)
    assert_allclose(fine[:, 5], 0, atol=1e-12)
    assert_allclose(coarse.std(dim=(2, 3), correction=0), 0, atol=1e-12)


def test_primary_colours_lie_where_bt601_has_them() -> None:
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, COARSE, COARSE)
    luma, blue, reddish = palettes(red)[1].flatten()[:3].tolist()
    assert_allclose([luma, blue, reddish], [0.299, 3 * 0.564 * -0.299, 3 * 0.713 * 0.701], atol=1e-6)
