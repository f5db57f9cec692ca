"""What every engine offers. An engine runs a model on arrays; it knows nothing of video."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vidstyle.models.registry import ModelDescriptor
    from vidstyle.models.style_code import StyleCode

Precision = Literal["fp32", "bf16", "fp16", "int8"]


def cores() -> int:
    """Processor cores that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@runtime_checkable
class MixingEngine(Protocol):
    """An engine that paints several styles into one picture; with others, and with codes of which `can_mix` is not true,
    pictures are mixed instead."""

    def stylize_mixed(
        self, frames: NDArray[np.uint8], code: StyleCode, shares: NDArray[np.float32], *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        """As `Engine.stylize`.

        Args:
            code: of R styles, batch R.
            shares: (N, R, H, W) float32, of each style at each pixel, summing to 1.
        """
        ...


class Engine(Protocol):
    """A model, ready on a device. Calls come from one thread at a time, though not always from the same one."""

    model: ModelDescriptor
    """What runs: its name, its digest, the ranges of its layers."""
    name: str
    """"torch" or "openvino"."""
    device: str
    """"cpu", "cuda", "cuda:1", "mps"."""
    precision: Precision
    """Of the convolutions; attention moments are float32 everywhere."""
    threads: int
    """Processor threads that the model uses; bytes of a result may depend on it."""

    def encode_style(self, image: NDArray[np.uint8]) -> StyleCode:
        """The code of a style picture, float32 on the processor whatever the device; it knows its model.

        Args:
            image: (H, W, 3) uint8 sRGB, both sides at least 16.
        """
        ...

    def good_batch_size(self, width: int, height: int) -> int:
        """Frames per call that keep the device busy and memory flat, at least 1. Any other number gives the same frames."""
        ...

    def stylize(self, frames: NDArray[np.uint8], code: StyleCode, *, strength: float = 1.0) -> NDArray[np.uint8]:
        """Frames in the style of a code.

        Args:
            frames: (N, H, W, 3) uint8 RGB, any N from 1, any H and W from 16. Not changed.
            code: of this engine's model, on the processor.
            strength: in [0, 2]; 1 is the style, 0 the frame as its own style, 2 twice its difference from it.

        Returns:
            (N, H, W, 3) uint8, rounded and clamped, C-contiguous.

        Raises:
            Exception: what the device raises when memory is short; `backoff.out_of_memory` knows it.
        """
        ...
