"""`vidstyle export`: the file paints what the model paints, in a program that has neither torch nor vidstyle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from vidstyle.cli import main
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.imaging.image_io import read_image
from vidstyle.models.checkpoint import load_style, save_model, save_style
from vidstyle.models.registry import find_model

WIDTH, HEIGHT = 50, 38


def vidstyle(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(w) for w in words])
    return int(stop.value.code or 0)


def by_onnx(path: Path, inputs: dict[str, NDArray[Any]]) -> NDArray[np.uint8]:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    assert about["size"] == f"{WIDTH}x{HEIGHT}"
    result: NDArray[np.uint8] = session.run(["styled"], inputs)[0]
    return result


def by_openvino(path: Path, inputs: dict[str, NDArray[Any]]) -> NDArray[np.uint8]:
    openvino = pytest.importorskip("openvino")
    graph = openvino.Core().read_model(path)
    assert graph.get_rt_info(["vidstyle", "size"]).astype(str) == f"{WIDTH}x{HEIGHT}"
    compiled = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result: NDArray[np.uint8] = compiled(inputs)["styled"]
    return result


RUN = {"onnx": by_onnx, "openvino": by_openvino}


def check(kind: str, model: Path, folder: Path, *, strength: float | None = None) -> None:
    """Export, compile a style, run the one on the other, compare with the engine."""
    pytest.importorskip({"onnx": "onnxscript", "openvino": "openvino"}[kind])
    graph = folder / f"graph{'.onnx' if kind == 'onnx' else '.xml'}"
    more = [] if strength is None else ["--with-strength"]
    words: list[str | Path] = [
        "export",
        "--format",
        kind,
        "--model",
        model,
        "--size",
        f"{WIDTH}x{HEIGHT}",
        "-o",
        graph,
        *more,
    ]
    assert vidstyle(*words) == 0
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]
    engine = TorchEngine(find_model(model), device="cpu", precision="fp32", threads=1)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (1, HEIGHT, WIDTH, 3), dtype=np.uint8)
    style = folder / "style.safetensors"
    # Not the size that the graph was traced with: a code of points has another number of them.
    save_style(engine.encode_style(rng.integers(0, 255, (70, 90, 3), dtype=np.uint8)), style)
    inputs = {"frames": frames, **{f"code.{k}": v for k, v in load_file(style).items()}}
    if strength is not None:
        inputs["strength"] = np.array([strength], np.float32)
    got = RUN[kind](graph, inputs)
    wanted = engine.stylize(frames, load_style(style), strength=1.0 if strength is None else strength)
    assert got.shape == wanted.shape
    assert got.dtype == np.uint8
    assert np.abs(got.astype(int) - wanted).max() <= 1
    assert wanted.std() > 5


@pytest.mark.parametrize("kind", [pytest.param("onnx", marks=pytest.mark.slow), "openvino"])
def test_the_file_paints_what_the_engine_paints(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    check(kind, tiny_model, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", RUN)
def test_strength_is_an_input_where_wanted(kind: str, tiny_model: Path, tmp_path: Path) -> None:
    check(kind, tiny_model, tmp_path, strength=0.4)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", RUN)
@pytest.mark.parametrize("architecture", ["vgg-video", "vgg-image"])
def test_the_papers_networks_too(kind: str, architecture: str, tmp_path: Path) -> None:
    import torch

    from vidstyle.models.checkpoint import build

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = build(architecture, {"std_eps": 0.0})
        for p in net.parameters():
            torch.nn.init.normal_(p, std=(1.4 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1)
    save_model(net, tmp_path / "model.safetensors")
    check(kind, tmp_path / "model.safetensors", tmp_path)


def by_opencv(path: Path, image: NDArray[Any]) -> NDArray[Any]:
    import cv2

    net = cv2.dnn.readNetFromONNX(str(path))
    net.setInput(image)
    return np.asarray(net.forward())


@pytest.mark.parametrize(
    ("kind", "pixels", "size"),
    [
        ("openvino", "float", "50x38"),
        pytest.param("openvino", "uint8", "any", marks=pytest.mark.slow),
        pytest.param("onnx", "float", "any", marks=pytest.mark.slow),
        pytest.param("onnx", "float", "50x38", marks=pytest.mark.slow),
        pytest.param("onnx", "uint8", "any", marks=pytest.mark.slow),
    ],
)
def test_a_baked_style_paints_pictures_alone(
    kind: str, pixels: str, size: str, tiny_model: Path, tmp_path: Path
) -> None:
    """One input, one output, of any multiples of 8 or of one size; OpenCV's own runtime paints the same."""
    pytest.importorskip({"onnx": "onnxscript", "openvino": "openvino"}[kind])
    graph = tmp_path / f"graph{'.onnx' if kind == 'onnx' else '.xml'}"
    rng = np.random.default_rng(0)
    art = rng.integers(0, 255, (70, 90, 3), dtype=np.uint8)
    Image.fromarray(art).save(tmp_path / "art.png")
    words = ("--format", kind, "--model", tiny_model, "--size", size, "--pixels", pixels, "-o", graph)
    assert vidstyle("export", "--bake", tmp_path / "art.png", *words) == 0
    engine = TorchEngine(find_model(tiny_model), device="cpu", precision="fp32", threads=1)
    code = engine.encode_style(read_image(tmp_path / "art.png", short_side=384))
    for height, width in [(40, 56), (64, 32)] if size == "any" else [(HEIGHT, WIDTH)]:
        frames = rng.integers(0, 255, (1, height, width, 3), dtype=np.uint8)
        wanted = engine.stylize(frames, code)
        assert wanted.std() > 5
        floats = np.ascontiguousarray(frames.transpose(0, 3, 1, 2), np.float32) / 255
        given = floats if pixels == "float" else frames
        results = [run_alone(kind, graph, given)]
        if kind == "onnx" and pixels == "float":
            results.append(by_opencv(graph, floats))
        for got in results:
            assert got.shape == given.shape
            shown = got.transpose(0, 2, 3, 1) * 255 if pixels == "float" else got
            assert np.abs(shown.astype(float) - wanted).max() <= 1.01


def run_alone(kind: str, path: Path, image: NDArray[Any]) -> NDArray[Any]:
    """A graph's only output for its only input, "image"."""
    if kind == "onnx":
        runtime = pytest.importorskip("onnxruntime")
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        assert [i.name for i in session.get_inputs()] == ["image"]
        return np.asarray(session.run(["styled"], {"image": image})[0])
    openvino = pytest.importorskip("openvino")
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert [name for port in compiled.inputs for name in port.names] == ["image"]
    return np.asarray(compiled({"image": image})["styled"])


def test_refusals(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "there.onnx"
    there.write_text("mine")
    for words, sentence in (
        (["--format", "onnx", "-o", there], "-y"),
        (["--format", "onnx", "-o", tmp_path / "x.xml"], r".onnx"),
        (["--format", "openvino", "-o", tmp_path / "x.onnx"], r".xml"),
        (["--format", "onnx", "--size", "8x8", "-o", tmp_path / "x.onnx"], "16"),
        (["--format", "onnx", "--size", "big", "-o", tmp_path / "x.onnx"], "640x360"),
        (["--format", "tflite"], "tflite"),
        (["--format", "onnx", "--size", "any", "-o", tmp_path / "x.onnx"], "goes with --bake"),
        (["--format", "onnx", "--bake", "mosaic", "--with-strength", "-o", tmp_path / "x.onnx"], "pictures alone"),
        (["--format", "onnx", "--bake", "mosiac", "-o", tmp_path / "x.onnx"], "nearest are mosaic"),
    ):
        assert vidstyle("export", "--model", tiny_model, *words) == 2
        assert sentence in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["there.onnx"]
    assert there.read_text() == "mine"


@pytest.mark.parametrize(("kind", "module"), [("onnx", "onnxscript"), ("openvino", "openvino")])
def test_what_is_not_installed_is_named(
    kind: str, module: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in [n for n in sys.modules if n == "vidstyle.engines.openvino_engine"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    out = tmp_path / f"graph{'.onnx' if kind == 'onnx' else '.xml'}"
    assert vidstyle("export", "--format", kind, "--model", tiny_model, "--size", "32x32", "-o", out) == 2
    assert f"pip install 'vidstyle[{kind}]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError(28, "No space left on device"), "the disk of .* is full; free some space"),
        (RuntimeError("basic_ios::clear: iostream error"), "could not be written; see whether the disk of .* is full"),
    ],
)
def test_a_full_disk_is_one_sentence(
    failure: Exception, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidstyle.core.errors import InputError
    from vidstyle.engines import export

    def full(*_: object) -> None:
        raise failure

    monkeypatch.setitem(export.FORMATS, "openvino", export.Format(full, (".bin", ".xml"), "json"))
    nothing: Any = None  # making a graph takes seconds, and is not what fails
    with pytest.raises(InputError, match=words):
        export.export(lambda: nothing, tmp_path / "m.xml", "openvino")
    assert list(tmp_path.iterdir()) == []
