"""Rulers: how far a picture is from the style, by three measures that see different things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.metrics.fidelity import DEEP_LEAST_SIDE, DEPTH, LEAST_SIDE, DeepGram, StyleDistance
from vidstyle.metrics.patches import LEAST_SIDE as PATCH_LEAST_SIDE
from vidstyle.metrics.patches import PatchDistance
from vidstyle.models.vgg import VGG

Measure = Callable[[NDArray[np.uint8]], float]
"""(H, W, 3) uint8 -> distance from the style."""
NO_STYLE = {
    "style_distance": "no style was named; add --style",
    "gram_relu5_1": "no style was named; add --style and --vgg",
    "patch_distance": "no style was named; add --style",
}
STYLE_KEYS = tuple(NO_STYLE)


@dataclass(frozen=True)
class Ruler:
    """A distance from one style."""

    key: str
    """One of STYLE_KEYS."""
    least_side: int
    """Of the pictures it can measure, pixels."""
    make: Callable[[int], Measure] | str
    """Makes the measure for pictures of a short side; or why there is none."""

    def why_not(self, short_side: int) -> str:
        """Why pictures of this short side have no such distance; empty where they have."""
        if isinstance(self.make, str):
            return self.make
        return "" if short_side >= self.least_side else f"the film is less than {self.least_side} pixels wide or high"

    def measure(self, short_side: int) -> Measure:
        """The measure for pictures of this short side. Raises ValueError where `why_not` has a reason."""
        if isinstance(self.make, str) or short_side < self.least_side:
            raise ValueError(self.why_not(short_side))
        return self.make(short_side)


def rulers(
    style: NDArray[np.uint8], network: VGG | str, device: torch.device | str = "cpu"
) -> tuple[Ruler, Ruler, Ruler]:
    """The three rulers of a style.

    Args:
        style: (H, W, 3) uint8.
        network: normalised VGG weights, or why there are none.
        device: where the network runs.
    """
    if isinstance(network, str):
        near: Mapping[str, Callable[[int], Measure] | str] = {"style_distance": network, "gram_relu5_1": network}
    else:
        deep = f"these VGG weights end at relu{network.depth}_1; give --vgg a file that holds conv5_1"
        near = {
            "style_distance": lambda side: StyleDistance(network, style, side, device),
            "gram_relu5_1": deep if network.depth < DEPTH else lambda side: DeepGram(network, style, side, device),
        }
    return (
        Ruler("style_distance", LEAST_SIDE, near["style_distance"]),
        Ruler("gram_relu5_1", DEEP_LEAST_SIDE, near["gram_relu5_1"]),
        Ruler("patch_distance", PATCH_LEAST_SIDE, lambda side: PatchDistance(style, side)),
    )
