"""Colour differences, and films whose colours are known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.colour import ColourTags, from_rgb

Floats = NDArray[np.float64]

MATRICES = {"bt601": 6, "bt709": 1, "bt2020": 9, "smpte240m": 7, "fcc": 4}
"""Code points of H.273."""


def ciede2000(a: Floats, b: Floats) -> Floats:
    """Colour difference of CIELAB colours (..., 3): Sharma, Wu and Dalal 2005, equations 2 to 22."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(x, -1, 0) for x in (a, b))
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    mean_l, c = (l1 + l2) / 2, (c1 + c2) / 2
    h = np.where(grey, h1 + h2, (h1 + turn / 2) % 360)
    t = (
        1
        - 0.17 * np.cos(np.radians(h - 30))
        + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6))
        - 0.20 * np.cos(np.radians(4 * h - 63))
    )
    sl = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    rotation = -np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2)))) * 2 * np.sqrt(c**7 / (c**7 + 25.0**7))
    x, y, z = dl / sl, dc / sc, dh / sh
    return np.asarray(np.sqrt(x**2 + y**2 + z**2 + rotation * y * z))


def scene() -> NDArray[np.uint8]:
    """(96, 128, 3): smooth colours of all hues; steep ones would only show that 4:2:0 has a quarter of the chroma."""
    noise = np.random.default_rng(4).random((4, 5, 3), np.float32) * 140 + 60
    return np.asarray(np.clip(cv2.resize(noise, (128, 96), interpolation=cv2.INTER_CUBIC), 16, 240), np.uint8)


def film(path: Path, picture: NDArray[np.uint8], matrix: str, range_: str, pix_fmt: str) -> Path:
    """Four frames, nearly lossless, tagged as they are made."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "1"})
        video.height, video.width = picture.shape[:2]
        video.pix_fmt = pix_fmt
        context = video.codec_context
        context.colorspace, context.color_range = MATRICES[matrix], 2 if range_ == "full" else 1
        context.color_primaries = context.color_trc = 1
        for i in range(4):
            source = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = from_rgb(source, pix_fmt, ColourTags(matrix=matrix, range=range_))
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def lab(rgb: NDArray[np.uint8]) -> Floats:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float64)
