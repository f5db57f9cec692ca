"""`run`, `image` and `styles compile` with the paper's networks: nothing on the way assumes `compact`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.cli import main
from vidstyle.imaging.image_io import read_image, write_image
from vidstyle.models.checkpoint import load_model, load_style, save_model
from vidstyle.models.paper import VGGImage, VGGStyleConfig, VGGVideo

CPU = ("--engine", "torch", "--device", "cpu", "--precision", "fp32")


def vidstyle(*words: str | Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(w) for w in words])
    assert not stop.value.code


@pytest.fixture(scope="module", params=[VGGVideo, VGGImage], ids=["video", "image"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights whose pictures are lively and in range."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        net = request.param(VGGStyleConfig(max_points=200))
        for p in net.parameters():
            torch.nn.init.normal_(p, std=(1.4 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1)
        noise, last = torch.rand(1, 3, 48, 64), net.decoder.convs[-1]
        out = net(noise, net.encode_style(noise))
        mean, std = out.mean((0, 2, 3)), out.std((0, 2, 3))
        last.weight.mul_(0.2 / std[:, None, None, None])
        last.bias.sub_(mean).mul_(0.2 / std).add_(0.5)
    path = tmp_path_factory.mktemp("model") / f"{net.architecture}.safetensors"
    save_model(net, path)
    return path


def picture(path: Path, height: int, width: int, seed: int) -> NDArray[np.uint8]:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    write_image(path, pixels)
    return pixels


def test_image_is_what_the_network_paints(model: Path, tmp_path: Path) -> None:
    photo = picture(tmp_path / "photo.png", 47, 61, 0)
    style = picture(tmp_path / "style.png", 40, 48, 1)
    common = ("--model", model, "--style-size", "40", *CPU)
    out = tmp_path / "out.png"
    vidstyle("image", tmp_path / "photo.png", "--style", tmp_path / "style.png", "-o", out, *common)

    def planes(pixels: NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255

    net = load_model(model)
    with torch.no_grad():
        wanted = (net(planes(photo), net.encode_style(planes(style))) * 255).round().clamp(0, 255)
    got = read_image(out)
    assert got.shape == photo.shape
    assert np.abs(got.astype(int) - wanted[0].permute(1, 2, 0).numpy()).max() <= 1
    assert got.std() > 20


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_openvino_paints_the_same(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    picture(tmp_path / "photo.png", 47, 61, 0)
    common = ("--style", "mosaic", "--style-size", "40", "--model", model, "--device", "cpu", "--precision", "fp32")
    for strength in ("1", "0.4"):
        painted = []
        for engine in ("torch", "openvino"):
            out = tmp_path / f"{engine}.{strength}.png"
            more = ("-o", out, "--engine", engine, "--strength", strength)
            vidstyle("image", tmp_path / "photo.png", *common, *more)
            painted.append(read_image(out).astype(int))
        assert np.abs(painted[0] - painted[1]).max() <= 1


def test_a_blend_may_mix_pictures_and_compiled_codes(model: Path, tmp_path: Path) -> None:
    for n, size in enumerate(((47, 61), (40, 48), (64, 40))):
        picture(tmp_path / f"{n}.png", *size, n)
    common = ("--model", model, "--style-size", "40")
    code, one, two = tmp_path / "code.safetensors", tmp_path / "1.png", tmp_path / "2.png"
    vidstyle("styles", "compile", one, "-o", code, *common)
    assert len(load_style(code)) == (3 if "image" in model.name else 1)

    def styled(first: Path) -> NDArray[np.int64]:
        out = tmp_path / f"{first.suffix[1:]}.out.png"
        styles = ("--style", f"{first}:1", "--style", f"{two}:3")
        vidstyle("image", tmp_path / "0.png", *styles, "-o", out, *common, *CPU)
        return read_image(out).astype(np.int64)

    assert np.abs(styled(one) - styled(code)).max() <= 1


def test_run_gives_every_frame(
    model: Path, make_clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = make_clip("in.mp4", width=66, height=46, frames=3)
    out = tmp_path / "out.mp4"
    words = ("--style", "mosaic", "--style-size", "40", "--model", model, "--strength", "0.5", "--json", *CPU)
    vidstyle("run", film, "-o", out, *words)
    report = json.loads(capsys.readouterr().out)
    assert (report["frames"], report["width"], report["height"]) == (3, 66, 46)
    assert out.stat().st_size > 500
