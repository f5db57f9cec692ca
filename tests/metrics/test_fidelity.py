from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from vidstyle.metrics.fidelity import LEAST_SIDE, StyleDistance, content_ssim, detail
from vidstyle.models.vgg import VGG


def noise(seed: int, h: int = 40, w: int = 50) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)


def naive_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2004, window by window."""
    t = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(t, t) / t.sum() ** 2
    x, y = ((f / 255.0) @ np.array([0.299, 0.587, 0.114]) for f in (a, b))
    values = []
    for i in range(x.shape[0] - 10):
        for j in range(x.shape[1] - 10):
            p, q = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            mp, mq = (window * p).sum(), (window * q).sum()
            vp, vq = (window * p * p).sum() - mp**2, (window * q * q).sum() - mq**2
            cov = (window * p * q).sum() - mp * mq
            values.append((2 * mp * mq + 1e-4) * (2 * cov + 9e-4) / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4)))
    return float(np.mean(values))


def test_ssim_is_the_definition():
    a = noise(0, 17, 19)
    b = (0.6 * a + 0.4 * noise(1, 17, 19)).astype(np.uint8)
    assert content_ssim(a, b) == pytest.approx(naive_ssim(a, b), abs=1e-4)
    assert content_ssim(a, a) == pytest.approx(1, abs=1e-6)
    assert content_ssim(noise(0, 10, 30), noise(1, 10, 30)) is None


def test_detail_of_flat_and_striped():
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 255
    assert detail(np.full((8, 8, 3), 9, np.uint8)) == 0
    assert detail(stripes) == pytest.approx(0.5, abs=1e-4)


class Pools(nn.Module):
    """Features of which everything is known: the picture itself, times 1, 2, 3, 4, 100, as many as are asked for."""

    def forward(self, x: torch.Tensor, upto: int) -> list[torch.Tensor]:
        return [x * k for k in (1, 2, 3, 4, 100)][:upto]


def test_style_distance_by_hand():
    style, film = noise(2, 32, 48), (noise(3, 32, 48) // 2 + 30).astype(np.uint8)
    a, b = film.reshape(-1, 3) / 255.0, style.reshape(-1, 3) / 255.0
    one = np.mean((a.mean(0) - b.mean(0)) ** 2) + np.mean((a.std(0) - b.std(0)) ** 2)
    ruler = StyleDistance(Pools(), style, 32)
    # relu1_1 ... relu4_1 and not relu5_1: 1 + 4 + 9 + 16.
    assert ruler(film) == pytest.approx(30 * one, rel=1e-4)
    assert ruler(style) == pytest.approx(0, abs=1e-9)


def test_the_smallest_picture_that_has_a_distance():
    net = VGG(depth=4)
    ruler = StyleDistance(net, noise(2), LEAST_SIDE)
    assert ruler(noise(3, LEAST_SIDE, LEAST_SIDE)) > 0
    with pytest.raises(RuntimeError, match="Padding"):
        ruler(noise(3, LEAST_SIDE - 1, LEAST_SIDE))


def test_style_is_brought_to_the_films_short_side():
    ruler = StyleDistance(Pools(), np.full((100, 200, 3), 128, np.uint8), 40)
    assert ruler(np.full((40, 60, 3), 128, np.uint8)) == pytest.approx(0, abs=1e-9)
