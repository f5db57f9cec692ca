"""A model whose convolutions take eight-bit numbers: what processors multiply fastest.

Weights are rounded to 255 levels for each output channel, inputs to 256 levels of a range that was observed once, on many
pictures, and travels with the model (`int8_ranges` in its file). The rounding is written as torch's fake quantisation: under
torch it shows what eight bits do to a picture, and an engine that knows the pattern multiplies the whole numbers themselves.

Sums, normalisation, attention and the last convolution, where an error is an error of the picture, stay in float32.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.models.compact import PixelConv2d, ReplicateConv2d, replicate_pad
from vidstyle.models.style_code import StyleCode

Ranges = Mapping[str, tuple[float, float]]
"""Name of a convolution > least and largest value of its input; 0 lies between."""

EXCEED = 0.1
"""Share of pictures whose extremes lie outside a range."""

_DELICATE = "encoder.quarter"
"""Layers whose names begin so take their input in two terms of eight bits: all that follows sees what is rounded there, and
takes it for texture. On three frames in eight styles pictures are 1.4 levels of 255 from float32 with one term and 0.8 with
two, for 3 ms of a frame of 512x288; float32 in these three convolutions costs 8."""

Model = TypeVar("Model", bound=nn.Module)


class Int8Conv(nn.Module):
    """An ReplicateConv2d in eight bits.

    Args:
        conv: float32.
        low, high: range of the input, with 0 in it; what lies outside is clipped.
        fine: the input's rounding error goes through the convolution too, in eight bits of its own.
    """

    def __init__(self, conv: ReplicateConv2d, low: float, high: float, *, fine: bool = False) -> None:
        super().__init__()
        self.weight, self.bias, self.edge, self.fine = conv.weight, conv.bias, conv.edge, fine
        self.scale = max(high - low, 1e-6) / 255
        self.zero = min(255, max(0, round(-low / self.scale)))
        self.weight_scale: Tensor
        self.weight_zero: Tensor
        largest = conv.weight.detach().abs().amax((1, 2, 3))
        self.register_buffer("weight_scale", (largest / 127).clamp_min(1e-8))
        self.register_buffer("weight_zero", torch.zeros(len(largest), dtype=torch.int32))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            coarse = torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero, 0, 255)
            weight = torch.fake_quantize_per_channel_affine(
                self.weight, self.weight_scale, self.weight_zero, 0, -127, 127
            )
            result = F.conv2d(replicate_pad(coarse, self.edge), weight, self.bias)
            if not self.fine:
                return result
            error = torch.fake_quantize_per_tensor_affine(x - coarse, self.scale / 254, 127, 0, 255)
            return result + F.conv2d(replicate_pad(error, self.edge), weight)


def quantised(model: Model, ranges: Ranges) -> Model:
    """A copy of a model with the named convolutions in eight bits.

    Raises:
        KeyError: a name that is none of an ReplicateConv2d of the model.
    """
    result = copy.deepcopy(model)
    convolutions = edge_convolutions(model)
    for name, (low, high) in ranges.items():
        parent, _, child = name.rpartition(".")
        fine = name.startswith(_DELICATE)
        setattr(result.get_submodule(parent), child, Int8Conv(convolutions[name], low, high, fine=fine))
    return result


def observe(model: nn.Module, pictures: Iterable[tuple[Tensor, StyleCode]]) -> dict[str, tuple[float, float]]:
    """Ranges of the inputs of all convolutions that become eight-bit ones: the extremes of each picture, and of those the one
    that a tenth of the pictures exceeds. Ranges that hold everything spend their levels on rare peaks: on nine pictures the
    result was 1.1 levels of 255 from float32 with the largest extremes, 0.8 with these; with the mean 0.8 too, but single
    pixels are clipped.

    Args:
        pictures: frames (1, 3, H, W) float32 in [0, 1], and a code.
    """
    lows: dict[str, list[float]] = {}
    highs: dict[str, list[float]] = {}

    def observe(name: str, x: Tensor) -> None:
        lows.setdefault(name, []).append(min(0.0, float(x.min())))
        highs.setdefault(name, []).append(max(0.0, float(x.max())))

    # Only what is called is seen: the last convolution is not, its weights are used in another form.
    hooks = [
        conv.register_forward_pre_hook(lambda _, given, name=name: observe(name, given[0]))
        for name, conv in edge_convolutions(model).items()
    ]
    try:
        with torch.no_grad():
            for frames, code in pictures:
                model(frames, code)
    finally:
        for hook in hooks:
            hook.remove()
    pixels = {name for name, conv in edge_convolutions(model).items() if isinstance(conv, PixelConv2d)}
    return {
        name: (0.0, 1.0) if name in pixels else (-quantile([-x for x in lows[name]]), quantile(highs[name]))
        for name in lows
    }


def rounding_error(model: nn.Module, ranges: Ranges, pictures: Iterable[tuple[Tensor, StyleCode]]) -> float:
    """Mean difference between a model's pictures and those of its eight-bit form, levels of 255.

    Args:
        pictures: as `observe` takes them.
    """
    rounded = quantised(model, ranges)
    with torch.no_grad():
        errors = [(model(x, code).clamp(0, 1) - rounded(x, code).clamp(0, 1)).abs().mean() for x, code in pictures]
    return 255 * float(torch.stack(errors).mean())


def quantile(values: list[float]) -> float:
    """What a tenth of the values exceeds."""
    return float(torch.tensor(values, dtype=torch.float64).quantile(1 - EXCEED))


def edge_convolutions(model: nn.Module) -> dict[str, ReplicateConv2d]:
    return {name: m for name, m in model.named_modules() if isinstance(m, ReplicateConv2d)}
