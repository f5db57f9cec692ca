"""The loss network: every layout is read, torchvision's is fed and scaled right, and what is missing is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import vgg16, vgg16_bn, vgg19  # type: ignore[import-untyped]
from torchvision.transforms.functional import normalize  # type: ignore[import-untyped]

from vidstyle.core.errors import InputError
from vidstyle.imaging.tensors import unit_range
from vidstyle.models.pth import VGG_NORMALISED
from vidstyle.models.vgg import VGG
from vidstyle.training.data.images import ImageFolder, square
from vidstyle.training.objective.loss_network import (
    DEVIATION,
    MEAN,
    channel_means,
    from_torchvision,
    load_loss_network,
    normalised,
    torchvision_names,
)

Build = Callable[[], torch.nn.Module]
FIRST_OF_BLOCK = {"vgg16": (0, 5, 10, 17, 24), "vgg19": (0, 5, 10, 19, 28)}
"""Indices of conv1_1 ... conv5_1, counted by hand in torchvision's table of layers."""


@pytest.fixture
def vgg() -> VGG:
    """With all its channels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VGG("vgg16")


def features(build: Build) -> torch.nn.Sequential:
    """Convolutions of a torchvision network with random weights and biases."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        net = build().features
        assert isinstance(net, torch.nn.Sequential)
        with torch.no_grad():
            for layer in net:
                if isinstance(layer, torch.nn.Conv2d):
                    layer.bias.normal_(0.02, 0.1)
        return net.eval()


def small16() -> torch.nn.Module:
    return _without_classifier(vgg16)


def small19() -> torch.nn.Module:
    return _without_classifier(vgg19)


def small16_bn() -> torch.nn.Module:
    return _without_classifier(vgg16_bn)


def _without_classifier(build: Callable[..., torch.nn.Module]) -> torch.nn.Module:
    with torch.device("meta"):  # 120 million weights that nobody asks for
        net = build(weights=None, init_weights=False)
    net.features.to_empty(device="cpu")
    for layer in net.features:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return net


def named(net: torch.nn.Sequential, upto: int) -> dict[str, Tensor]:
    return {f"features.{k}": v for k, v in net.state_dict().items() if int(k.split(".")[0]) <= upto}


@pytest.mark.parametrize(("layout", "build"), [("vgg16", small16), ("vgg19", small19)])
def test_torchvisions_weights_compute_what_torchvision_computes(layout: str, build: Build) -> None:
    """relu1_1, relu2_1 and relu3_1, away from the border, where ours reflects."""
    theirs = features(build)
    net = from_torchvision(named(theirs, FIRST_OF_BLOCK[layout][-1]), "weights")
    assert net.layout == layout
    assert [torchvision_names(layout)[f"conv{b}_1"] for b in range(1, 6)] == list(FIRST_OF_BLOCK[layout])
    x = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    ours = net(x, 3)
    y = normalize(x, list(MEAN), list(DEVIATION))
    for block, index in enumerate(FIRST_OF_BLOCK[layout][:3]):
        wanted = theirs[: index + 2](y)
        edge = (2, 4, 6)[block]  # as far as the border reaches
        inner = (..., slice(edge, -edge), slice(edge, -edge))
        torch.testing.assert_close(ours[block][inner], wanted[inner], rtol=1e-4, atol=1e-5)


def test_every_channel_has_mean_one_afterwards_and_sees_the_same(images: ImageFolder) -> None:
    net = from_torchvision(named(features(small16), 24), "weights")
    before = {k: v.clone() for k, v in net.state_dict().items()}
    raw = VGG("vgg16")
    raw.load_state_dict(before)
    photos = images.images
    normalised(net, photos)
    pictures = [unit_range(square(p, 224))[None] for p in photos]
    for name, mean in channel_means(net, pictures).items():
        alive = mean > 1e-8  # the others are left as they are
        assert float(alive.float().mean()) > 0.5, name
        torch.testing.assert_close(mean[alive], torch.ones_like(mean[alive]), rtol=2e-3, atol=0, msg=name)
    # A scaled channel is a multiple of the unscaled one.
    ours, plain = net(pictures[0], 4)[3], raw(pictures[0], 4)[3]
    scale = ours.sum((0, 2, 3)) / plain.sum((0, 2, 3)).clamp_min(1e-12)
    torch.testing.assert_close(ours, plain * scale[:, None, None], rtol=1e-3, atol=1e-3)


def test_normalised_weights_are_left_as_they_are(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    save_file({k: v.contiguous() for k, v in vgg.state_dict().items()}, tmp_path / "vgg.safetensors")
    net = load_loss_network(tmp_path / "vgg.safetensors", images.images)
    assert all(torch.equal(v, vgg.state_dict()[k]) for k, v in net.state_dict().items())


def test_both_containers_of_torchvisions_layout_are_read(images: ImageFolder, tmp_path: Path) -> None:
    weights = {k: v.contiguous() for k, v in named(features(small19), 28).items()}
    save_file(weights, tmp_path / "vgg.safetensors")
    torch.save(weights, tmp_path / "vgg.pth")
    a, b = (load_loss_network(tmp_path / name, images.images) for name in ("vgg.safetensors", "vgg.pth"))
    assert a.layout == b.layout == "vgg19"
    assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_cache_is_used_and_nothing_is_fetched_unasked(
    images: ImageFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError, match=r"--download-vgg.*--vgg"):
        load_loss_network(None, images.images)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(named(features(small19), 28), folder / "vgg19-dcbb9e9d.pth")
    assert load_loss_network(None, images.images).layout == "vgg19"


def test_a_download_that_fails_is_one_sentence(
    images: ImageFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(InputError, match=r"cannot be downloaded.*--vgg"):
        load_loss_network(None, images.images, download=True)
    assert not list(tmp_path.rglob("*.pth"))


def test_upstreams_file_is_read(images: ImageFolder, tmp_path: Path) -> None:
    """`vgg_normalised.pth` begins with a 1x1 convolution; here one that doubles."""
    source = VGG("vgg19")
    given = {
        f"{VGG_NORMALISED[name]}.{part}": getattr(layer, part).clone()
        for name, layer in source.named_children()
        for part in ("weight", "bias")
    }
    given |= {"0.weight": 2 * torch.eye(3)[:, :, None, None], "0.bias": torch.zeros(3)}
    torch.save(given, tmp_path / "vgg_normalised.pth")
    net = load_loss_network(tmp_path / "vgg_normalised.pth", images.images)
    x = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(x)[0][..., 1:-1, 1:-1], source(2 * x)[0][..., 1:-1, 1:-1])


@pytest.mark.parametrize("kind", ["batch norm", "cut off", "other", "text"])
def test_other_files_are_refused(kind: str, images: ImageFolder, tmp_path: Path) -> None:
    path = tmp_path / "vgg.safetensors"
    if kind == "batch norm":
        save_file({k: v.contiguous() for k, v in named(features(small16_bn), 33).items()}, path)
    elif kind == "cut off":
        save_file({k: v.contiguous() for k, v in named(features(small16), 10).items()}, path)
    elif kind == "other":
        save_file({"weight": torch.from_numpy(np.zeros(3, np.float32))}, path)
    else:
        path.write_text("no weights")
    with pytest.raises(InputError, match=r"vgg\.safetensors"):
        load_loss_network(path, images.images)
