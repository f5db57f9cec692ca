"""The pictures of docs/options.md: one frame of the demo scene before and after each option.

python pipelines/option_pictures.py docs/images [strength colour regions keyframes]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import vidstyle
from vidstyle.demo.scene import Scene
from vidstyle.media.output.clip import write_clip

SIZE = (640, 360)
TILE = (300, 169)
GAP = 4
TIME = 1.6
"""Seconds into the scene."""
ART, OTHER = "starry-strokes", "mosaic"
MOST = 60_000
"""Bytes of a picture."""
Picture = NDArray[np.uint8]


def frame(time: float = TIME) -> Picture:
    return np.asarray(Scene(*SIZE).render(time), np.uint8)


def image(folder: Path, **options: Any) -> Picture:
    source, out = folder / "in.png", folder / "out.png"
    Image.fromarray(frame()).save(source)
    vidstyle.stylize_image(source, out, ART, options=_options(**options))
    return np.array(Image.open(out).convert("RGB"))


def film(folder: Path, times: Sequence[float], style: Sequence[str] = (ART,), **options: Any) -> list[Picture]:
    """Frames of the scene at these times as a film of a frame a second, painted."""
    source = folder / "in.mp4"
    write_clip(source, [frame(time) for time in times], rate=Fraction(1), crf=4)
    vidstyle.stylize_video(source, folder / "out%03d.png", style, options=_options(**options))
    return [np.array(Image.open(folder / f"out{i + 1:03d}.png").convert("RGB")) for i in range(len(times))]


def _options(**options: Any) -> vidstyle.RunOptions:
    return vidstyle.RunOptions(overwrite=True, engine="torch", device="cpu", precision="fp32", fit=0, **options)


def strength(folder: Path) -> list[tuple[str, Picture]]:
    return [("the frame", frame()), *((f"--strength {a}", image(folder, strength=a)) for a in (0.5, 1.0, 1.5, 2.0))]


def colour(folder: Path) -> list[tuple[str, Picture]]:
    kept = [(f"--preserve-color {way}", image(folder, preserve_color=way)) for way in ("luma", "local", "match")]
    return [("the frame", frame()), ("--style", image(folder)), *kept]


def regions(folder: Path) -> list[tuple[str, Picture]]:
    width, height = SIZE
    row = np.clip((np.arange(height) - height * 0.45) / (height * 0.15), 0, 1)[:, None]
    sky, keep = folder / "sky.png", folder / "keep.png"
    Image.fromarray(np.repeat((255 * (1 - row)).astype(np.uint8), width, 1)).save(sky)
    y, x = np.mgrid[:height, :width]
    disc = np.clip(3 - 3 * np.hypot(x - width / 2, y - height * 0.62) / (height / 4), 0, 1)
    Image.fromarray((255 * disc).astype(np.uint8)).save(keep)
    parted = film(folder, [TIME], regions=((sky, OTHER),))[0]
    kept = film(folder, [TIME], regions=((sky, OTHER),), keep=(keep,))[0]
    return [
        ("the frame", frame()),
        ("--style", film(folder, [TIME])[0]),
        ("--mask sky.png=mosaic", parted),
        ("and --keep", kept),
    ]


def keyframes(folder: Path) -> list[tuple[str, Picture]]:
    keys = folder / "keys.csv"
    keys.write_text(f"time,{ART},{OTHER},strength,easing\n0,1,0,1,smooth\n2,0,1,1,linear\n4,0,1,0,linear\n")
    painted = film(folder, [TIME] * 5, (), keyframes=keys)
    return [(f"{i} s", picture) for i, picture in enumerate(painted)]


PICTURES: dict[str, Callable[[Path], list[tuple[str, Picture]]]] = {
    "strength": strength,
    "colour": colour,
    "regions": regions,
    "keyframes": keyframes,
}


def sheet(tiles: Sequence[tuple[str, Picture]]) -> Image.Image:
    """Tiles in a row of at most three, each with its name."""
    columns = min(3, len(tiles)) if len(tiles) != 4 else 2
    rows = -(-len(tiles) // columns)
    paper = Image.new("RGB", (columns * (TILE[0] + GAP) - GAP, rows * (TILE[1] + GAP) - GAP), "white")
    for i, (name, picture) in enumerate(tiles):
        tile = Image.fromarray(picture).resize(TILE, Image.Resampling.LANCZOS)
        pen = ImageDraw.Draw(tile)
        pen.rectangle((0, 0, 8 + pen.textlength(name), 14), fill="black")
        pen.text((4, 1), name, fill="white")
        paper.paste(tile, (i % columns * (TILE[0] + GAP), i // columns * (TILE[1] + GAP)))
    return paper


def main(target: Path, names: Sequence[str]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in names or PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            done = sheet(PICTURES[name](Path(folder)))
        path = target / f"option-{name}.jpg"
        for quality in range(88, 30, -6):
            done.save(path, quality=quality, optimize=True)
            if path.stat().st_size < MOST:
                break


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
