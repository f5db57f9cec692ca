"""The preview grid: what the network does now, on the same pictures every time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torchvision.utils import make_grid  # type: ignore[import-untyped]

from vidstyle.media.image import write_image
from vidstyle.models.checkpoint import StyleModel


@torch.no_grad()
def preview(net: StyleModel, contents: Sequence[Tensor], styles: Sequence[Tensor], path: Path) -> Tensor:
    """Draw a grid: the styles across the top, a content at the left of each row, results between.

    Args:
        contents, styles: each (3, H, W) float in [0, 1], all of one size.
        path: of the PNG to write.

    Returns:
        the grid, (3, H', W') float in [0, 1].
    """
    rows = [torch.ones_like(styles[0]), *styles]
    codes = [net.encode_style(s[None]) for s in styles]
    for content in contents:
        rows += [content, *(net(content[None], code)[0].float().clamp(0, 1) for code in codes)]
    grid: Tensor = make_grid(torch.stack(rows), nrow=1 + len(styles), padding=2, pad_value=1.0)
    write_image(path, (grid * 255).round().byte().permute(1, 2, 0).numpy())
    return grid
