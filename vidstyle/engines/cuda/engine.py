"""The torch engine on CUDA: frames in parts through a ring of pinned buffers, the model as a CUDA graph per shape.

Not measured, and not run by us on a GPU yet: `python -m benchmarks.fps --device cuda` prints what there is to know.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.engines.backoff import out_of_memory
from vidstyle.engines.base import Precision
from vidstyle.engines.changed import ChangedNetworks
from vidstyle.engines.cuda.device import CudaDevice
from vidstyle.engines.cuda.graph import Program, signature
from vidstyle.engines.cuda.protocol import Device
from vidstyle.engines.cuda.ring import Ring, parts_of, power_of_two
from vidstyle.engines.graph import tensors_of
from vidstyle.engines.torch_engine import DTYPES, TorchEngine, check
from vidstyle.engines.torch_engine import best_precision as best_precision
from vidstyle.models.registry import ModelDescriptor
from vidstyle.models.style_code import StyleCode

_PART_PIXELS = 1 << 22
"""Pixels per part: two frames of 1920x1080."""
_MOST_A_PART = 4
_CHUNK_PARTS = 4
_CHUNK_PIXELS = 1 << 25
"""Pixels per call at most: the pipeline holds up to seven calls' frames in the host's memory."""
MOST_PROGRAMS = 6
"""Graphs that are kept; each has memory of its own. A film needs up to three sizes of parts."""


def why_not(device: str) -> str | None:
    """Why torch cannot run on a GPU ("cuda", "cuda:N"); None where it can."""
    if not torch.cuda.is_available():
        return "no CUDA device" if torch.version.cuda else "this torch was built without CUDA"
    index = torch.device(device).index or 0
    return None if index < torch.cuda.device_count() else f"there are {torch.cuda.device_count()} CUDA devices"


def build(model: ModelDescriptor, *, device: str, precision: Precision, threads: int | None = None) -> CudaEngine:
    """An engine for a model."""
    check(precision)
    return CudaEngine(model, device=device, precision=precision, threads=threads)


class CudaEngine:
    """A model on a GPU; see `base.Engine`.

    Args:
        device: "cuda" or "cuda:N".
        threads: processor threads with which styles are encoded; None is one a core.
        graph: replay CUDA graphs; without, every kernel is launched by itself.
        on: the GPU; another one for tests.
    """

    name = "torch"

    def __init__(
        self,
        model: ModelDescriptor,
        *,
        device: str,
        precision: Precision,
        threads: int | None = None,
        graph: bool = True,
        on: Device[Any, Any] | None = None,
    ) -> None:
        self.model, self.device, self.precision, self.graph = model, device, precision, graph
        self.reference = TorchEngine(model, device="cpu", precision="fp32", threads=threads)
        self.threads = self.reference.threads
        self.on = on or CudaDevice(device)
        # First the order in memory, then the move: it has ended when it returns, and other streams may read.
        self.network = copy.deepcopy(self.reference.network).to(memory_format=torch.channels_last).to(self.on.where)
        self.changed = ChangedNetworks(self.network)
        self.compute = self.on.stream()
        self.ring: Ring[Any, Any] | None = None
        self.ring_shape = (0, 0, 0)
        self.programs: OrderedDict[tuple[Any, ...], Program[Any, Any]] = OrderedDict()

    def encode_style(self, image: NDArray[np.uint8]) -> StyleCode:
        return self.reference.encode_style(image)  # on the processor, as every engine does

    def part(self, width: int, height: int) -> int:
        """Frames that the model takes at once: a power of two."""
        return power_of_two(max(1, min(_MOST_A_PART, _PART_PIXELS // (width * height))))

    def good_batch_size(self, width: int, height: int) -> int:
        return max(1, min(_CHUNK_PARTS * self.part(width, height), _CHUNK_PIXELS // (width * height)))

    def stylize(self, frames: NDArray[np.uint8], code: StyleCode, *, strength: float = 1.0) -> NDArray[np.uint8]:
        count, height, width = frames.shape[:3]
        parts = parts_of(count, self.part(width, height))
        try:
            with torch.inference_mode():
                ring = self.ring_of(max(parts), height, width)
                return ring.run(frames, parts, partial(self.work, code, strength))
        except RuntimeError as error:
            if out_of_memory(error):
                self.forget()
            raise

    def work(self, code: StyleCode, strength: float, given: Tensor, out: Tensor, rows: slice) -> None:
        """Queue a part."""
        if any(len(t) > 1 for t in tensors_of(code)):  # a code a frame
            code = code.map(lambda t: t[rows] if len(t) > 1 else t)
        program = self.program(tuple(given.shape), code, strength)
        program.load(code, strength)
        program(given, out)

    def program(self, shape: tuple[int, ...], code: StyleCode, strength: float) -> Program[Any, Any]:
        """The one for this shape, made where it is missing; those that were not used for longest go."""
        # A deeply fitted style has a network of its own, at each strength, and a graph reads the weights that it was made with.
        own = None if code.change is None else (code.change.digest, strength)
        key = (shape, signature(code), strength != 1.0, strength > 1.0, own)
        if key not in self.programs:
            while len(self.programs) >= MOST_PROGRAMS:
                self.on.drain()
                self.programs.popitem(last=False)
            self.programs[key] = Program(
                self.changed.get(code, strength),
                self.on,
                self.compute,
                shape,
                code.unchanged(),
                strength=strength,
                dtype=DTYPES[self.precision],
                graph=self.graph,
            )
        self.programs.move_to_end(key)
        return self.programs[key]

    def ring_of(self, most: int, height: int, width: int) -> Ring[Any, Any]:
        """The ring for parts of up to `most` frames of this size."""
        if self.ring is None or self.ring_shape[1:] != (height, width) or self.ring_shape[0] < most:
            self.ring = None  # before the new one is made: both need not fit
            self.ring = Ring(self.on, self.compute, most, (height, width))
            self.ring_shape = most, height, width
        return self.ring

    def forget(self) -> None:
        """Give back what is held: memory is short. Nothing is on its way: `Ring.run` has waited."""
        self.programs.clear()
        self.ring = None
