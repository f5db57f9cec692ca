"""The photos that styles are fitted on: scikit-image's CC0 and public-domain pictures, and renders of the demo scene.

    python pipelines/fitting_photos.py SKIMAGE_DATA    # the folder skimage/data of scikit-image's wheel

Writes vidstyle/styles/fit/photos/*.webp; where each is from stands in CREDITS.md there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vidstyle.demo.scene import Scene

OUT = Path(__file__).resolve().parents[1] / "vidstyle" / "styles" / "fit" / "photos"
SIDE, QUALITY = 400, 78
PHOTOS = ("astronaut", "camera", "chelsea", "coffee", "rocket")
"""None that is texture all over (bricks, grass, gravel, stars): painted, these have up to twice the energy of relu3_1 that
frames of films have, and a style fitted on them is dark and flat on a film."""
RENDERS = ((848, 480, 0.0), (848, 480, 1.4), (848, 480, 2.8), (1920, 1080, 0.7), (1920, 1080, 3.5))
"""Width, height and second. The large ones are cut into pieces of what is then close by."""


def main(folder: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name in PHOTOS:
        file = next(p for p in folder.iterdir() if p.stem == name and p.suffix in (".png", ".jpg"))
        write(name, np.array(Image.open(file).convert("RGB")))
    for number, (width, height, second) in enumerate(RENDERS):
        frame = Scene(width, height).render(second)
        if height == 480:
            write(f"scene-{number}", frame)
        else:
            for part, left in enumerate((200, 1000)):
                write(f"scene-{number}-{part}", frame[500:980, left : left + 640])


def write(name: str, picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    if min(height, width) > SIDE:
        scale = SIDE / min(height, width)
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    Image.fromarray(picture).save(OUT / f"{name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
