"""The fused optimiser: Adam's steps, none for a gradient that is not finite, momenta that lie as their weights do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vidstyle.core.errors import InputError
from vidstyle.training.checkpoint import Average, load_state, restore_momenta, save_state, state_files
from vidstyle.training.optimisation import make_optimiser, set_rate, take_step


def network() -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1))
    return net.to(memory_format=torch.channels_last)


def train(net: nn.Module, optimiser: torch.optim.Optimizer, steps: range, bad: int = -1) -> None:
    for step in steps:
        x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        loss = net(x).square().mean() * (float("inf") if step == bad else 1.0)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(list(net.parameters()), 1.0)
        set_rate(optimiser, 1e-2)
        take_step(optimiser, norm)


def adam(net: nn.Module, fused: bool) -> torch.optim.Optimizer:
    groups: list[dict[str, Any]] = [{"params": list(net.parameters()), "share": 1.0}]
    return make_optimiser("adam", groups, 1e-2, fused=fused)


@pytest.mark.parametrize("bad", [-1, 2])
def test_fused_steps_are_adams_and_bad_ones_are_left_out(bad: int) -> None:
    nets = [network(), network()]
    for net, fused in zip(nets, (False, True), strict=True):
        train(net, adam(net, fused), range(6), bad)
    for a, b in zip(*(net.parameters() for net in nets), strict=True):
        assert bool(a.isfinite().all())
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("largest", [15_000_000, 101_000])
def test_a_saved_state_goes_on_bit_for_bit_in_one_file_or_several(largest: int, tmp_path: Path) -> None:
    whole, parts = network(), network()
    train(whole, adam(whole, True), range(6))
    optimiser = adam(parts, True)
    train(parts, optimiser, range(3))
    save_state(tmp_path, parts, Average(parts, 0.9), nn.Identity(), optimiser, {"step": 3}, largest)
    files = state_files(tmp_path)
    assert (len(files) > 1) == (largest < 1_000_000)
    saved, about = load_state(files)
    assert about == {"step": 3}
    again = network()
    again.load_state_dict(saved["net"])
    optimiser = adam(again, True)
    restore_momenta(optimiser, saved["momenta"])
    train(again, optimiser, range(3, 6))
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    if len(files) > 1:
        with pytest.raises(InputError, match="not all parts"):
            load_state(files[1:])
    save_state(tmp_path, parts, Average(parts, 0.9), nn.Identity(), optimiser, {"step": 6})
    assert [f.name for f in state_files(tmp_path)] == ["state.safetensors"]
