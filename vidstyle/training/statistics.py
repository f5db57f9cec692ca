"""Running statistics that stand still within a step: a network may follow its input's moments in buffers, as Film does.

Followed call by call, they would differ between the calls of a step, the parts of an accumulated batch and the processes, and
gradients with them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Statistics:
    """Holds the buffers of `net` as they are, collects how each call would have moved them, and moves them once a step."""

    def __init__(self, net: nn.Module) -> None:
        self._net = net
        self._held = {name: b.clone() for name, b in net.named_buffers() if b.is_floating_point()}
        self._moves = {name: torch.zeros_like(b) for name, b in self._held.items()}
        owners = {name.rpartition(".")[0] for name in self._held}
        self._handles = [net.get_submodule(owner).register_forward_hook(self._after(owner)) for owner in owners]

    def _after(self, owner: str) -> Callable[[nn.Module, Any, Any], None]:
        @torch.no_grad()
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            for name, buffer in module.named_buffers(prefix=owner, recurse=False):
                held = self._held.get(name)
                # A constant must not be written to, not even itself: the backward pass may need it.
                if held is not None and not torch.equal(buffer, held):
                    self._moves[name] += buffer - held
                    buffer.copy_(held)

        return hook

    @torch.no_grad()
    def follow(self, parts: int = 1, mean: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        """Move the buffers by what the calls since the last time added up to.

        Args:
            parts: accumulated batches, over which moves are averaged.
            mean: over all processes.
        """
        for name, move in self._moves.items():
            self._held[name] += mean(move / parts)
            self._net.get_buffer(name).copy_(self._held[name])
            move.zero_()

    def close(self) -> None:
        """Let the network follow by itself again."""
        for handle in self._handles:
            handle.remove()
