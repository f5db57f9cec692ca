"""A model and one style as a single function of pictures: what other programs load without knowing of codes.

Two conventions for what goes in and comes out, both RGB:

- "float": (1, 3, H, W) float32 in [0, 1], as vs-mlrt, FFmpeg's dnn_processing, OpenCV's dnn and most web demos have it;
- "uint8": (1, H, W, 3) uint8, as pictures lie in memory.
"""

from __future__ import annotations

import copy
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from vidstyle.engines.changed import ChangedNetworks
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.compact import STRIDE
from vidstyle.models.style_code import StyleCode

Pixels = Literal["float", "uint8"]
INPUT = "image"
_LARGEST = 8192
"""Pixels of a side, where sizes are open."""
_EXAMPLE = (96, 128)
"""Height and width that a graph of open size is traced with."""


class Baked(nn.Module):
    """The network with the tensors of a code, and the weights that a deep fit changes, as constants.

    Args:
        model: float32, in evaluation mode; is not changed.
        code: of batch 1.
        pixels: what forward takes and gives.
    """

    def __init__(self, model: StyleModel, code: StyleCode, pixels: Pixels) -> None:
        super().__init__()
        changed = copy.deepcopy(ChangedNetworks(model).get(code, 1.0))
        self.network = cast(nn.Module, changed).eval().requires_grad_(False)
        self._like = code.unchanged()
        self._pixels = pixels
        self._count = 0
        for tensor in self._like.tensors().named().values():
            self.register_buffer(f"code{self._count}", tensor.detach().float())
            self._count += 1

    def forward(self, image: Tensor) -> Tensor:
        """The picture in the style, as it came; values clamped."""
        values = iter([getattr(self, f"code{i}") for i in range(self._count)])
        code = self._like.map(lambda _: next(values))
        if self._pixels == "float":
            return cast(Tensor, self.network(image, code)).clamp(0, 1)
        styled = self.network(image.permute(0, 3, 1, 2).float() / 255, code)
        pixels: Tensor = (styled * 255).round().clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
        return pixels


def traced_baked(
    model: StyleModel, code: StyleCode, pixels: Pixels, size: tuple[int, int] | None
) -> torch.export.ExportedProgram:
    """The arithmetic of a model and a style. Takes seconds.

    Args:
        size: width and height of the pictures; None: any whose sides are multiples of 8 (`compact` alone).
    """
    width, height = size or _EXAMPLE[::-1]
    float_ = pixels == "float"
    shape = (1, 3, height, width) if float_ else (1, height, width, 3)
    image = torch.zeros(shape, dtype=torch.float32 if float_ else torch.uint8)
    shapes: Any = None
    if size is None:
        first = 2 if float_ else 1
        names = ("eighths_down", "eighths_across")
        dims = [STRIDE * torch.export.Dim(name, min=2, max=_LARGEST // STRIDE) for name in names]
        shapes = ({first: dims[0], first + 1: dims[1]},)
    with torch.no_grad():
        return torch.export.export(Baked(model, code, pixels).eval(), (image,), dynamic_shapes=shapes)
