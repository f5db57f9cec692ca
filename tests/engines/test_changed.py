"""Deeply fitted styles: the engine runs the network that they change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.engines.choose import make_engine
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import StyleCode
from vidstyle.models.weight_change import WeightChange, fitted_parameters
from vidstyle.styles.request import encode
from vidstyle.styles.source import CompiledStyle, Style

FRAMES = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), np.uint8)
ART = np.random.default_rng(1).integers(0, 256, (48, 48, 3), np.uint8)


def changed_code(code: StyleCode, network: torch.nn.Module, seed: int = 0) -> StyleCode:
    generator = torch.Generator().manual_seed(seed)
    return replace(
        code,
        change=WeightChange(
            {n: 0.05 * torch.randn(p.shape, generator=generator) for n, p in fitted_parameters(network).items()}
        ),
    )


@pytest.mark.parametrize("name", ["torch", pytest.param("openvino", marks=pytest.mark.slow)])
def test_the_change_is_in_the_picture(tiny_model: Path, name: str) -> None:
    engine = make_engine(tiny_model, engine=name, device="cpu", precision="fp32", threads=1)
    network = engine.model.load()
    code = engine.encode_style(ART)
    deep = changed_code(code, network)
    assert deep.change is not None
    with torch.no_grad():
        for parameter_name, value in deep.change.applied(network).items():
            dict(network.named_parameters())[parameter_name].copy_(value)
        planes = torch.from_numpy(FRAMES).permute(0, 3, 1, 2).float() / 255
        wanted = (network(planes, code) * 255).round().clamp(0, 255).permute(0, 2, 3, 1)
    found = engine.stylize(FRAMES, deep)
    assert np.abs(found.astype(int) - wanted.numpy().astype(int)).max() <= 1
    plain = engine.stylize(FRAMES, code)
    assert np.abs(found.astype(int) - plain.astype(int)).mean() > 1
    # Strength 0 is what it is without the change.
    nothing: NDArray[np.uint8] = engine.stylize(FRAMES, deep, strength=0.0)
    assert np.abs(nothing.astype(int) - engine.stylize(FRAMES, code, strength=0.0)).max() <= 1


def test_past_its_style_a_change_stays_whole(tiny_model: Path) -> None:
    network = find_model(tiny_model).load()
    change = changed_code(network.encode_style(torch.rand(1, 3, 48, 48)), network).change
    assert change is not None
    own = dict(network.named_parameters())
    for name, value in change.applied(network, 1.7).items():
        torch.testing.assert_close(value, own[name].detach() + change.deltas[name])


@pytest.mark.slow
def test_a_second_style_converts_nothing(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    from vidstyle.engines import openvino_graph

    engine = make_engine(tiny_model, engine="openvino", device="cpu", precision="fp32", threads=1)
    exact = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
    code, network = engine.encode_style(ART), engine.model.load()
    styles = [changed_code(code, network, seed) for seed in (0, 1)]
    engine.stylize(FRAMES, styles[0])
    monkeypatch.setattr(openvino_graph, "convert", None)
    second = engine.stylize(FRAMES, styles[1])
    assert np.abs(second.astype(int) - exact.stylize(FRAMES, styles[1]).astype(int)).max() <= 1


def test_eight_bits_only_where_ranges_were_observed(tiny_model: Path) -> None:
    pytest.importorskip("openvino")
    from vidstyle.engines.openvino_engine import OpenVINOEngine

    model = replace(find_model(tiny_model), int8_ranges={"full": (-1.0, 2.0)})
    engine = OpenVINOEngine(model, precision="int8", threads=1)
    plain = engine.encode_style(ART)
    blind = replace(plain, change=WeightChange({}))
    seen = replace(plain, change=WeightChange({}, {"full": (-3.0, 1.0)}))
    assert engine.precision_for(plain) == engine.precision_for(seen) == "int8"
    assert engine.precision_for(blind) in ("bf16", "fp32")
    assert engine.ranges_for(plain, 1.0) == {"full": (-1.0, 2.0)}
    assert engine.ranges_for(seen, 1.0) == {"full": (-3.0, 1.0)}
    assert engine.ranges_for(seen, 0.5) == {"full": (-3.0, 2.0)}
    assert seen.change is not None
    assert blind.change is not None
    assert seen.change.digest != blind.change.digest


def test_what_cannot_be_mixed_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    from vidstyle.models.checkpoint import save_fitted_code

    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
    deep = changed_code(engine.encode_style(ART), engine.model.load())
    save_fitted_code(deep, tmp_path / "deep.safetensors", engine.model.digest, {})
    style = Style("deep", CompiledStyle(tmp_path / "deep.safetensors"), 0.5)
    with pytest.raises(UsageError, match="blended"):
        encode([style, style], engine)
    assert encode([style], engine).change is not None
