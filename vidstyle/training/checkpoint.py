"""The state of a training as one safetensors file: weights, their average, the stage's own parameters, the optimiser's momenta.

No pickle: an optimiser's state is a few tensors a parameter and a step count, which safetensors holds as well as anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vidstyle.core.errors import InputError
from vidstyle.models.checkpoint import read, write

_LARGEST = 15_000_000
"""Bytes of a file: what comes back from rented machines is limited in such sizes."""
_ROOM = 100_000
"""Bytes left for a file's header."""


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
        torch._foreach_lerp_(list(self.weights.values()), list(net.state_dict().values()), 1 - decay)

    def load(self, weights: dict[str, Tensor]) -> None:
        """Go on from a saved average."""
        for name, value in weights.items():
            self.weights[name].copy_(value)


def save_state(
    folder: Path,
    net: nn.Module,
    average: Average,
    extra: nn.Module,
    optimiser: torch.optim.Optimizer,
    about: dict[str, Any],
    largest: int = _LARGEST,
) -> None:
    """Write everything that resuming needs: `state.safetensors`, or `state-1-of-2.safetensors` ... where one file would be
    larger than `largest` bytes. Each file appears only when it is whole; earlier ones are removed. `about` is JSON-serialisable
    (step, best score ...)."""
    tensors = {f"net.{k}": v for k, v in net.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in average.weights.items()}
    tensors |= {f"extra.{k}": v for k, v in extra.state_dict().items()}
    for i, state in optimiser.state_dict()["state"].items():
        tensors |= {f"momenta.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
    parts: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        size += tensor.nbytes
        if parts[-1] and size > largest - _ROOM:
            parts.append({})
            size = tensor.nbytes
        parts[-1][name] = tensor.detach().cpu().contiguous()
    names = [f"state-{i}-of-{len(parts)}" for i in range(1, len(parts) + 1)] if len(parts) > 1 else ["state"]
    files = [folder / f"{name}.safetensors" for name in names]
    for file, part in zip(files, parts, strict=True):
        write(part, file, {"about": json.dumps(about), "parts": str(len(parts))})
    for file in set(state_files(folder)) - set(files):
        file.unlink()


def state_files(folder: Path) -> list[Path]:
    """The files of a saved state; none where there is none."""
    return sorted(folder.glob("state*.safetensors"))


def load_state(files: Sequence[Path]) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The parts of a saved state by their prefix ("net", "ema", "extra", "momenta") and its `about`.

    Args:
        files: of `state_files`.

    Raises:
        InputError: one cannot be read, or they are not the parts of one state.
    """
    parts: dict[str, dict[str, Tensor]] = {"net": {}, "ema": {}, "extra": {}, "momenta": {}}
    abouts = []
    for file in files:
        tensors, metadata = read(file)
        abouts.append((metadata["about"], metadata.get("parts", "1")))
        for name, tensor in tensors.items():
            prefix, key = name.split(".", 1)
            # Files from before there was another optimiser call them by Adam's name.
            parts["momenta" if prefix == "adam" else prefix][key] = tensor
    if len(set(abouts)) > 1 or int(abouts[0][1]) != len(files):
        names = ", ".join(file.name for file in files)
        raise InputError(
            f"{files[0].parent}: {names} are not all parts of one state; put the missing ones beside them."
        )
    about: dict[str, Any] = json.loads(abouts[0][0])
    return parts, about


def restore_momenta(optimiser: torch.optim.Optimizer, saved: dict[str, Tensor]) -> None:
    """Give an optimiser of the same kind back its momenta."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in saved.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    for weight, momenta in optimiser.state.items():
        for name, value in momenta.items():
            # In a file all tensors lie row by row; fused kernels expect a momentum to lie as its weight does.
            if value.shape == weight.shape and value.stride() != weight.stride():
                momenta[name] = torch.empty_like(weight).copy_(value)
