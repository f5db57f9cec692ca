"""`vidstyle export`: the file paints what the model paints, in a program that has neither torch nor vidstyle."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from vidstyle.cli import main
from vidstyle.engines.torch_engine import TorchEngine
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
    failure: Exception, words: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidstyle.core.errors import InputError
    from vidstyle.engines import export
    from vidstyle.models.checkpoint import load_model

    def full(*_: object) -> None:
        raise failure

    monkeypatch.setattr(export, "traced", lambda *_, **__: None)  # takes seconds, and is not what fails
    monkeypatch.setitem(export.FORMATS, "openvino", export.Format(full, (".bin", ".xml"), "json"))
    wanted = export.Wanted(64, 48, False, {})
    with pytest.raises(InputError, match=words):
        export.export(load_model(tiny_model), wanted, tmp_path / "m.xml", "openvino")
    assert list(tmp_path.iterdir()) == []
