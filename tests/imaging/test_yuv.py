"""Planes to RGB and back, by the equations of H.273."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.imaging.yuv import LUMA_WEIGHTS, planes_to_rgb, rgb_matrix, rgb_to_yuv, yuv_matrix


@pytest.mark.parametrize("matrix", LUMA_WEIGHTS)
def test_the_equations(matrix: str) -> None:
    red, green, blue = LUMA_WEIGHTS[matrix]
    assert red + green + blue == pytest.approx(1)
    y, cb, cr = yuv_matrix(matrix) @ (0.9, 0.2, 0.4)
    assert y == pytest.approx(0.9 * red + 0.2 * green + 0.4 * blue)
    assert cb == pytest.approx((0.4 - y) / (2 * (1 - blue)))
    assert cr == pytest.approx((0.9 - y) / (2 * (1 - red)))
    assert np.allclose(rgb_matrix(matrix) @ yuv_matrix(matrix), np.eye(3))


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("depth", [8, 10])
def test_there_and_back(matrix: str, full_range: bool, depth: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    unit, step = (1 << depth) - 1, 1 << (depth - 8)
    scale = (unit, unit, unit) if full_range else (219 * step, 224 * step, 224 * step)
    zero = (0 if full_range else 16 * step, 128 * step, 128 * step)
    exact = rgb_to_yuv(rgb, matrix)
    planes = [
        np.clip(np.rint(exact[i] * scale[i] + zero[i]), 0, unit).astype(np.uint8 if depth == 8 else np.uint16)
        for i in range(3)
    ]
    back = planes_to_rgb((planes[0], planes[1], planes[2]), matrix=matrix, full_range=full_range, depth=depth)
    assert np.abs(back.astype(int) - rgb).max() <= (3 if depth == 8 else 1)
    grey = planes_to_rgb(
        tuple(np.full((2, 2), z, planes[0].dtype) for z in (zero[0] + scale[0], zero[1], zero[2])),  # type: ignore[arg-type]
        matrix=matrix,
        full_range=full_range,
        depth=depth,
    )
    assert (grey == 255).all()
