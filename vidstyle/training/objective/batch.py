"""What a step of training is computed from, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from vidstyle.models.checkpoint import StyleModel
from vidstyle.training.data.images import Name
from vidstyle.training.data.rng import StepRandomness

Mean = Callable[[Tensor], Tensor]
"""The mean of a tensor over all processes."""


@dataclass(frozen=True)
class StepResult:
    """Of one step."""

    loss: Tensor
    terms: dict[str, Tensor]
    """The unweighted terms that were computed in this step, detached scalars."""


@dataclass(frozen=True)
class ClipMotion:
    """Contents that are two frames of a clip: `pairs` is (M,) int64, the contents 2p and 2p + 1 for each p of them."""

    pairs: Tensor
    grid: Tensor
    """(M, S, S, 2): where each pixel of the later frame lies in the earlier one."""
    visible: Tensor
    """(M, 1, S, S), 1 where it can be seen there, else 0."""

    def to(self, device: torch.device) -> ClipMotion:
        """The same on a device."""
        return ClipMotion(self.pairs.to(device), self.grid.to(device), self.visible.to(device))


@dataclass(frozen=True)
class Batch:
    """What a step is computed from."""

    content: Tensor
    """(B, 3, S, S) float32 in [0, 1], channels-last."""
    style: Tensor
    """The same of paintings."""
    draw: StepRandomness
    """Its chances, and the step's number."""
    motion: ClipMotion | None = None
    """Of the contents that are frames of clips."""
    names: tuple[Name | None, ...] = ()
    """Of the contents and then the styles, where crops are fixed."""

    @property
    def pictures(self) -> Tensor:
        """Contents and styles, (2B, 3, S, S), channels-last."""
        return torch.cat([self.content, self.style]).contiguous(memory_format=torch.channels_last)


class StageObjective(Protocol):
    """Loss of a stage."""

    extra: nn.Module
    """Parameters that are trained in this stage but are no part of the network."""

    @property
    def net(self) -> StyleModel:
        """The network that is trained."""
        ...

    def __call__(self, batch: Batch) -> StepResult:
        """The loss of one batch: a mean over its pictures (or pairs of neighbours), so that the mean over processes of
        equal batches is the loss of them all."""
        ...
