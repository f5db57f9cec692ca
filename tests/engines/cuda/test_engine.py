"""The CUDA engine on a device that is not there: same frames as the torch engine, few graphs, none where there can be none."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from tests.engines.fake_device import FakeDevice
from vidstyle.engines.backoff import Backoff
from vidstyle.engines.cuda import engine as cuda_engine
from vidstyle.engines.cuda.engine import CudaEngine
from vidstyle.engines.cuda.graph import signature
from vidstyle.engines.graph import tensors_of
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.imaging.tensors import as_planes
from vidstyle.models.attention import blend
from vidstyle.models.compact import CompactNet
from vidstyle.models.paper import VGGImage, VGGVideo
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import StyleCode
from vidstyle.models.weight_change import WeightChange, fitted_parameters


def engine_on(device: FakeDevice, model: str | Path, **changes: Any) -> CudaEngine:
    settled = {"device": "cuda", "precision": "fp32", "threads": 1, **changes}
    return CudaEngine(find_model(model), on=device, **settled)


@pytest.fixture(scope="module")
def exact(tiny_model: Path) -> TorchEngine:
    return TorchEngine(find_model(tiny_model), device="cpu", precision="fp32", threads=1)


def noise(n: int, h: int, w: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, h, w, 3), dtype=np.uint8)


def codes(engine: TorchEngine) -> list[StyleCode]:
    return [engine.encode_style(noise(1, 24, 40, seed)[0]) for seed in (1, 2)]


def far(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b).max())


@settings(max_examples=20)
@given(n=st.integers(1, 11), seed=st.integers(0, 10**6), graph=st.booleans(), eager=st.integers(0, 5))
def test_same_frames_as_the_torch_engine(
    exact: TorchEngine, tiny_model: Path, n: int, seed: int, graph: bool, eager: int
) -> None:
    engine = engine_on(FakeDevice(seed=seed, eager=eager), tiny_model, graph=graph)
    a, b = codes(exact)
    for code, strength in (
        (a, 1.0),
        (b, 1.0),
        (a, 0.5),
        (blend([a, b], [0.3, 0.7]), 0.25),
        (a, 0.0),
        (a, 1.6),
        (a, 1.0),
    ):
        frames = noise(n, 17, 24, seed)
        result = engine.stylize(frames, code, strength=strength)
        assert result.dtype == np.uint8
        assert result.flags.c_contiguous
        assert far(result, exact.stylize(frames, code, strength=strength)) <= 1


def test_a_deeply_fitted_style_has_its_own_weights(exact: TorchEngine, tiny_model: Path) -> None:
    device = FakeDevice()
    engine = engine_on(device, tiny_model)
    plain, frames = codes(exact)[0], noise(4, 16, 24)
    deltas = {n: torch.full_like(p, 0.02) for n, p in fitted_parameters(exact.network).items()}
    deep = replace(plain, change=WeightChange(deltas))
    for code, strength in ((plain, 1.0), (deep, 1.0), (plain, 1.0), (deep, 0.5), (deep, 1.0)):
        assert far(engine.stylize(frames, code, strength=strength), exact.stylize(frames, code, strength=strength)) <= 1
    assert far(engine.stylize(frames, deep), engine.stylize(frames, plain)) > 1
    assert device.captured == 3  # a graph for each network


def test_a_graph_a_shape_and_no_more(exact: TorchEngine, tiny_model: Path) -> None:
    device = FakeDevice()
    engine = engine_on(device, tiny_model)
    a, b = codes(exact)
    for n in (16, 10, 16):
        engine.stylize(noise(n, 16, 24), a)
    assert device.captured == 2  # parts of four frames, and one of two
    engine.stylize(noise(16, 16, 24), b)
    assert device.captured == 2  # another style is a copy into the same memory
    for strength in (0.1, 0.2, 0.9):
        engine.stylize(noise(8, 16, 24), a, strength=strength)
    assert device.captured == 3
    engine.stylize(noise(8, 24, 16), a)
    assert device.captured == 4
    assert len(engine.programs) == 4


def test_few_programs_are_held(exact: TorchEngine, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_engine, "MOST_PROGRAMS", 2)
    device = FakeDevice()
    engine = engine_on(device, tiny_model)
    a, _ = codes(exact)
    frames = noise(7, 16, 24)  # parts of two frames and one
    for strength in (1.0, 0.5, 1.0):
        assert far(engine.stylize(frames, a, strength=strength), exact.stylize(frames, a, strength=strength)) <= 1
        assert len(engine.programs) == 2


def test_a_code_is_loaded_once(exact: TorchEngine, tiny_model: Path) -> None:
    device = FakeDevice()
    engine = engine_on(device, tiny_model)
    a, b = codes(exact)
    engine.stylize(noise(8, 16, 24), a)

    def launches(code: StyleCode) -> int:
        before = len([kind for _, kind in device.log if kind == "launch"])
        engine.stylize(noise(8, 16, 24), code)
        return len([kind for _, kind in device.log if kind == "launch"]) - before

    assert [launches(c) for c in (a, b, b, a)] == [2, 3, 2, 3]


def test_a_code_a_frame(exact: TorchEngine, tiny_model: Path) -> None:
    a, b = codes(exact)
    order = [a, b, b, a, a]
    scales = [
        type(s)(*(torch.cat([list(vars(c.scales[i]).values())[k] for c in order]) for k in range(len(vars(s)))))
        for i, s in enumerate(a.scales)
    ]
    frames = noise(5, 16, 24)
    result = engine_on(FakeDevice(seed=3), tiny_model).stylize(frames, StyleCode(tuple(scales)))
    alone = np.concatenate([exact.stylize(frames[i : i + 1], c) for i, c in enumerate(order)])
    assert far(result, alone) <= 1


def test_without_graphs_it_says_so_once_and_goes_on(exact: TorchEngine, tiny_model: Path) -> None:
    device = FakeDevice(fails_to_capture=True)
    engine = engine_on(device, tiny_model)
    a, _ = codes(exact)
    frames = noise(7, 16, 24)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        result = engine.stylize(frames, a)
        engine.stylize(frames, a)
    assert [str(w.message) for w in caught] == [
        "no CUDA graph could be made, the model runs without "
        "(CUDA error: operation not permitted when stream is capturing)"
    ]
    assert far(result, exact.stylize(frames, a)) <= 1
    assert not any(p.captured for p in engine.programs.values())


@pytest.mark.parametrize("where", ["capture", "model"])
@pytest.mark.parametrize("room", [1, 2])
def test_short_memory(exact: TorchEngine, tiny_model: Path, where: str, room: int) -> None:
    class Small(FakeDevice):
        def capture(self, stream: Any, work: Any) -> Any:
            if where == "capture" and len(work.__self__.frames) > room:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return super().capture(stream, work)

    engine = engine_on(Small(), tiny_model)
    original = engine.network.forward

    def forward(frames: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        if where == "model" and len(frames) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return original(frames, *rest, **more)

    engine.network.forward = forward
    a, _ = codes(exact)
    frames = noise(11, 16, 24)
    backoff = Backoff(lambda part: engine.stylize(part, a))
    assert far(backoff(frames), exact.stylize(frames, a)) <= 1
    assert backoff.limit is not None
    with pytest.raises(torch.OutOfMemoryError):
        engine.stylize(frames, a)
    assert not engine.programs  # what is held is given back before the smaller call
    assert engine.ring is None


def test_half_precision_is_near() -> None:
    # The shipped weights: random ones magnify what is rounded.
    exact = TorchEngine(find_model("compact"), device="cpu", precision="fp32", threads=1)
    a, _ = codes(exact)
    frames = noise(4, 32, 32)
    result = engine_on(FakeDevice(), "compact", precision="bf16").stylize(frames, a)
    difference = np.abs(result.astype(int) - exact.stylize(frames, a))
    assert difference.max() > 0
    assert difference.mean() < 1


def test_weights_are_channels_last(tiny_model: Path) -> None:
    engine = engine_on(FakeDevice(), tiny_model)
    assert all(w.is_contiguous(memory_format=torch.channels_last) for w in engine.network.parameters() if w.dim() == 4)
    assert not any(
        w is v for w, v in zip(engine.network.parameters(), engine.reference.network.parameters(), strict=True)
    )


def test_the_code_is_that_of_every_engine(exact: TorchEngine, tiny_model: Path) -> None:
    style = noise(1, 24, 40, 1)[0]
    ours = engine_on(FakeDevice(), tiny_model, precision="fp16").encode_style(style)
    for a, b in zip(tensors_of(ours), tensors_of(exact.encode_style(style)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("size", "part", "chunk"),
    [((256, 144), 4, 16), ((1280, 720), 4, 16), ((1920, 1080), 2, 8), ((3840, 2160), 1, 4), ((7680, 4320), 1, 1)],
)
def test_parts_and_chunks(tiny_model: Path, size: tuple[int, int], part: int, chunk: int) -> None:
    engine = engine_on(FakeDevice(), tiny_model)
    assert (engine.part(*size), engine.good_batch_size(*size)) == (part, chunk)


def test_codes_of_other_shapes_are_other_programs(exact: TorchEngine) -> None:
    a, b = codes(exact)
    assert signature(a) == signature(b)
    assert signature(a) != signature(StyleCode(a.scales[:2]))
    assert signature(a) != signature(a.map(lambda t: torch.cat([t, t])))


class NoTraffic(TorchDispatchMode):
    """Fails where a CUDA graph could not be captured: values looked at, or memory of the host touched."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func._schema.name not in ("aten::_local_scalar_dense", "aten::equal", "aten::nonzero"), func
        result = func(*args, **(kwargs or {}))
        for value in (*args, *(kwargs or {}).values(), result):
            for tensor in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(tensor, torch.Tensor) and tensor.dim():
                    assert tensor.device.type == "cuda", func
        return result


@pytest.mark.parametrize(
    ("architecture", "strength", "beyond"),
    [
        (CompactNet, False, False),
        (CompactNet, True, False),
        (CompactNet, True, True),
        (VGGVideo, True, True),  # of slow networks the call that holds the most
        (VGGImage, True, True),
    ],
)
def test_nothing_in_a_model_stands_in_the_way_of_a_capture(architecture: Any, strength: bool, beyond: bool) -> None:
    """Every operation of a call, with the shapes and places that a GPU would see, and no GPU."""
    with FakeTensorMode(), torch.inference_mode():
        with torch.device("cuda"):
            net = architecture().eval()
            code = net.encode_style(torch.empty(1, 3, 64, 64))
            frames = torch.empty(2, 72, 104, 3, dtype=torch.uint8)
            share = torch.empty(1) if strength else None
        with NoTraffic():  # type: ignore[no-untyped-call]  # torch's class
            styled = net(as_planes(frames, torch.device("cuda")), code, share, beyond=beyond)
        assert styled.shape == (2, 3, 72, 104)
