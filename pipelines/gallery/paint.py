"""Paints the gallery of built-in styles: python pipelines/gallery/paint.py [NAME ...] [-o DIR]

Without names all are painted; without -o they go where the package ships them. A picture is a module beside this one, named
like the style, with `picture(rng) -> (S, S, 3) float RGB`. The same picture comes out each time, up to the libraries' rounding.
"""

from __future__ import annotations

import argparse
import io
import zlib
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
from fields import to_bytes
from numpy.typing import NDArray
from PIL import Image

SIDE = 512
BUDGET = 83_000
"""Bytes a picture may take: twelve stay below a megabyte."""
HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parents[1] / "vidstyle" / "styles" / "pictures"
TOOLS = {"paint", "fields", "strokes", "scenery", "pieces"}
"""Modules of this folder that are not styles."""


def names() -> list[str]:
    return sorted(p.stem.replace("_", "-") for p in HERE.glob("*.py") if p.stem not in TOOLS)


def painted(name: str) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 3) uint8. The seed follows from the name, so that adding a style changes no other."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return to_bytes(import_module(name.replace("-", "_")).picture(rng), SIDE)


def encoded(image: NDArray[np.uint8]) -> bytes:
    """WebP of the best quality (at most 90) that fits the budget."""
    data = b""
    for quality in range(90, 50, -2):
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "WEBP", quality=quality, method=6)
        data = stream.getvalue()
        if len(data) <= BUDGET:
            break
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names())}")
    parser.add_argument("-o", "--out", type=Path, default=SHIPPED, help="folder for the WebP files")
    args = parser.parse_args()
    unknown = set(args.names) - set(names())
    if unknown:
        parser.error(f"no such style: {', '.join(sorted(unknown))}")
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.names or names():
        data = encoded(painted(name))
        (args.out / f"{name}.webp").write_bytes(data)
        print(f"{name}: {len(data) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
