"""The picture of docs/sizes.md: a part of one frame of the demo scene, painted at several sizes and carried to full size.

python pipelines/size_pictures.py docs/images [HEIGHT]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import vidstyle
from vidstyle.demo.scene import Scene
from vidstyle.imaging.sizes import PaintSize

STYLE = "starry-strokes"
TIME = 1.6
"""Seconds into the scene."""
TILE = (480, 300)
"""Pixels of the part, shown one by one, from the middle of the frame."""
ROWS: tuple[tuple[tuple[PaintSize, float] | None, ...], ...] = (
    (None, ("source", 1.0), (480, 1.0)),
    ((320, 1.0), (320, 0.0), (320, 0.5)),
)
"""Painting size and detail of each tile; None is the frame itself."""


def tile(frame: Path, wish: tuple[PaintSize, float] | None, folder: Path) -> Image.Image:
    """The crop of the frame, or of what is made of it, with its name."""
    shown, name = frame, "the frame"
    if wish is not None:
        shown, name = folder / "painted.png", f"{wish[0]}, detail {wish[1]:g}" if wish[0] != "source" else "source"
        options = vidstyle.RunOptions(overwrite=True, paint_size=wish[0], detail=wish[1], engine="torch", fit=0)
        vidstyle.stylize_image(frame, shown, STYLE, options=options)
    with Image.open(shown) as opened:
        left, top = ((side - shown_side) // 2 for side, shown_side in zip(opened.size, TILE, strict=True))
        part = opened.convert("RGB").crop((left, top, left + TILE[0], top + TILE[1]))
    draw = ImageDraw.Draw(part)
    draw.rectangle((0, 0, 16 + draw.textlength(name, font_size=24), 36), fill="black")
    draw.text((8, 4), name, fill="white", font_size=24)
    return part


def main() -> None:
    target = Path(sys.argv[1]) / "sizes.jpg"
    height = int(sys.argv[2]) if len(sys.argv) > 2 else 720
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        frame = folder / "frame.png"
        Image.fromarray(Scene(height * 16 // 9, height).render(TIME)).save(frame)
        rows = [np.hstack([np.asarray(tile(frame, wish, folder)) for wish in row]) for row in ROWS]
    Image.fromarray(np.vstack(rows)).save(target, quality=82)
    print(target, target.stat().st_size)


if __name__ == "__main__":
    main()
