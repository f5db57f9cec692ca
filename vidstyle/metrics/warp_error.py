"""Warp error: how far a film's frame is from its later self, followed along the source's motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.imaging.flow import Flow
from vidstyle.imaging.warp import warp
from vidstyle.metrics.visibility import visibility

_ENOUGH = 0.02
"""Share of visible pixels below which a pair of frames says nothing (flicker has the same rule)."""


@dataclass(frozen=True)
class FlowMotion:
    """Where the source's pixels go between two of its frames, and which can be followed."""

    flow: Tensor
    """(2, H, W) float32, pixels, from the first frame to the second."""
    visible: Tensor
    """(H, W) bool, in the first frame."""

    @property
    def share(self) -> float:
        """Share of visible pixels, in [0, 1]."""
        return float(self.visible.float().mean())


def motion(flow: Flow, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> FlowMotion:
    """Motion between two source frames, (H, W, 3) uint8 each; flow is estimated both ways."""
    forward, backward = flow(first, second), flow(second, first)
    return FlowMotion(forward, visibility(forward, backward).visible)


def error_map(first: Tensor, second: Tensor, moved: FlowMotion) -> Tensor:
    """Squared error of every pixel: mean over channels of (first - second sampled along the flow)^2.

    Args:
        first: (C, H, W) float in [0, 1], the film at t.
        second: (C, H, W), the film at t + g.
        moved: motion of the source from t to t + g.

    Returns:
        (H, W) float; meaningful where `moved.visible`.
    """
    return (first - warp(second, moved.flow)).square().mean(0)


def warp_error(first: Tensor, second: Tensor, moved: FlowMotion) -> float | None:
    """E_g of one pair (Lai et al., ECCV 2018): mean of `error_map` over visible pixels; None below 2 % visible pixels.

    Arguments as in `error_map`. Independent noise of variance s^2 a channel makes it 2 s^2.
    """
    if moved.share < _ENOUGH:
        return None
    return float(error_map(first, second, moved)[moved.visible].double().mean())
