"""Ranges of a network's layers for eight-bit convolutions (models/int8.py), noted when a model file is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.quantization import edge_convolutions, observe
from vidstyle.models.style_code import StyleCode
from vidstyle.training.data.images import ImageFolder, batch, square

PAIRS = 30
"""Photos, each in another style."""
SIDE = 256


def calibrated(net: StyleModel, content: ImageFolder, style: ImageFolder) -> dict[str, tuple[float, float]]:
    """Ranges over pictures that are spread evenly over the folders; none for networks that have no eight-bit form.

    Args:
        net: float32, in evaluation mode.
    """
    if not edge_convolutions(net):
        return {}
    return observe(net, pairs(net, content, style))


@torch.no_grad()
def pairs(net: StyleModel, content: ImageFolder, style: ImageFolder) -> Iterator[tuple[Tensor, StyleCode]]:
    device = next(net.parameters()).device
    for photo, painting in zip(spread(content.images), spread(style.images), strict=True):
        frame, art = (batch([square(x, SIDE)]).to(device) for x in (photo, painting))
        yield frame, net.encode_style(art)


def spread(images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """PAIRS of them; where there are fewer, some come again."""
    return [images[i * len(images) // PAIRS] for i in range(PAIRS)]
