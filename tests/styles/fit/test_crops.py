"""What styles are fitted on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidstyle.styles.fit.crops import GRAIN, REACH, crop, grain, photos


def test_photos_are_small_pictures_and_enough_of_them() -> None:
    found = photos()
    assert len(found) >= 12
    assert all(p.dtype == np.uint8 and p.ndim == 3 and 200 <= min(p.shape[:2]) <= 400 for p in found)


def test_a_crop_has_its_size_and_depends_on_the_random_numbers_alone() -> None:
    pictures = photos()
    first, again = (crop(pictures, np.random.default_rng(3), 64) for _ in range(2))
    assert first.shape == (1, 3, 64 + REACH, 64 + REACH)
    assert torch.equal(first, again)


def test_grain_has_its_deviation_at_one_pixel_and_in_spots() -> None:
    flat = torch.full((2, 3, 61, 90), 0.5)
    noise = grain(flat, np.random.default_rng(0)) - flat
    assert noise.std() == pytest.approx(GRAIN, rel=0.15)
    assert abs(float(noise.mean())) < 0.2 * GRAIN
    spots = torch.nn.functional.avg_pool2d(noise, 4)
    assert spots.std() > 1.5 * GRAIN / 4  # of white noise it would be a quarter
    assert grain(torch.ones(1, 3, 16, 16), np.random.default_rng(0)).max() <= 1
