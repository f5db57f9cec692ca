"""The torch engine: processor and Apple's MPS (on CUDA: `cuda.engine`)."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.engines.base import Precision, cores
from vidstyle.engines.changed import ChangedNetworks
from vidstyle.imaging.tensors import as_pixels, as_planes, tensor_of
from vidstyle.models.registry import ModelDescriptor
from vidstyle.models.style_code import StyleCode

DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_CHUNK_PIXELS = {"cpu": 1 << 18, "gpu": 1 << 23}
"""Pixels per call; never more than _MOST_FRAMES frames. On a processor more costs time: activations leave the cache (640x360,
one thread: 110 ms per frame alone, 140 ms in fours)."""
_MOST_FRAMES = 8


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself (elsewhere it is emulated, slower than float32)."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def why_not(device: str) -> str | None:
    """Why torch cannot run on a device ("cpu", "mps"); None where it can."""
    if device == "mps":
        return None if torch.backends.mps.is_available() else "no Apple GPU (MPS)"
    return None if device == "cpu" else "unknown device"


def best_precision(device: str, model: ModelDescriptor | None = None) -> tuple[Precision, str]:
    """The precision that `auto` takes on a device, and why; the same for all models."""
    if device != "cpu":
        return "fp16", "half precision is what this device is fast at"
    if _cpu_has_bf16():
        return "bf16", "the processor multiplies bfloat16 (AVX512_BF16 or AMX)"
    return "fp32", "the processor has no bfloat16 multiplication"


def check(precision: Precision) -> None:
    """Raise UsageError for a precision that torch does not run here."""
    if precision not in DTYPES:
        raise UsageError(f"--precision {precision} runs with --engine openvino only; use bf16 or fp32.")


def build(model: ModelDescriptor, *, device: str, precision: Precision, threads: int | None = None) -> TorchEngine:
    """An engine for a model."""
    check(precision)
    if device == "mps" and precision == "bf16":
        raise UsageError("--precision bf16 does not run on mps; use fp16 or fp32.")
    return TorchEngine(model, device=device, precision=precision, threads=threads)


class TorchEngine:
    """A model under torch; see `base.Engine`.

    Args:
        threads: processor threads a call; None is one a core.
    """

    name = "torch"

    def __init__(
        self, model: ModelDescriptor, *, device: str, precision: Precision, threads: int | None = None
    ) -> None:
        self.model, self.device, self.precision = model, device, precision
        self.threads = threads or cores()
        self.reference = model.load()
        self.network = self.reference if device == "cpu" else copy.deepcopy(self.reference).to(device)
        self.changed = ChangedNetworks(self.network)

    def encode_style(self, image: NDArray[np.uint8]) -> StyleCode:
        # Once a film: in float32 on the processor, so that a code is the same from every device and precision.
        with torch.inference_mode():
            torch.set_num_threads(self.threads)
            picture = tensor_of(image)[None]
            return replace(self.reference.encode_style(as_planes(picture, "cpu")), model=self.model.digest)

    def good_batch_size(self, width: int, height: int) -> int:
        pixels = _CHUNK_PIXELS["cpu" if self.device == "cpu" else "gpu"]
        return max(1, min(_MOST_FRAMES, pixels // (width * height)))

    def stylize(self, frames: NDArray[np.uint8], code: StyleCode, *, strength: float = 1.0) -> NDArray[np.uint8]:
        dtype = DTYPES[self.precision]
        with (
            torch.inference_mode(),
            torch.autocast(self.device.partition(":")[0], dtype, enabled=dtype != torch.float32),
        ):
            torch.set_num_threads(self.threads)  # OpenMP counts threads per calling thread
            code = code.tensors().map(lambda t: t.to(self.device))
            planes = as_planes(tensor_of(frames), self.device)
            network = self.network if code.change is None else self.changed.get(code, strength)
            amount = None if strength == 1.0 else strength
            styled = network(planes, code.unchanged(), amount, beyond=strength > 1.0)
            return cast("NDArray[np.uint8]", as_pixels(styled).cpu().numpy())

    def stylize_mixed(
        self, frames: NDArray[np.uint8], code: StyleCode, shares: NDArray[np.float32], *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        """See `base.MixingEngine`."""
        dtype, kind = DTYPES[self.precision], self.device.partition(":")[0]
        with torch.inference_mode(), torch.autocast(kind, dtype, enabled=dtype != torch.float32):
            torch.set_num_threads(self.threads)
            here = code.tensors().map(lambda t: t.to(self.device))
            planes, parts = as_planes(tensor_of(frames), self.device), torch.from_numpy(shares).to(self.device)
            amount = None if strength == 1.0 else strength
            styled = cast(Any, self.network).mixed(planes, here, parts, amount, beyond=strength > 1.0)
            return cast("NDArray[np.uint8]", as_pixels(styled).cpu().numpy())
