"""The pictures of the docs: a frame of the demo scene and what the shipped model makes of it.

python pipelines/readme_pictures.py docs/images/results.jpg
python pipelines/readme_pictures.py docs/images/contact.jpg all
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import vidstyle
from vidstyle.demo.scene import Scene
from vidstyle.styles import gallery

STYLES = ("starry-strokes", "stained-glass", "woodcut-waves", "watercolour", "risograph")
COLUMNS = 3
TILE = (640, 360)
SWATCH = 96
GAP = 6
TIME = 1.6
"""Seconds into the scene."""


def with_swatch(frame: Image.Image, style: str) -> Image.Image:
    """The frame with a corner of the style's picture, framed in white, at its lower left."""
    picture = Image.fromarray(gallery.load(style))
    side = min(picture.size)
    picture = picture.crop((0, 0, side, side)).resize((SWATCH, SWATCH), Image.Resampling.LANCZOS)
    frame = frame.copy()
    frame.paste((255, 255, 255), (GAP, TILE[1] - SWATCH - 3 * GAP, SWATCH + 3 * GAP, TILE[1] - GAP))
    frame.paste(picture, (2 * GAP, TILE[1] - SWATCH - 2 * GAP))
    return frame


def main(target: Path, styles: Sequence[str]) -> None:
    tiles = [Image.fromarray(Scene(*TILE).render(TIME))]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.png")
        tiles[0].save(source)
        for style in styles:
            result = Path(folder, f"{style}.png")
            vidstyle.stylize_image(source, result, style)
            with Image.open(result) as opened:
                tiles.append(with_swatch(opened.convert("RGB"), style))
    rows = -(-len(tiles) // COLUMNS)
    width, height = TILE[0] + GAP, TILE[1] + GAP
    sheet = Image.fromarray(np.full((rows * height - GAP, COLUMNS * width - GAP, 3), 255, np.uint8))
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (i % COLUMNS * width, i // COLUMNS * height))
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.resize((sheet.width * 3 // 4, sheet.height * 3 // 4), Image.Resampling.LANCZOS).save(target, quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]), gallery.names() if sys.argv[2:] == ["all"] else STYLES)
