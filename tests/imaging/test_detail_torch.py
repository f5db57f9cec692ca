"""The tensors' form is the arrays' form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers.detail_oracle import painted, rgb_oracle, scene, shrunk_by_area, yuv_oracle
from vidstyle.imaging.detail_torch import add_detail, add_detail_yuv, luma


def tensor(*pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).double() / 255


@pytest.mark.parametrize("size", [(96, 54), (131, 77)])
@pytest.mark.parametrize("detail", [0.0, 0.5, 1.0])
def test_rgb_is_the_formula(size: tuple[int, int], detail: float) -> None:
    sources = [scene(*size, seed) for seed in (0, 1)]
    shrunk = [shrunk_by_area(s, 48, 27) for s in sources]
    paintings = [painted(s) for s in shrunk]
    out = add_detail(tensor(*paintings), tensor(*shrunk), tensor(*sources), detail)
    for i in range(2):
        exact = rgb_oracle(paintings[i], shrunk[i], sources[i], detail)
        assert np.abs(out[i].permute(1, 2, 0).numpy() * 255 - exact).max() < 1e-6


@pytest.mark.parametrize("size", [(96, 54), (60, 34)])
def test_planes_are_the_formula(size: tuple[int, int]) -> None:
    source = scene(*size)
    shrunk = shrunk_by_area(source, 48, 27)
    painting = painted(shrunk)
    low, high = luma(tensor(shrunk)), luma(tensor(source))
    y, chroma = add_detail_yuv(tensor(painting), low, high)
    direct = size == (96, 54)
    exact = yuv_oracle(painting, low[0, 0].numpy(), high[0, 0].numpy(), 1, direct=direct)
    assert np.abs(y[0, 0].numpy() - exact[0]).max() < 1e-6
    for i in (0, 1):
        assert np.abs(chroma[0, i].numpy() - exact[i + 1]).max() < 1e-6


def test_gradients_reach_the_painting() -> None:
    painting = tensor(painted(scene(24, 24))).requires_grad_()
    source = scene(48, 48)
    out = add_detail(painting, tensor(shrunk_by_area(source, 24, 24)), tensor(source))
    out.mean().backward()
    assert painting.grad is not None
    assert painting.grad.abs().sum() > 0
