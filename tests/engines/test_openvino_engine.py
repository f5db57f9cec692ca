"""The openvino engine paints what the torch engine paints, and remembers what it compiled."""

import itertools
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

if find_spec("openvino") is None:
    pytest.skip("the extra `openvino` is not installed", allow_module_level=True)

from vidstyle.core.errors import UsageError
from vidstyle.engines import choose, openvino_engine, openvino_graph
from vidstyle.engines.backoff import out_of_memory
from vidstyle.engines.choose import make_engine
from vidstyle.engines.openvino_engine import OpenVINOEngine, build, has_bf16, why_not
from vidstyle.engines.presence import has_vnni
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.engines.torch_engine import build as build_torch
from vidstyle.models.attention import blend
from vidstyle.models.checkpoint import save_model
from vidstyle.models.compact import CompactNet
from vidstyle.models.quantization import observe, quantised
from vidstyle.models.registry import ModelDescriptor, find_model
from vidstyle.models.style_code import StyleCode


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of this module's own: a graph takes seconds to make."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(place))


@pytest.fixture(scope="module")
def tiny_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights with a bilinear last doubling, in half precision: what the shipped model does not have, its graph has to
    know too."""
    old = find_model(tiny_model).load()
    assert isinstance(old, CompactNet)
    net = CompactNet(replace(old.config, last_upsampling="bilinear")).eval()
    net.load_state_dict(old.state_dict())
    path = tmp_path_factory.mktemp("model") / "bilinear.safetensors"
    save_model(net, path)
    return path


@pytest.fixture(scope="module")
def torch_engine(tiny_model: Path) -> TorchEngine:
    engine = build_torch(find_model(tiny_model), device="cpu", precision="fp32", threads=1)
    assert isinstance(engine, TorchEngine)
    return engine


@pytest.fixture
def engine(tiny_model: Path) -> OpenVINOEngine:
    return build(find_model(tiny_model), device="cpu", precision="fp32", threads=1)


@pytest.fixture(scope="module")
def graph(torch_engine: TorchEngine) -> Any:
    (code, _) = codes(torch_engine)
    return openvino_graph.convert(torch_engine.reference, 48, 64, code, strength=False)


def noise(n: int, h: int, w: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, h, w, 3), dtype=np.uint8)


def codes(engine: TorchEngine) -> list[StyleCode]:
    return [engine.encode_style(noise(1, 24, 40, seed)[0]) for seed in (1, 2)]


@pytest.mark.parametrize(("n", "h", "w"), [(3, 48, 64), (1, 17, 31)])
def test_same_frames_as_torch(engine: OpenVINOEngine, torch_engine: TorchEngine, n: int, h: int, w: int) -> None:
    frames, (code, _) = noise(n, h, w), codes(torch_engine)
    before = frames.copy()
    result, expected = engine.stylize(frames, code), torch_engine.stylize(frames, code)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert np.abs(result.astype(int) - expected).max() <= 1
    assert expected.std() > 10  # the network does answer
    np.testing.assert_array_equal(frames, before)


def test_blends_and_strengths(engine: OpenVINOEngine, torch_engine: TorchEngine) -> None:
    frames, (a, b) = noise(2, 48, 64), codes(torch_engine)
    results = []
    both = blend([a, b], [0.3, 0.7])
    for code, strength in ((both, 1.0), (a, 0.5), (a, 0.0), (both, 0.25), (a, 1.5), (both, 2.0)):
        result = engine.stylize(frames, code, strength=strength)
        expected = torch_engine.stylize(frames, code, strength=strength)
        assert np.abs(result.astype(int) - expected).max() <= 1
        results.append(result)
    assert all((x != y).any() for x, y in itertools.pairwise(results))


def test_a_code_a_frame(engine: OpenVINOEngine, torch_engine: TorchEngine) -> None:
    import torch

    frames, (a, b) = noise(2, 48, 64), codes(torch_engine)
    pairs = [
        {k: torch.cat([v, vars(t)[k]]) for k, v in vars(s).items()} for s, t in zip(a.scales, b.scales, strict=True)
    ]
    both = StyleCode(tuple(type(s)(**p) for s, p in zip(a.scales, pairs, strict=True)))
    alone = np.concatenate([engine.stylize(frames[i : i + 1], c) for i, c in enumerate((a, b))])
    np.testing.assert_array_equal(engine.stylize(frames, both), alone)


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bfloat16")
def test_bf16_of_the_shipped_model_on_pictures() -> None:
    # The shipped weights and painted pictures: noise and random weights say nothing about rounding.
    from vidstyle.styles.resolve import resolve

    frames, style = np.asarray(resolve("sunset-oil", size=144))[None], np.asarray(resolve("mosaic", size=128))
    exact = build_torch(find_model("compact"), device="cpu", precision="fp32", threads=1)
    code = exact.encode_style(style)
    half = build(find_model("compact"), device="cpu", precision="bf16", threads=1)
    difference = np.abs(half.stylize(frames, code).astype(int) - exact.stylize(frames, code))
    assert 0 < difference.max() <= 3
    assert difference.mean() < 0.35  # 0.29 over benchmarks/results/precisions.json


def test_compiled_once_for_all_runs(
    engine: OpenVINOEngine, torch_engine: TorchEngine, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, (code, _) = noise(1, 48, 64), codes(torch_engine)
    first = engine.stylize(frames, code)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(openvino_graph, "convert", never)
    second = build(find_model(tiny_model), device="cpu", precision="fp32", threads=1)
    np.testing.assert_array_equal(second.stylize(frames, code), first)
    assert "reference" not in vars(second)  # not even the weights were read
    with pytest.raises(AssertionError):
        second.stylize(noise(1, 16, 24), code)  # another size is another graph


@pytest.mark.parametrize("damage", ["torn", "foreign"])
def test_damaged_cache_is_rebuilt(
    tiny_model: Path,
    torch_engine: TorchEngine,
    graph: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    from vidstyle.core import cache

    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path))
    frames, (code, _) = noise(1, 48, 64), codes(torch_engine)
    monkeypatch.setattr(openvino_graph, "convert", lambda *_, **__: graph)  # made once: it takes seconds
    expected = build(find_model(tiny_model), device="cpu", precision="fp32", threads=1).stylize(frames, code)
    (entry,) = tmp_path.iterdir()
    whole = entry.read_bytes()
    if damage == "torn":
        entry.write_bytes(whole[: len(whole) // 2])
    else:  # whole, but nothing that OpenVINO reads
        cache.save(entry, b"not a compiled graph")
    again = build(find_model(tiny_model), device="cpu", precision="fp32", threads=1).stylize(frames, code)
    np.testing.assert_array_equal(again, expected)
    assert len(entry.read_bytes()) > len(whole) // 2  # written anew


def test_padding_is_one_operation(graph: Any) -> None:
    # Taken apart into look-ups by index it takes as long as the convolutions.
    kinds = [layer.get_type_name() for layer in graph.get_ops()]
    weights = [layer.input_value(1).get_shape() for layer in graph.get_ops() if layer.get_type_name() == "Convolution"]
    assert kinds.count("Pad") >= sum(shape[2] > 1 for shape in weights) > 10
    assert not {"GatherND", "ScatterNDUpdate"} & set(kinds)


def test_no_tensor_of_squares_is_written(graph: Any) -> None:
    means = [layer for layer in graph.get_ops() if layer.get_type_name() == "ReduceMean"]
    of_what = [mean.input_value(0).get_node().get_type_name() for mean in means]
    norms = [layer.get_type_name() for layer in graph.get_ops()].count("ReduceL2")
    assert "Multiply" not in of_what
    assert norms >= 8  # a layer of the decoder each


def test_few_graphs_are_held(
    engine: OpenVINOEngine, torch_engine: TorchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "MOST_SIZES", 1)
    (code, _) = codes(torch_engine)
    for h, w in ((48, 64), (17, 31), (48, 64)):
        engine.stylize(noise(1, h, w), code)
        assert len(engine.requests) == 1


def test_several_frames_at_once_stay_in_order(
    tiny_model: Path, torch_engine: TorchEngine, graph: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, (code, _) = noise(5, 48, 64), codes(torch_engine)
    monkeypatch.setattr(openvino_graph, "convert", lambda *_, **__: graph)  # made once: it takes seconds
    several = build(find_model(tiny_model), device="cpu", precision="fp32", threads=2)
    assert several.streams(64, 48) == 2
    result = several.stylize(frames, code)
    assert len(several.ready(48, 64, code, strength=False)) == 2
    assert np.abs(result.astype(int) - torch_engine.stylize(frames, code)).max() <= 1


@pytest.mark.parametrize("at", [0, 3])
def test_a_failure_leaves_nothing_running(engine: OpenVINOEngine, torch_engine: TorchEngine, at: int) -> None:
    """What goes wrong in one frame comes out, after the others have ended."""
    (code, _) = codes(torch_engine)

    class Request:
        def __init__(self) -> None:
            self.started = self.running = 0

        def set_output_tensor(self, _: object) -> None: ...

        def start_async(self, _: object) -> None:
            self.started += 1
            self.running = 1

        def wait(self) -> None:
            self.running = 0
            if self.started == at // 2 + 1 and self is requests[at % 2]:
                self.started += 1  # told once
                raise RuntimeError("std::bad_alloc")

    requests = [Request(), Request()]
    engine.ready = lambda *_, **__: requests  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="bad_alloc") as caught:
        engine.stylize(noise(4, 48, 64), code)
    assert out_of_memory(caught.value)
    assert not any(r.running for r in requests)


def test_frames_at_once_are_bounded_by_threads_and_by_memory(tiny_model: Path) -> None:
    wide = build(find_model(tiny_model), device="cpu", precision="fp32", threads=8)
    assert [wide.streams(w, h) for w, h in ((640, 360), (1280, 720), (1920, 1080), (3840, 2160), (7680, 4320))] == [
        8,
        4,
        2,
        1,
        1,
    ]
    assert wide.good_batch_size(3840, 2160) == 2


def test_what_it_does_not_run(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_not("cpu") is None
    assert why_not("cuda") == "it is used for processors only"
    with pytest.raises(UsageError, match="--engine torch"):
        build(find_model(tiny_model), device="cpu", precision="fp16")
    with pytest.raises(UsageError, match="does not say what ranges"):
        build(find_model(tiny_model), device="cpu", precision="int8")
    monkeypatch.setattr(openvino_engine, "has_bf16", lambda: False)
    assert openvino_engine.best_precision("cpu", find_model(tiny_model))[0] == "fp32"
    with pytest.raises(UsageError, match="no bfloat16"):
        build(find_model(tiny_model), device="cpu", precision="bf16")


@pytest.fixture(scope="module")
def ranged_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model, whose file knows the ranges of its layers."""
    net, path = find_model(tiny_model).load(), tmp_path_factory.mktemp("model") / "ranged.safetensors"
    pictures = [torch.from_numpy(noise(1, 48, 64, i)).permute(0, 3, 1, 2) / 255 for i in range(4)]
    ranges = observe(net, [(x, net.encode_style(y)) for x, y in itertools.permutations(pictures, 2)])
    save_model(net, path, metadata={"int8_ranges": ranges}, dtype=torch.float32)
    return path


@pytest.mark.skipif(not has_vnni(), reason="without VNNI the processor's sums of eight-bit products overflow")
def test_eight_bits_are_those_of_the_model(ranged_model: Path) -> None:
    """The engine multiplies the whole numbers that torch's fake quantisation stands for."""
    engine = build(find_model(ranged_model), device="cpu", precision="int8", threads=1)
    frames, code = noise(1, 48, 64, 7), engine.encode_style(noise(1, 24, 40, 1)[0])
    result = engine.stylize(frames, code).astype(int)
    ranged = find_model(ranged_model)
    network = quantised(ranged.load(), ranged.int8_ranges)
    reference = TorchEngine(ModelDescriptor.in_memory(network), device="cpu", precision="fp32", threads=1)
    exact = build_torch(ranged, device="cpu", precision="fp32", threads=1).stylize(frames, code).astype(int)
    rounded = reference.stylize(frames, code).astype(int)
    assert np.abs(rounded - exact).mean() > 0.05  # rounding is not nothing
    # A value at the edge of a level may fall to either side: the two agree as well as either does with float32.
    assert np.abs(result - rounded).mean() <= 1.1 * np.abs(rounded - exact).mean()
    assert np.abs(result - exact).mean() == pytest.approx(np.abs(rounded - exact).mean(), rel=0.2)
    kinds = {op.get_rt_info()["runtimePrecision"].astype(str) for op in convolutions(engine)}
    assert kinds & {"I8", "i8", "u8"}


def test_eight_bits_past_a_style(ranged_model: Path) -> None:
    """Ranges were observed in styles themselves; what is carried on past them is rounded hardly more."""
    ranged = find_model(ranged_model)
    exact = build_torch(ranged, device="cpu", precision="fp32", threads=1)
    network = quantised(ranged.load(), ranged.int8_ranges)
    rounded = TorchEngine(ModelDescriptor.in_memory(network), device="cpu", precision="fp32", threads=1)
    frames, code = noise(1, 48, 64, 7), exact.encode_style(noise(1, 24, 40, 1)[0])
    gaps = [
        np.abs(rounded.stylize(frames, code, strength=a).astype(int) - exact.stylize(frames, code, strength=a)).mean()
        for a in (1.0, 1.5, 2.0)
    ]
    assert max(gaps[1:]) <= 4 * gaps[0] + 1


def convolutions(engine: OpenVINOEngine) -> list[Any]:
    """As they were compiled."""
    (requests,) = engine.requests.values()
    graph = requests[0].get_compiled_model().get_runtime_model()
    return [op for op in graph.get_ops() if op.get_rt_info()["layerType"].astype(str) == "Convolution"]


def test_auto_takes_eight_bits_where_model_and_processor_can(
    ranged_model: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "has_vnni", lambda: True)
    assert make_engine(ranged_model, device="cpu", threads=1).precision == "int8"
    assert make_engine(tiny_model, device="cpu", threads=1).precision != "int8"
    monkeypatch.setattr(openvino_engine, "has_vnni", lambda: False)
    assert make_engine(ranged_model, device="cpu", threads=1).precision != "int8"


@pytest.mark.parametrize("engine", ["torch", "torch-compile"])
def test_other_engines_have_no_eight_bits(ranged_model: Path, engine: str) -> None:
    with pytest.raises(UsageError, match="--engine openvino only"):
        make_engine(ranged_model, engine=engine, device="cpu", precision="int8")


def test_auto_takes_it_on_the_processor(tiny_model: Path) -> None:
    assert make_engine(tiny_model, device="cpu", threads=1).name == "openvino"


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    for name in [m for m in sys.modules if m == "openvino" or m.startswith(("openvino.", "vidstyle.engines.openvino"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openvino", None)
    row = choose.examine("openvino", "cpu", find_model())
    assert not row.usable
    assert row.why == 'openvino is not installed; pip install "vidstyle[openvino]"'
    assert make_engine(tiny_model, device="cpu", threads=1).name == "torch"
    with pytest.raises(UsageError, match="not installed"):
        make_engine(tiny_model, engine="openvino")


def test_its_way_to_say_out_of_memory_is_known() -> None:
    assert out_of_memory(RuntimeError("Exception from src/inference/src/cpp/infer_request.cpp:223:\nstd::bad_alloc"))
    assert out_of_memory(RuntimeError("could not create a memory object"))


def test_nothing_is_reported_over_the_network() -> None:
    assert sys.modules["openvino_telemetry"] is None


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["vgg-video", "vgg-image"])
def test_the_papers_networks(architecture: str, tmp_path: Path) -> None:
    import torch

    from vidstyle.models.checkpoint import build as build_model
    from vidstyle.models.checkpoint import save_model

    frames, style = noise(1, 48, 64), noise(1, 48, 64, 1)[0]
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        net: Any = build_model(architecture, {}).eval()
        for weight in net.parameters():
            if weight.dim() > 1:
                torch.nn.init.normal_(weight, std=(2 / weight[0].numel()) ** 0.5)
        pictures = [torch.from_numpy(p).permute(2, 0, 1)[None] / 255 for p in (frames[0], style)]
        out = net(pictures[0], net.encode_style(pictures[1]))
        last, spread = net.decoder.convs[-1], 0.2 / out.std((0, 2, 3))
        last.weight.mul_(spread[:, None, None, None])
        last.bias.sub_(out.mean((0, 2, 3))).mul_(spread).add_(0.5)
    path = tmp_path / "net.safetensors"
    save_model(net, path, dtype=torch.float32)
    exact = build_torch(find_model(path), device="cpu", precision="fp32", threads=1)
    code = exact.encode_style(style)
    engine = build(find_model(path), device="cpu", precision="fp32", threads=1)
    for strength in (1.0, 0.5, 1.5):
        expected = exact.stylize(frames, code, strength=strength)
        assert expected.std() > 20
        assert np.abs(engine.stylize(frames, code, strength=strength).astype(int) - expected).max() <= 1
