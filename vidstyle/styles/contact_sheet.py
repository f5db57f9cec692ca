"""Contact sheets: captioned pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

GAP = 12
_CAPTION = 30
_PAPER, _INK = (250, 248, 244), (40, 38, 36)


def contact_sheet(
    cells: Sequence[tuple[str, NDArray[np.uint8]]], *, columns: int, cell: tuple[int, int]
) -> NDArray[np.uint8]:
    """Pictures with their captions, row by row.

    Args:
        cells: caption and (H, W, 3) uint8 picture; fitted into the cell, the rest of it is paper.
        cell: width and height of each picture's place, pixels.

    Returns:
        (rows * (height + 42) + 12, columns * (width + 12) + 12, 3) uint8.
    """
    width, height = cell
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + _CAPTION + GAP) + GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=17)
    for i, (caption, picture) in enumerate(cells):
        x, y = GAP + (i % columns) * (width + GAP), GAP + (i // columns) * (height + _CAPTION + GAP)
        sheet.paste(ImageOps.pad(Image.fromarray(picture), cell, Image.Resampling.LANCZOS, color=_PAPER), (x, y))
        draw.text((x + 2, y + height + 4), caption, fill=_INK, font=font)
    return np.array(sheet)
