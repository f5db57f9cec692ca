"""The normalised VGG: taps, sizes, layouts, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from vidstyle.core.errors import InputError
from vidstyle.imaging.image_io import read_image
from vidstyle.models.vgg import VGG, WIDTHS, load_vgg


@pytest.mark.parametrize("layout", ["vgg16", "vgg19"])
def test_taps_have_the_widths_and_sizes_of_vgg(layout: str) -> None:
    net = VGG(layout)
    taps = net(torch.rand(1, 3, 33, 20))
    assert [tuple(t.shape) for t in taps] == [(1, w, -(-33 // 2**i), -(-20 // 2**i)) for i, w in enumerate(WIDTHS)]
    assert not any(p.requires_grad for p in net.parameters())
    shallow = net(torch.rand(1, 3, 33, 20), 2)
    assert len(shallow) == 2


def test_relu2_1_is_what_its_layers_compute() -> None:
    net = VGG("vgg16")
    x = torch.rand(1, 3, 16, 16)
    a = F.relu(net.get_submodule("conv1_1")(x))
    b = F.relu(net.get_submodule("conv1_2")(a))
    c = F.relu(net.get_submodule("conv2_1")(F.max_pool2d(b, 2)))
    taps = net(x, 2)
    torch.testing.assert_close(taps[0], a)
    torch.testing.assert_close(taps[1], c)


def test_nothing_sees_where_a_picture_ends() -> None:
    """With zeros around a picture a few channels of the real weights fire at its border and nowhere else, and outweigh all."""
    taps = VGG("vgg16")(torch.full((1, 3, 32, 32), 0.7))
    for tap in taps:
        assert float(tap.max()) > 0
        torch.testing.assert_close(tap, tap[:, :, :1, :1].expand_as(tap), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layout", ["vgg16", "vgg19"])
def test_the_file_says_which_layout_it_is(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "vgg.safetensors"
    net = VGG(layout)
    save_file({k: v.half().contiguous() for k, v in net.state_dict().items()}, path)
    again = load_vgg(path)
    assert again.layout == layout
    name = "conv3_2.weight"
    assert torch.equal(again.state_dict()[name], net.state_dict()[name].half().float())


def test_other_files_are_refused(tmp_path: Path, tiny_model: Path) -> None:
    text = tmp_path / "vgg.safetensors"
    text.write_text("no")
    for path in (text, tmp_path / "missing", tiny_model):
        with pytest.raises(InputError, match=r"(?i)vgg"):
            load_vgg(path)


def test_right_names_with_wrong_shapes_or_numbers_are_refused(tmp_path: Path) -> None:
    path, weights = tmp_path / "vgg.safetensors", {k: v.contiguous() for k, v in VGG("vgg16").state_dict().items()}
    save_file(weights | {"conv2_2.weight": torch.zeros(64, 128, 3, 3)}, path)
    with pytest.raises(InputError, match=r"conv2_2\.weight is 64x128x3x3 and not 128x128x3x3"):
        load_vgg(path)
    save_file(weights | {"conv1_2.bias": torch.full((64,), torch.nan)}, path)
    with pytest.raises(InputError, match=r"conv1_2\.bias holds infinite"):
        load_vgg(path)


def test_channel_means_of_real_photos_are_about_one(data_dir: Path) -> None:
    weights = data_dir.parent / "weights" / "vgg16_normalised.safetensors"
    photos = sorted((data_dir / "content").glob("*.jpg"))[:8]
    if not weights.exists() or len(photos) < 8:
        pytest.skip("no VGG weights or photos beside the data folder")
    net = load_vgg(weights)
    with torch.no_grad():
        taps = [
            net(torch.from_numpy(read_image(p, short_side=160)).permute(2, 0, 1)[None].float() / 255) for p in photos
        ]
    for layer in range(5):
        means = torch.stack([t[layer][0].mean((1, 2)) for t in taps]).mean(0)
        assert 0.5 < float(means.mean()) < 2
        assert float(means.max()) < 10  # at 32 px a channel; with zeros around the photos one is 50
