"""A change of some of a model's weights: what a deeply fitted style brings along beside its code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

_FITTED = ("quarter_", "half_", "full")
"""Beginnings of the names of the parameters that a fit may change: the decoder from 1/4 on, 117,000 numbers. What lies before
decides where things are, and is as large again."""


@dataclass(frozen=True)
class WeightChange:
    """What is added to weights, float32 on the processor."""

    deltas: Mapping[str, Tensor]
    """Name of a parameter > its change."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of the inputs of the changed network's convolutions in this style, `quantization.observe`; empty where it does not run in
    eight bits."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of numbers and ranges, 64 hex digits."""
        digest = hashlib.sha256()
        for name in sorted(self.deltas):
            digest.update(name.encode() + self.deltas[name].contiguous().numpy().tobytes())
        digest.update(json.dumps(sorted(self.ranges.items())).encode() if self.ranges else b"")
        return digest.hexdigest()

    def applied(self, model: nn.Module, strength: float = 1.0) -> dict[str, Tensor]:
        """The changed parameters, weight + strength * change, on the model's device: what `torch.func.functional_call` takes.

        Past a strength of 1 the change stays whole: what was fitted is where a loss is least, and twice as far from the model
        lies nothing that anybody looked at (pictures lose their contrast there). The code alone is carried on.

        Raises:
            KeyError: a parameter that the model has not.
        """
        own = dict(model.named_parameters())
        return {
            name: torch.add(own[name].detach(), delta.to(own[name].device), alpha=min(strength, 1.0))
            for name, delta in self.deltas.items()
        }


def fitted_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of a model that a fit may change, by name."""
    return {name: p for name, p in model.named_parameters() if name.startswith(_FITTED)}
