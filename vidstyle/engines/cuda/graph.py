"""A model's work on one shape of frames, always in the same memory: what a CUDA graph asks for."""

from __future__ import annotations

import warnings
from typing import Any, Generic

import torch
from torch import Tensor

from vidstyle.engines.backoff import out_of_memory
from vidstyle.engines.cuda.protocol import Device, Event, Stream, Work
from vidstyle.engines.graph import tensors_of
from vidstyle.imaging.tensors import as_pixels, as_planes
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.style_code import StyleCode

_WARM_UP = 2
"""Runs before a capture: libraries choose algorithms and make their workspaces in the first, which cannot be recorded."""


def signature(code: StyleCode) -> tuple[Any, ...]:
    """Kinds and shapes of a code: codes with the same one fit the same program."""
    return (*(type(scale).__name__ for scale in code.scales), *(tuple(t.shape) for t in tensors_of(code)))


class Program(Generic[Stream, Event]):
    """The model for calls of B frames of one size with codes of one signature.

    Args:
        model: on the device.
        shape: (B, H, W, 3).
        like: a code of that signature.
        strength: of a call; 1, below or above it that of all calls.
        dtype: of the convolutions.
        graph: record the work, and repeat it in one launch; where that fails, a warning says so and the work is launched piece
            by piece as it would be without.
    """

    def __init__(
        self,
        model: StyleModel,
        device: Device[Stream, Event],
        stream: Stream,
        shape: tuple[int, ...],
        like: StyleCode,
        *,
        strength: float,
        dtype: torch.dtype,
        graph: bool,
    ) -> None:
        self.model, self.device, self.stream, self.dtype = model, device, stream, dtype
        self.beyond = strength > 1
        self.frames, self.pixels = device.buffer(shape), device.buffer(shape)
        self.code = like.map(lambda t: torch.empty(t.shape, dtype=t.dtype, device=device.where))
        self.strength = torch.empty(1, device=device.where) if strength != 1 else None
        self.loaded: tuple[StyleCode, float] | None = None
        """What lies in `code` and `strength`."""
        self.captured = False
        self.load(like, strength)
        self.work: Work = self.recorded() if graph else self.forward

    def forward(self) -> None:
        """`frames` to `pixels`: all that a graph records. It must not look at a value nor touch the host's memory."""
        kind = self.device.where.type
        # Without a cache of half-precision weights: what a graph reads must not be freed after it was recorded.
        with torch.autocast(kind, self.dtype, enabled=self.dtype != torch.float32, cache_enabled=False):
            planes = as_planes(self.frames, self.device.where)
            styled = self.model(planes, self.code, self.strength, beyond=self.beyond)
            self.pixels.copy_(as_pixels(styled))

    def recorded(self) -> Work:
        for _ in range(_WARM_UP):
            self.device.launch(self.stream, self.forward)
        self.device.drain()
        try:
            repeat = self.device.capture(self.stream, self.forward)
        except RuntimeError as error:
            if out_of_memory(error):
                raise
            # One text whatever the size: Python shows it once.
            warnings.warn(f"no CUDA graph could be made, the model runs without ({_first_line(error)})", stacklevel=2)
            return self.forward
        self.captured = True
        return repeat

    def load(self, code: StyleCode, strength: float) -> None:
        """Queue the change to another code or strength; nothing where they are what the last call had."""
        if self.loaded is not None and self.loaded[0] is code and self.loaded[1] == strength:
            return
        held, amount = self.code, self.strength

        def change() -> None:
            for target, source in zip(tensors_of(held), tensors_of(code), strict=True):
                target.copy_(source)
            if amount is not None:
                amount.fill_(strength)

        self.device.launch(self.stream, change)
        self.loaded = code, strength

    def __call__(self, given: Tensor, out: Tensor) -> None:
        """Queue (B, H, W, 3) uint8 to (B, H, W, 3) uint8, both of the device."""
        self.device.copy(self.frames, given, self.stream)
        self.device.launch(self.stream, self.work)
        self.device.copy(out, self.pixels, self.stream)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
