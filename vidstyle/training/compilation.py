"""Networks of a training, compiled for a GPU: fewer launches and fewer passes over memory in a step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from vidstyle.core.errors import UsageError


@dataclass(frozen=True)
class Hardware:
    """How a device is used."""

    peak: float | None = None
    """Of its matrix products (`throughput.matrix_peak`), for the log."""
    compiled: bool = False
    """Networks run through torch.compile; GPUs only."""

    def check(self, device: torch.device) -> None:
        """Raise UsageError where the device cannot be used so."""
        if self.compiled:
            check_compilable(device)

    def compile(self, networks: Iterable[nn.Module]) -> None:
        """Compile networks, in place, where that is wanted."""
        if self.compiled:
            compile_networks(networks)


AS_IT_IS = Hardware()


def check_compilable(device: torch.device) -> None:
    """Raise UsageError where compiling is of no use: on processors, where a step would no longer be the same bit for bit."""
    if device.type != "cuda":
        raise UsageError("--compile is for training on a GPU; leave it out here.")


def compile_networks(networks: Iterable[nn.Module], backend: str = "inductor") -> None:
    """Compile, in place, what calls of the networks run. Names of parameters stay as they are, and so do files.

    Args:
        networks: crops of a stage have one size, so shapes are taken as fixed; a module without parameters is left as it is.
        backend: of torch.compile.
    """
    for network in networks:
        if next(network.parameters(), None) is not None:
            network.compile(dynamic=False, backend=backend)
