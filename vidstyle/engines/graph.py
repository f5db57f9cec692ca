"""A model as a graph of tensors alone: bytes in, bytes out, a code as plain inputs. It is what is compiled and exported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.style_code import SoftmaxCode, StyleCode

_MOST_POINTS = 1 << 20
"""Of a SoftmaxCode that a graph takes at a scale."""


class FromBytes(nn.Module):
    """(1, H, W, 3) uint8 frames, the tensors of a code, where wanted the strength (1,), in [0, 1] or, `beyond`, in [1, 2], and
    the weights named in `weights`, to (1, H, W, 3) uint8."""

    def __init__(
        self, model: StyleModel, like: StyleCode, *, strength: bool, beyond: bool = False, weights: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.model, self.like, self.weights = model, like, tuple(weights)
        self.strength, self.beyond = strength, beyond

    def forward(self, frames: Tensor, *rest: Tensor) -> Tensor:
        values = iter(rest)
        code = self.like.map(lambda _: next(values))
        given = (frames.permute(0, 3, 1, 2).float() / 255, code, next(values) if self.strength else None)
        weights = dict(zip(self.weights, values, strict=True))
        styled = functional_call(cast(nn.Module, self.model), weights, given, {"beyond": self.beyond})
        pixels: Tensor = (styled * 255).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
        return pixels


class MixedFromBytes(nn.Module):
    """(1, H, W, 3) uint8 frames, the tensors of a code of R styles, shares (1, R, H, W) and where wanted the strength (1,), to
    (1, H, W, 3) uint8. See `CompactNet.mixed`."""

    def __init__(self, model: StyleModel, like: StyleCode, *, strength: bool, beyond: bool) -> None:
        super().__init__()
        self.model, self.like, self.strength, self.beyond = model, like, strength, beyond

    def forward(self, frames: Tensor, *rest: Tensor) -> Tensor:
        values = iter(rest)
        code = self.like.map(lambda _: next(values))
        shares, amount = next(values), next(values) if self.strength else None
        planes = frames.permute(0, 3, 1, 2).float() / 255
        styled = cast(Any, self.model).mixed(planes, code, shares, amount, beyond=self.beyond)
        pixels: Tensor = (styled * 255).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
        return pixels


def tensors_of(code: StyleCode) -> list[Tensor]:
    """A code's tensors in the order in which a graph takes them."""
    return list(code.tensors().named().values())


def input_names(code: StyleCode, *, strength: bool) -> list[str]:
    """Names of a graph's inputs: "frames", "code.0.matrix" ... (a compiled style's names with "code." in front), "strength"."""
    names = [f"code.{name}" for name in code.named()]
    return ["frames", *names, *(["strength"] if strength else [])]


def example(height: int, width: int, code: StyleCode, *, strength: bool) -> tuple[Tensor, ...]:
    """Inputs of the right shapes and types; the picture is black."""
    frames = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    return (frames, *tensors_of(code), *([torch.ones(1)] if strength else []))


def traced(
    model: StyleModel,
    height: int,
    width: int,
    code: StyleCode,
    *,
    strength: bool,
    any_points: bool = False,
    weights: Sequence[str] = (),
) -> torch.export.ExportedProgram:
    """The model's arithmetic for frames of one size. Takes seconds.

    Args:
        code: of batch 1; only its kinds and shapes matter.
        strength: the graph has an input more, the strength (1,) float32.
        any_points: a SoftmaxCode may have any number of points, not only as many as `code`.
        weights: names of parameters of the model that are inputs too, the last ones.
    """
    own = dict(cast(nn.Module, model).named_parameters())
    inputs = (*example(height, width, code, strength=strength), *(own[name].detach() for name in weights))
    shapes: tuple[Any, ...] | None = None
    if any_points:
        of_code = [dims for i, scale in enumerate(code.scales) for dims in _dynamic(scale, i)]
        shapes = (None, (*of_code, *([None] if strength else []), *([None] * len(weights))))
    graph = FromBytes(model, code, strength=strength, weights=weights).eval()
    with torch.no_grad():
        return torch.export.export(graph, inputs, dynamic_shapes=shapes)


def _dynamic(scale: object, index: int) -> list[dict[int, Any] | None]:
    """Which dimension of each tensor of a scale may vary: the points of a SoftmaxCode."""
    count = len(vars(scale))
    if not isinstance(scale, SoftmaxCode):
        return [None] * count
    points = torch.export.Dim(f"points{index}", min=2, max=_MOST_POINTS)
    return [{1: points}] * count
