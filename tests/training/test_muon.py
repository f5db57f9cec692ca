"""Muon is torch's on the weights of convolutions as matrices, and Adam on everything else."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from vidstyle.training.muon import Muon

LR, BETAS = 0.01, (0.9, 0.99)


def network(memory_format: torch.memory_format) -> nn.Sequential:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(8, 9, 3), nn.Conv2d(9, 10, 1), nn.Conv2d(10, 3, 3))
    return net.to(memory_format=memory_format)


def gradients(net: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for p in net.parameters():
        p.grad = torch.randn(p.shape, generator=generator).contiguous(
            memory_format=torch.channels_last if p.dim() == 4 else torch.contiguous_format
        )


def parameters(net: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in net.parameters()]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_weights_move_as_muon_moves_matrices_and_the_rest_as_adam_does(memory_format: torch.memory_format) -> None:
    net = network(memory_format)
    first, rest = cast(nn.Conv2d, net[0]), [cast(Tensor, cast(nn.Conv2d, net[0]).bias), cast(nn.Conv2d, net[2]).weight]
    alone = nn.Parameter(first.weight.detach().reshape(9, -1).clone())
    theirs = [nn.Parameter(p.detach().clone()) for p in rest]
    reference = torch.optim.Muon([alone], LR, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.Adam(theirs, LR, betas=BETAS)
    optimiser = Muon([{"params": list(net.parameters())}], LR, BETAS)
    for step in range(3):
        gradients(net, step)
        alone.grad = first.weight.grad.reshape(9, -1).clone() if first.weight.grad is not None else None
        for mine, own in zip(theirs, rest, strict=True):
            mine.grad = own.grad
        optimiser.step()
        reference.step()
        adam.step()
    # torch's iteration runs in bfloat16, and columns come in another order.
    torch.testing.assert_close(first.weight.reshape(9, -1), alone, rtol=0, atol=2e-3)
    assert (first.weight - network(memory_format)[0].weight).abs().max() > 5e-3
    for mine, own in zip(theirs, rest, strict=True):
        torch.testing.assert_close(own, mine, rtol=0, atol=0)


def test_a_gradient_of_one_direction_moves_all_directions_alike() -> None:
    """What sets it apart: the singular values of an update are equal, up to what its five iterations leave (0.7 to 1.2)."""
    net = nn.Conv2d(16, 8, 1, bias=False)
    before = net.weight.detach().flatten(1).clone()
    u, _, v = torch.linalg.svd(torch.randn(8, 16, generator=torch.Generator().manual_seed(0)), full_matrices=False)
    strong = u @ torch.diag(torch.tensor([100.0, 50, 20, 10, 8, 6, 5, 4])) @ v
    net.weight.grad = strong[:, :, None, None].clone()
    optimiser = Muon([{"params": [net.weight]}], LR, BETAS)
    optimiser.step()
    moved = torch.linalg.svdvals(net.weight.detach().flatten(1) - before)
    assert moved.max() / moved.min() < 2


def test_rates_of_groups_count_and_may_change() -> None:
    net = network(torch.channels_last)
    optimiser = Muon([{"params": net[0].parameters()}, {"params": net[1].parameters(), "lr": 0.0}], LR, BETAS)
    before = parameters(net)
    gradients(net, 0)
    optimiser.step()
    moved = [not torch.equal(a, b) for a, b in zip(before, parameters(net), strict=True)]
    assert moved == [True, True, False, False, False, False]
    before = parameters(net)
    for group in optimiser.param_groups:
        group["lr"] = 0.0
    optimiser.step()
    assert all(torch.equal(a, b) for a, b in zip(before, parameters(net), strict=True))


def test_a_weight_that_no_matrix_can_share_is_refused() -> None:
    weight = nn.Parameter(torch.zeros(8, 8, 3, 3)[..., :2])
    with pytest.raises(ValueError, match="copy"):
        Muon([{"params": [weight]}], LR, BETAS)


def test_it_goes_on_from_its_state() -> None:
    whole, half = network(torch.channels_last), network(torch.channels_last)
    optimiser = Muon([{"params": whole.parameters()}], LR, BETAS)
    for step in range(4):
        gradients(whole, step)
        optimiser.step()
    first = Muon([{"params": half.parameters()}], LR, BETAS)
    for step in range(2):
        gradients(half, step)
        first.step()
    second = Muon([{"params": half.parameters()}], LR, BETAS)
    second.load_state_dict(first.state_dict())
    for step in range(2, 4):
        gradients(half, step)
        second.step()
    for a, b in zip(whole.parameters(), half.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
