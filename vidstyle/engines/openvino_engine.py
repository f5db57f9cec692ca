"""The openvino engine: processors. A graph is compiled once for a size of frames and kept in the user's cache folder.

torch, which takes a second to import, is asked only for what is not there yet: a graph, a style's code.
"""

from __future__ import annotations

import io
import platform
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

# OpenVINO's package reports its imports and conversions over the network where it finds this module; without it, it does not.
sys.modules.setdefault("openvino_telemetry", cast(Any, None))

import openvino  # noqa: E402

from vidstyle.core import cache  # noqa: E402
from vidstyle.core.errors import UsageError  # noqa: E402
from vidstyle.engines.base import Precision, cores  # noqa: E402
from vidstyle.engines.presence import has_vnni  # noqa: E402
from vidstyle.models.registry import ModelDescriptor  # noqa: E402
from vidstyle.models.style_code import StyleCode  # noqa: E402

if TYPE_CHECKING:
    from vidstyle.engines.torch_engine import TorchEngine
    from vidstyle.models.quantization import Ranges

_HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""Of layers that nothing else is said of; what is eight-bit is written in the graph itself."""
MOST_SIZES = 4
"""Compiled graphs that are kept in memory."""
_PIXELS_AT_ONCE = 1 << 22
"""Small frames are worked on one a thread: threads that share a frame wait for each other at every layer (640x360 on two
cores: 27 frames per second, against 32). Memory bounds it: each frame at work needs its own."""


def why_not(device: str) -> str | None:
    """Why OpenVINO does not run here on a device; None where it does."""
    if device != "cpu":
        return "it is used for processors only"
    return None if "CPU" in openvino.Core().available_devices else "OpenVINO has no plugin for this processor"


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself."""
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def best_precision(device: str, model: ModelDescriptor) -> tuple[Precision, str]:
    """The precision that `auto` takes, and why."""
    if has_vnni() and model.int8_ranges:
        return "int8", "the processor has eight-bit dot products (VNNI); what is not a convolution stays in float32"
    if has_bf16():
        return "bf16", "the processor multiplies bfloat16; moments and the last convolution stay in float32"
    return "fp32", "the processor has no bfloat16 multiplication"


def build(model: ModelDescriptor, *, device: str, precision: Precision, threads: int | None = None) -> OpenVINOEngine:
    """An engine for a model."""
    if precision not in _HINTS:
        raise UsageError(
            f"--precision {precision} does not run with --engine openvino; use int8, bf16, fp32 or --engine torch."
        )
    if precision == "bf16" and not has_bf16():
        raise UsageError("--precision bf16: this processor has no bfloat16 multiplication; use fp32.")
    if precision == "int8" and not model.int8_ranges:
        raise UsageError(
            f"--precision int8: {model.name} does not say what ranges its layers have; use bf16 or fp32, or train it on, "
            "which notes them."
        )
    return OpenVINOEngine(model, precision=precision, threads=threads)


class OpenVINOEngine:
    """A model under OpenVINO; see `base.Engine`.

    Args:
        model: its weights are read only where a graph or a style's code has to be made.
        threads: processor threads a call; None is one a core.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, model: ModelDescriptor, *, precision: Precision, threads: int | None = None) -> None:
        self.model, self.precision = model, precision
        self.threads = threads or cores()
        self.core = openvino.Core()
        self.requests: dict[tuple[Any, ...], list[openvino.InferRequest]] = {}

    @cached_property
    def reference(self) -> TorchEngine:
        """The model in float32, which makes codes."""
        from vidstyle.engines.torch_engine import TorchEngine

        return TorchEngine(self.model, device="cpu", precision="fp32", threads=self.threads)

    def encode_style(self, image: NDArray[np.uint8]) -> StyleCode:
        return self.reference.encode_style(image)

    def good_batch_size(self, width: int, height: int) -> int:
        return 2 * self.streams(width, height)

    def streams(self, width: int, height: int) -> int:
        """Frames that are worked on at the same time, each by its share of the threads."""
        return max(1, min(self.threads, _PIXELS_AT_ONCE // (width * height)))

    def stylize(self, frames: NDArray[np.uint8], code: StyleCode, *, strength: float = 1.0) -> NDArray[np.uint8]:
        frames = np.require(frames, requirements=["C", "W"])
        result = np.empty_like(frames)
        codes = [code.map(lambda t, i=i: t[i : i + 1] if len(t) > 1 else t) for i in range(len(frames))]  # type: ignore[misc]
        more = [] if strength == 1.0 else [np.array([strength], np.float32)]
        inputs = [
            [shared(v) for v in (f, *map(np.asarray, c.named().values()), *more)]
            for f, c in zip(frames[:, None], codes, strict=True)
        ]
        return self._done(inputs, result, self.ready(frames.shape[1], frames.shape[2], codes[0], strength))

    def stylize_mixed(
        self, frames: NDArray[np.uint8], code: StyleCode, shares: NDArray[np.float32], *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        """See `base.MixingEngine`."""
        frames = np.require(frames, requirements=["C", "W"])
        parts = list(map(np.asarray, code.named().values()))
        more = [] if strength == 1.0 else [np.array([strength], np.float32)]
        inputs = [
            [shared(v) for v in (frames[i : i + 1], *parts, shares[i : i + 1], *more)] for i in range(len(frames))
        ]
        ready = self.ready(frames.shape[1], frames.shape[2], code, strength)
        return self._done(inputs, np.empty_like(frames), ready)

    def _done(
        self, inputs: Sequence[list[openvino.Tensor]], result: NDArray[np.uint8], requests: list[openvino.InferRequest]
    ) -> NDArray[np.uint8]:
        """`result`, filled: a frame for each of `inputs`."""
        try:
            for i, given in enumerate(inputs):
                request = requests[i % len(requests)]
                request.wait()
                request.set_output_tensor(shared(result[i : i + 1]))
                request.start_async(given)
        finally:  # also after a failure nothing may go on writing into `result`
            failures = [error for request in requests if (error := failure(request)) is not None]
        if failures:
            raise failures[0]
        return result

    def precision_for(self, code: StyleCode) -> Precision:
        """That of the engine; changed weights whose ranges nobody looked at run in what is next best after eight bits."""
        if self.precision != "int8" or code.change is None or code.change.ranges:
            return self.precision
        return "bf16" if has_bf16() else "fp32"

    def ranges_for(self, code: StyleCode, strength: float) -> Ranges:
        """Of the layers' inputs. Between a changed network and its model they hold those of both."""
        own = self.model.int8_ranges
        if code.change is None:
            return own
        changed = code.change.ranges
        if strength >= 1.0:
            return changed
        return {name: (min(low, own[name][0]), max(high, own[name][1])) for name, (low, high) in changed.items()}

    def ready(self, height: int, width: int, code: StyleCode, strength: float) -> list[openvino.InferRequest]:
        """A compiled graph for frames of this size and codes of these shapes, once a stream."""
        shapes = [list(t.shape) for t in code.named().values()]
        # A deeply fitted style has weights of its own, at each strength.
        changed = None if code.change is None else (code.change.digest, strength)
        key = (height, width, str(shapes), strength != 1.0, strength > 1.0, changed)
        if key not in self.requests:
            while len(self.requests) >= MOST_SIZES:
                del self.requests[next(iter(self.requests))]
            compiled = self.compiled(height, width, code, shapes, strength)
            self.requests[key] = [compiled.create_infer_request() for _ in range(self.streams(width, height))]
        return self.requests[key]

    def compiled(
        self, height: int, width: int, code: StyleCode, shapes: list[list[int]], strength: float
    ) -> openvino.CompiledModel:
        """From the cache, or made and put there. What is used has always gone through its stored form, so that the first run
        and later ones give the same bytes."""
        precision = self.precision_for(code)
        config = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": self.streams(width, height),
            "ENABLE_CPU_PINNING": False,  # the decoder and the encoder need the cores too
        }
        graph_key: dict[str, Any] = {
            "code_of": cache.code_digest("vidstyle.models", "vidstyle.engines"),
            "torch": version("torch"),
            "openvino": openvino.get_version(),
            "model": self.model.digest,
            "size": [height, width],
            "code": shapes,
            "strength": strength != 1.0,
            "beyond": strength > 1.0,
        }
        entry = cache.entry(
            "openvino",
            **graph_key,
            processor=[
                platform.machine(),
                self.core.get_property("CPU", "FULL_DEVICE_NAME"),
                sorted(self.core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
            ],
            precision=precision,
            config=config,
            changed=None if code.change is None else [code.change.digest, strength],
        )
        if (stored := cache.load(entry)) is not None:
            try:
                return self.core.import_model(io.BytesIO(stored), "CPU", config)
            except RuntimeError:
                pass  # of another build of OpenVINO
        from vidstyle.engines import openvino_graph as graphs

        if code.change is not None and precision != "int8":
            graph = self.changed_graph(height, width, code, strength, graph_key)
        else:
            graph = self.graph(height, width, code, strength, precision)
        if precision == "bf16":
            graph = graphs.with_float32_kept(graph)
        form = io.BytesIO()
        self.core.compile_model(graph, "CPU", config).export_model(form)
        cache.save(entry, form.getvalue())
        return self.core.import_model(io.BytesIO(form.getvalue()), "CPU", config)

    def graph(self, height: int, width: int, code: StyleCode, strength: float, precision: Precision) -> openvino.Model:
        """The network of a code, converted, in eight bits where that is the precision."""
        from vidstyle.engines import openvino_graph as graphs
        from vidstyle.engines.changed import ChangedNetworks
        from vidstyle.models.quantization import quantised

        network = ChangedNetworks(self.reference.network).get(code, strength)
        if precision == "int8":
            network = quantised(network, self.ranges_for(code, strength))
        plain = code.tensors().unchanged()
        if len(next(iter(plain.named().values()))) > 1:  # several styles in one picture
            return graphs.convert_mixed(network, height, width, plain, strength=strength != 1.0, beyond=strength > 1.0)
        return graphs.convert(network, height, width, plain, strength=strength != 1.0, beyond=strength > 1.0)

    def changed_graph(
        self, height: int, width: int, code: StyleCode, strength: float, graph_key: Mapping[str, Any]
    ) -> openvino.Model:
        """The network of a deeply fitted style: one graph for all of them is kept, converted once a size, which takes seconds,
        and the style's weights are put into it."""
        from vidstyle.engines import openvino_graph as graphs

        assert code.change is not None
        names = sorted(code.change.deltas)
        entry = cache.entry("openvino-open", **graph_key, weights=names)
        kept = cache.load(entry)
        if kept is None:
            plain = code.tensors().unchanged()
            more: dict[str, Any] = {"strength": strength != 1.0, "beyond": strength > 1.0, "weights": names}
            made = graphs.convert(self.reference.network, height, width, plain, **more)
            kept = graphs.stored(made)
            cache.save(entry, kept)
        weights = code.change.applied(cast(Any, self.reference.network), strength)
        return graphs.with_weights(graphs.restored(kept), {name: w.numpy() for name, w in weights.items()})


def failure(request: openvino.InferRequest) -> RuntimeError | None:
    """Wait for a request; what went wrong with it."""
    try:
        request.wait()
    except RuntimeError as error:
        return error
    return None


def shared(array: NDArray[Any]) -> openvino.Tensor:
    """An array as OpenVINO takes it, without a copy."""
    return openvino.Tensor(np.require(array, requirements=["C", "W"]), shared_memory=True)
