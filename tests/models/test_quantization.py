"""Eight-bit convolutions: what is rounded, to what, and how far a picture moves."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from vidstyle.models.checkpoint import load_model
from vidstyle.models.compact import CompactNet, ReplicateConv2d, Upsampling
from vidstyle.models.quantization import EXCEED, Int8Conv, edge_convolutions, observe, quantised


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    return load_model("compact")


def pictures(seed: int, n: int = 3) -> list[Tensor]:
    """Smooth coloured noise: pictures, roughly."""
    g = torch.Generator().manual_seed(seed)
    small = torch.rand(n, 3, 12, 16, generator=g)
    big = torch.nn.functional.interpolate(small, scale_factor=8, mode="bicubic").clamp(0, 1)
    return [(x * 255).round() / 255 for x in big.split(1)]


def identity() -> ReplicateConv2d:
    """A convolution that changes nothing: what comes out is its input as it was rounded."""
    conv = ReplicateConv2d(1, 1)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 1, 1] = 1.0
        conv.bias.zero_()
    return conv


@pytest.mark.parametrize("size", [1, 3])
def test_values_on_the_grid_are_not_changed(size: int) -> None:
    conv = ReplicateConv2d(3, 4, size)
    with torch.no_grad():
        conv.weight.copy_(torch.randint(-127, 128, conv.weight.shape) / 64)
        conv.weight[:, 0, 0, 0] = 127 / 64
    x = torch.randint(-100, 156, (1, 3, 9, 9)) / 10
    torch.testing.assert_close(Int8Conv(conv, -10.0, 15.5)(x), conv(x), rtol=1e-5, atol=1e-4)


def test_inputs_are_rounded_to_256_levels_and_clipped() -> None:
    y = Int8Conv(identity(), -1.0, 1.0)(torch.linspace(-2, 2, 4001).view(1, 1, 1, -1)).detach().flatten()
    assert len(y.unique()) == 256
    assert abs(float(y.min()) + 1) < 0.01
    assert abs(float(y.max()) - 1) < 0.01


def test_two_terms_keep_sixteen_bits_of_the_input() -> None:
    x = torch.linspace(-1, 1, 4001).view(1, 1, 1, -1)
    errors = [float((Int8Conv(identity(), -1.0, 1.0, fine=fine)(x) - x).detach().abs().max()) for fine in (False, True)]
    assert errors[0] == pytest.approx(1 / 255, rel=0.05)
    assert errors[1] < errors[0] / 200


def test_ranges_are_of_what_is_called_and_the_first_is_that_of_pictures(net: torch.nn.Module) -> None:
    pairs = [(x, net.encode_style(y)) for x, y in zip(pictures(0), pictures(1), strict=True)]
    ranges = observe(net, pairs)
    assert set(edge_convolutions(net)) - set(ranges) == {"full"}
    assert ranges["encoder.stem"] == (0.0, 1.0)
    assert all(low <= 0 < high for low, high in ranges.values())
    assert not any(m._forward_pre_hooks for m in net.modules())
    seen: list[float] = []
    hook = edge_convolutions(net)["half_in"].register_forward_pre_hook(lambda _, x: seen.append(float(x[0].max())))
    for x, code in pairs:
        net(x, code)
    hook.remove()
    expected = torch.tensor(seen, dtype=torch.float64).quantile(1 - EXCEED)
    assert ranges["half_in"][1] == pytest.approx(float(expected))


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
def test_the_shipped_model_in_eight_bits_paints_the_same_picture(net: torch.nn.Module, upsampling: Upsampling) -> None:
    assert isinstance(net, CompactNet)
    net = copy.deepcopy(net)
    net.config = replace(net.config, last_upsampling=upsampling)
    pairs = [(x, net.encode_style(y)) for x, y in zip(pictures(2), pictures(3), strict=True)]
    reduced = quantised(net, observe(net, pairs))
    eight = {name: m for name, m in reduced.named_modules() if isinstance(m, Int8Conv)}
    assert len(eight) == len(edge_convolutions(net)) - 1
    assert {n for n, m in eight.items() if m.fine} == {n for n in eight if n.startswith("encoder.quarter")}
    assert not any(isinstance(m, Int8Conv) for m in net.modules())
    for x, code in pairs:
        exact, rounded = net(x, code), reduced(x, code)
        levels = 255 * (exact.clamp(0, 1) - rounded.clamp(0, 1)).abs().mean()
        assert 0.01 < levels < 2.5


def test_an_unknown_layer_is_an_error(net: torch.nn.Module) -> None:
    with pytest.raises((KeyError, AttributeError)):
        quantised(net, {"encoder.nothing": (0.0, 1.0)})
