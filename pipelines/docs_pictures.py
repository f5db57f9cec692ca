"""The pictures of README and docs: frames of the demo scene, and what the shipped model makes of them.

python pipelines/docs_pictures.py docs/images [results contact strength colours blend]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vidstyle
from vidstyle.demo.scene import Scene
from vidstyle.styles import gallery

COLUMNS = 3
TILE = (640, 360)
SWATCH = 96
GAP = 6
TIME = 1.6
"""Seconds into the scene."""


@dataclass(frozen=True)
class Tile:
    """The frame in a style; without a style the frame itself."""

    styles: Sequence[str] = ()
    options: dict[str, Any] = field(default_factory=dict)
    """Of `vidstyle.RunOptions`."""


SOURCE = Tile()
SHEETS = {
    "results": [
        SOURCE,
        *(Tile([s]) for s in ("starry-strokes", "stained-glass", "woodcut-waves", "watercolour", "risograph")),
    ],
    "contact": [SOURCE, *(Tile([style]) for style in gallery.names())],
    "strength": [Tile(["starry-strokes"], {"strength": strength}) for strength in (0.3, 0.6, 1.0)],
    "colours": [SOURCE, Tile(["starry-strokes"]), Tile(["starry-strokes"], {"preserve_color": True})],
    "blend": [Tile(["woodcut-waves"]), Tile(["woodcut-waves:1", "sunset-oil:1"]), Tile(["sunset-oil"])],
}


def painted(source: Path, tile: Tile, folder: Path) -> Image.Image:
    if not tile.styles:
        return Image.open(source).convert("RGB")
    result = folder / "result.png"
    options = vidstyle.RunOptions(overwrite=True, **tile.options)
    vidstyle.stylize_image(source, result, tile.styles, options=options)
    with Image.open(result) as opened:
        frame = opened.convert("RGB")
    return with_swatch(frame, tile.styles[0]) if len(tile.styles) == 1 else frame


def with_swatch(frame: Image.Image, style: str) -> Image.Image:
    """The frame with a corner of the style's picture, framed in white, at its lower left."""
    picture = Image.fromarray(gallery.load(style))
    side = min(picture.size)
    picture = picture.crop((0, 0, side, side)).resize((SWATCH, SWATCH), Image.Resampling.LANCZOS)
    frame = frame.copy()
    frame.paste((255, 255, 255), (GAP, TILE[1] - SWATCH - 3 * GAP, SWATCH + 3 * GAP, TILE[1] - GAP))
    frame.paste(picture, (2 * GAP, TILE[1] - SWATCH - 2 * GAP))
    return frame


def sheet(tiles: Sequence[Image.Image]) -> Image.Image:
    """Tiles in rows of three, on white."""
    rows = -(-len(tiles) // COLUMNS)
    width, height = TILE[0] + GAP, TILE[1] + GAP
    paper = Image.fromarray(np.full((rows * height - GAP, COLUMNS * width - GAP, 3), 255, np.uint8))
    for i, tile in enumerate(tiles):
        paper.paste(tile, (i % COLUMNS * width, i // COLUMNS * height))
    return paper.resize((paper.width * 3 // 4, paper.height * 3 // 4), Image.Resampling.LANCZOS)


def main(target: Path, names: Sequence[str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source.png"
        Image.fromarray(Scene(*TILE).render(TIME)).save(source)
        for wanted in names or SHEETS:
            tiles = [painted(source, tile, folder) for tile in SHEETS[wanted]]
            sheet(tiles).save(target / f"{wanted}.jpg", quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
