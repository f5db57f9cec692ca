"""The torch engine with the model compiled by torch.compile (inductor): about OpenVINO's job, where that cannot be had.

The first call for a size of frames makes and compiles C++, which takes long (docs/performance.md); torch keeps what it made, so
later runs start sooner. `auto` never takes it.
"""

from __future__ import annotations

import shutil

import torch

from vidstyle.engines.base import Precision
from vidstyle.engines.torch_engine import TorchEngine, check
from vidstyle.engines.torch_engine import best_precision as best_precision
from vidstyle.models.registry import ModelDescriptor

_COMPILERS = ("g++", "c++", "clang++")


def why_not(device: str) -> str | None:
    """Why models cannot be compiled for a device; None where they can."""
    if device != "cpu":
        return "it is used for processors only"
    return None if any(map(shutil.which, _COMPILERS)) else "there is no C++ compiler (g++ or clang++)"


def build(model: ModelDescriptor, *, device: str, precision: Precision, threads: int | None = None) -> CompiledEngine:
    """An engine for a model."""
    check(precision)
    return CompiledEngine(model, device=device, precision=precision, threads=threads)


class CompiledEngine(TorchEngine):
    """See `torch_engine.TorchEngine`; codes of styles are made without compilation."""

    name = "torch-compile"

    def __init__(
        self, model: ModelDescriptor, *, device: str, precision: Precision, threads: int | None = None
    ) -> None:
        super().__init__(model, device=device, precision=precision, threads=threads)
        self.network = torch.compile(self.reference, dynamic=False)  # type: ignore[assignment]
