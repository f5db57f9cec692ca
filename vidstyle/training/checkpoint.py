"""The state of a training as one safetensors file: weights, their average, the stage's own parameters, the optimiser's momenta.

No pickle: an optimiser's state is a few tensors a parameter and a step count, which safetensors holds as well as anything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidstyle.models.checkpoint import read, write


class Average:
    """The exponential moving average of a network's weights: smoother than the weights themselves, and what is kept.

    Args:
        net: whose present weights are the start.
        decay: what an old average keeps in a step.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self._decay = decay
        self.weights = {k: v.clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Take in the weights after `step` steps."""
        # A young average forgets quickly, or the random start would stay in it for thousands of steps.
        decay = min(self._decay, step / (step + 50))
        for name, value in net.state_dict().items():
            self.weights[name].lerp_(value, 1 - decay)

    def load(self, weights: dict[str, Tensor]) -> None:
        """Go on from a saved average."""
        for name, value in weights.items():
            self.weights[name].copy_(value)


def save_state(
    path: Path,
    net: nn.Module,
    average: Average,
    extra: nn.Module,
    optimiser: torch.optim.Optimizer,
    about: dict[str, Any],
) -> None:
    """Write everything that resuming needs, atomically. `about` is JSON-serialisable (step, best score ...)."""
    tensors = {f"net.{k}": v for k, v in net.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in average.weights.items()}
    tensors |= {f"extra.{k}": v for k, v in extra.state_dict().items()}
    for i, state in optimiser.state_dict()["state"].items():
        tensors |= {f"momenta.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
    write({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, path, {"about": json.dumps(about)})


def load_state(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The parts of a state file by their prefix ("net", "ema", "extra", "momenta") and its `about`. Raises InputError."""
    tensors, metadata = read(path)
    parts: dict[str, dict[str, Tensor]] = {"net": {}, "ema": {}, "extra": {}, "momenta": {}}
    for name, tensor in tensors.items():
        prefix, key = name.split(".", 1)
        # Files from before there was another optimiser call them by Adam's name.
        parts["momenta" if prefix == "adam" else prefix][key] = tensor
    return parts, json.loads(metadata["about"])


def restore_momenta(optimiser: torch.optim.Optimizer, saved: dict[str, Tensor]) -> None:
    """Give an optimiser of the same kind back its momenta."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in saved.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
