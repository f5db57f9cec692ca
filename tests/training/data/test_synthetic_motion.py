"""What is done to pictures for the temporal loss."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vidstyle.training.data.synthetic_motion import compressed


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.fixture
def frames() -> Tensor:
    """Two smooth coloured pictures, channels-last as in training."""
    small = torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(1))
    big = torch.nn.functional.interpolate(small, scale_factor=16, mode="bicubic").clamp(0, 1)
    return big.contiguous(memory_format=torch.channels_last)


def test_a_compressed_picture_is_near_the_picture_and_the_nearer_the_better_the_quality(frames: Tensor) -> None:
    errors = []
    for quality in (5, 30, 95):
        result = compressed(frames, (quality, quality), generators(0, 1))
        assert result.shape == frames.shape
        assert result.dtype == frames.dtype
        assert 0 <= float(result.min()) <= float(result.max()) <= 1
        errors.append(float((result - frames).abs().mean()))
    assert errors[0] > errors[1] > errors[2] > 0
    assert errors[2] < 0.01


def test_red_stays_red() -> None:
    red = torch.tensor([1.0, 0.2, 0.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    torch.testing.assert_close(compressed(red, (90, 90), generators(0)), red, rtol=0, atol=0.02)


def test_low_quality_shows_blocks(frames: Tensor) -> None:
    steps = (compressed(frames, (3, 3), generators(0, 1))[..., 1:] - frames[..., 1:]).diff(dim=-1).abs().mean((0, 1, 2))
    border = (torch.arange(len(steps)) + 2) % 8 == 0
    assert float(steps[border].mean()) > 2 * float(steps[~border].mean())


def test_each_picture_draws_its_own_quality(frames: Tensor) -> None:
    same = frames[:1].expand(2, -1, -1, -1)
    one, two = compressed(same, (5, 95), generators(3, 4))
    assert not torch.equal(one, two)
    again = compressed(same[1:], (5, 95), generators(4))[0]
    assert torch.equal(two, again)
