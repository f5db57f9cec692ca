"""What learns in a stage, at which rate, and by which optimiser."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vidstyle.core.errors import UsageError
from vidstyle.training.muon import Muon

_BETAS = (0.9, 0.99)


def make_optimiser(name: str, groups: list[dict[str, Any]], rate: float, *, fused: bool) -> torch.optim.Optimizer:
    """The optimiser of a stage.

    Args:
        name: "adam" or "muon".
        groups: of `learning`.
        rate: the learning rate.
        fused: Adam in one launch for all weights, and without a question whether the gradient is finite (`take_step`).
    """
    if name == "muon":
        return Muon(groups, rate, betas=_BETAS)
    return torch.optim.Adam(groups, rate, betas=_BETAS, fused=fused)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of a step, for every group its share of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


def take_step(optimiser: torch.optim.Optimizer, norm: Tensor) -> None:
    """One step; none where the gradient's norm, a scalar tensor, is not finite. A fused optimiser is told so on the device, and
    nothing waits; any other is asked for the value."""
    if optimiser.defaults.get("fused"):
        _lay_out_as_weights(optimiser)
        optimiser.found_inf = (~norm.isfinite()).float()  # type: ignore[attr-defined]  # what GradScaler sets too
        optimiser.step()
    elif norm.isfinite():
        optimiser.step()


def _lay_out_as_weights(optimiser: torch.optim.Optimizer) -> None:
    """Give gradients the strides of their weights, which fused kernels presuppose. They may differ where a side is 1 long, and
    nothing is copied then."""
    for group in optimiser.param_groups:
        for weight in group["params"]:
            gradient = weight.grad
            if gradient is not None and gradient.stride() != weight.stride():
                weight.grad = torch.empty_like(weight).copy_(gradient)


def learning(
    net: nn.Module, extra: nn.Module, rates: Mapping[str, float], learnable: Container[str]
) -> list[dict[str, Any]]:
    """What a stage trains, as groups for the optimiser, each with its "share" of the learning rate. Parameters that stay as
    they are ask for no gradient.

    Args:
        rates: beginning of a parameter's name > share; 1 where none fits. Raises UsageError for one that fits nothing.
        learnable: names of the parameters of `net` that any stage may train.
    """
    shares: dict[float, list[nn.Parameter]] = {1.0: [p for p in extra.parameters() if p.requires_grad]}
    unused = set(rates)
    for name, parameter in net.named_parameters():
        fitting = [prefix for prefix in rates if name.startswith(prefix)]
        unused -= set(fitting)
        share = rates[max(fitting, key=len)] if fitting else 1.0
        parameter.requires_grad_(name in learnable and share > 0)
        if parameter.requires_grad:
            shares.setdefault(share, []).append(parameter)
    if unused:
        raise UsageError(f"rates: no part of the network begins with {', '.join(sorted(unused))}.")
    return [{"params": parameters, "share": share} for share, parameters in shares.items() if parameters]
