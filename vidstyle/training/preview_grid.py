"""The preview grid: what the network does now, on the same pictures every time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.imaging.image_io import write_image
from vidstyle.imaging.tensors import to_image, unit_range
from vidstyle.models.checkpoint import StyleModel
from vidstyle.training.data.images import square


@torch.no_grad()
def preview(
    net: StyleModel, contents: Sequence[NDArray[np.uint8]], styles: Sequence[NDArray[np.uint8]], side: int, path: Path
) -> Tensor:
    """Draw a grid: the styles across the top, a content at the left of each row, results between.

    Args:
        contents, styles: (H, W, 3) uint8 each; their middles are shown.
        side: of each picture in the grid, pixels.
        path: of the PNG to write.

    Returns:
        the grid, (3, H', W') float in [0, 1].
    """
    device = next(net.parameters()).device
    tops = [unit_range(square(s, side)) for s in styles]
    codes = [net.encode_style(s[None].to(device)) for s in tops]
    rows = [torch.ones_like(tops[0]), *tops]
    for content in (unit_range(square(c, side)) for c in contents):
        rows += [content, *(net(content[None].to(device), code)[0].float().clamp(0, 1).cpu() for code in codes)]
    grid = _tiled(torch.stack(rows), 1 + len(styles))
    write_image(path, to_image(grid))
    return grid


def _tiled(pictures: Tensor, columns: int, gap: int = 2) -> Tensor:
    """(N, 3, H, W) in rows of `columns`, N a multiple of it, white between and around: (3, H', W')."""
    framed = F.pad(pictures, (0, gap, 0, gap), value=1.0)
    rows = [torch.cat(list(row), 2) for row in framed.split(columns)]
    return F.pad(torch.cat(rows, 1), (gap, 0, gap, 0), value=1.0)
