"""Running statistics: still within a step, then moved by what all calls added up to."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vidstyle.training.statistics import Statistics


class Follower(nn.Module):
    """Draws its buffer half-way to each input's mean."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("constant", torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        out = x - self.get_buffer("mean").clone()
        self.get_buffer("mean").lerp_(x.detach().mean(), 0.5)
        return out * self.constant


def test_buffers_move_once_a_step_by_the_sum_of_all_calls() -> None:
    net = nn.Sequential(Follower())
    mean = net.get_buffer("0.mean")
    statistics = Statistics(net)
    x = torch.tensor([4.0], requires_grad=True)
    first, second = net(x), net(2 * x)
    assert (float(first.detach()), float(second.detach())) == (4, 8)  # both as the step found them
    assert float(mean) == 0
    (first + second).sum().backward()  # the constant is as it was, or this would fail
    statistics.follow()
    assert float(mean) == pytest.approx(0.5 * 4 + 0.5 * 8)
    with torch.no_grad():
        net(torch.tensor([8.0]))
    statistics.follow(parts=2, mean=lambda moves: moves / 2)
    assert float(mean) == pytest.approx(6 + 0.5 * (8 - 6) / 4)
    statistics.close()
    with torch.no_grad():
        net(torch.tensor([7.5]))
    assert float(mean) == pytest.approx((6.25 + 7.5) / 2)  # at once
