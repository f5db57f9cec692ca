from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from vidstyle.metrics.fidelity import (
    DEEP_LEAST_SIDE,
    LEAST_SIDE,
    MULTI_SCALE,
    DeepGram,
    StyleDistance,
    content_ms_ssim,
    content_ssim,
    detail,
    luma,
)
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


def test_ssim_is_the_definition() -> None:
    a = noise(0, 17, 19)
    b = (0.6 * a + 0.4 * noise(1, 17, 19)).astype(np.uint8)
    assert content_ssim(a, b) == pytest.approx(naive_ssim(a, b), abs=1e-4)
    assert content_ssim(a, a) == pytest.approx(1, abs=1e-6)
    assert content_ssim(noise(0, 10, 30), noise(1, 10, 30)) is None


def test_detail_of_flat_and_striped() -> None:
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 255
    assert detail(np.full((8, 8, 3), 9, np.uint8)) == 0
    assert detail(stripes) == pytest.approx(0.5, abs=1e-4)


class Pools(nn.Module):
    """Features of which everything is known: the picture itself, times 1, 2, 3, 4, 100, as many as are asked for."""

    def forward(self, x: torch.Tensor, upto: int) -> list[torch.Tensor]:
        return [x * k for k in (1, 2, 3, 4, 100)][:upto]


def test_style_distance_by_hand() -> None:
    style, film = noise(2, 32, 48), (noise(3, 32, 48) // 2 + 30).astype(np.uint8)
    a, b = film.reshape(-1, 3) / 255.0, style.reshape(-1, 3) / 255.0
    one = np.mean((a.mean(0) - b.mean(0)) ** 2) + np.mean((a.std(0) - b.std(0)) ** 2)
    ruler = StyleDistance(Pools(), style, 32)
    # relu1_1 ... relu4_1 and not relu5_1: 1 + 4 + 9 + 16.
    assert ruler(film) == pytest.approx(30 * one, rel=1e-4)
    assert ruler(style) == pytest.approx(0, abs=1e-9)


def test_the_smallest_picture_that_has_a_distance() -> None:
    net = VGG(depth=4)
    ruler = StyleDistance(net, noise(2), LEAST_SIDE)
    assert ruler(noise(3, LEAST_SIDE, LEAST_SIDE)) > 0
    with pytest.raises(RuntimeError, match="Padding"):
        ruler(noise(3, LEAST_SIDE - 1, LEAST_SIDE))


def test_style_is_brought_to_the_films_short_side() -> None:
    ruler = StyleDistance(Pools(), np.full((100, 200, 3), 128, np.uint8), 40)
    assert ruler(np.full((40, 60, 3), 128, np.uint8)) == pytest.approx(0, abs=1e-9)


def test_ms_ssim_of_the_same_and_of_less() -> None:
    """1 for the picture itself; symmetric; falls as the picture is blended away, and more slowly than SSIM under fine noise."""
    picture = smooth(200, 180)
    assert content_ms_ssim(picture, picture) == pytest.approx(1, abs=1e-6)
    values: list[float] = []
    for share in (0.1, 0.3, 0.6, 0.9):
        blended = np.rint((1 - share) * picture + share * 128).astype(np.uint8)
        value = content_ms_ssim(picture, blended)
        assert value is not None
        values.append(value)
        assert content_ms_ssim(blended, picture) == pytest.approx(values[-1], abs=1e-5)
    assert values == sorted(values, reverse=True)
    noisy = np.clip(picture + np.random.default_rng(1).normal(0, 20, picture.shape), 0, 255).astype(np.uint8)
    assert content_ms_ssim(picture, noisy) > content_ssim(picture, noisy)
    assert content_ms_ssim(picture, 255 - picture) == pytest.approx(0, abs=0.2)


def test_ms_ssim_written_out() -> None:
    """The definition: contrast and structure on five scales, halved by 2x2 means, luminance on the last; paper's exponents.

    Whole windows only, but on the last scale, where torchmetrics reflects at the borders.
    """
    from kornia.filters import get_gaussian_kernel2d
    from torch.nn.functional import avg_pool2d, conv2d, pad

    a, b = smooth(192, 208), np.clip(smooth(192, 208, 1) // 2 + 60, 0, 255).astype(np.uint8)
    x, y = luma(a).double(), luma(b).double()
    kernel = get_gaussian_kernel2d(11, (1.5, 1.5)).double()[None]
    value = 1.0
    for scale, power in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        if scale:
            x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
        if scale == 4:
            x, y = (pad(t, (5, 5, 5, 5), mode="reflect") for t in (x, y))
        mx, my, xx, yy, xy = (conv2d(t, kernel) for t in (x, y, x * x, y * y, x * y))
        structure = (2 * (xy - mx * my) + 0.03**2) / (xx - mx**2 + yy - my**2 + 0.03**2)
        light = (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        value *= max(0.0, float((structure * light if scale == 4 else structure).mean())) ** power
    assert content_ms_ssim(a, b) == pytest.approx(value, abs=1e-4)


def test_ms_ssim_of_small_pictures_is_none() -> None:
    assert content_ms_ssim(smooth(MULTI_SCALE, MULTI_SCALE), smooth(MULTI_SCALE, MULTI_SCALE)) == pytest.approx(1)
    assert content_ms_ssim(smooth(MULTI_SCALE - 1, 200), smooth(MULTI_SCALE - 1, 200)) is None


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def test_gram_by_hand() -> None:
    """Of the fifth layer alone, and relative: 100 times the picture leaves |A - B|^2 / |B|^2 of the pictures' own matrices."""
    style, film = noise(2, 32, 48), noise(3, 32, 48)
    a, b = (p.reshape(-1, 3) / 255.0 for p in (film, style))
    a, b = a.T @ a / len(a), b.T @ b / len(b)
    ruler = DeepGram(Pools(), style, 32)
    assert ruler(film) == pytest.approx(((a - b) ** 2).sum() / (b**2).sum(), rel=1e-3)
    assert ruler(style) == pytest.approx(0, abs=1e-9)


def test_the_smallest_picture_that_has_a_gram() -> None:
    net = VGG()
    ruler = DeepGram(net, noise(2), DEEP_LEAST_SIDE)
    assert ruler(noise(3, DEEP_LEAST_SIDE, DEEP_LEAST_SIDE)) > 0
    with pytest.raises(RuntimeError, match="Padding"):
        ruler(noise(3, DEEP_LEAST_SIDE - 1, DEEP_LEAST_SIDE))
