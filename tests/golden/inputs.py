"""The small films and pictures that the golden commands work on: made on the spot, always the same on one kind of machine."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.golden.commands import TINY

Pixels = NDArray[np.uint8]


def make(folder: Path) -> None:
    """Write all inputs into `folder`, the very small network too."""
    shutil.copy(Path(__file__).with_name(TINY), folder / TINY)
    film(folder / "film.mp4", sound=True)
    film(folder / "uneven.mkv", codec="ffv1", pix_fmt="yuv420p", times=[0, 40, 80, 125, 210, 250, 333, 410])
    film(folder / "other.mkv", codec="ffv1", pix_fmt="yuv420p", shift=1, sound=True)
    film(folder / "ten.mkv", codec="ffv1", pix_fmt="yuv420p10le", count=6)
    film(folder / "odd.mkv", codec="ffv1", pix_fmt="bgr0", size=(71, 53), count=5)
    (folder / "numbered").mkdir()
    for i in range(4):
        Image.fromarray(scene(i, 64, 48)).save(folder / "numbered" / f"{i + 1:04}.png")
    Image.fromarray(scene(3, 90, 70)).save(folder / "photo.png")
    Image.fromarray(scene(7, 75, 60)).save(folder / "second.png")
    Image.fromarray(np.dstack([scene(5, 64, 48), ramp(64, 48)])).save(folder / "cutout.png")
    Image.fromarray(painting(1, 128, 96)).save(folder / "art.png")
    Image.fromarray(painting(2, 100, 140)).save(folder / "art2.png")
    Image.fromarray(ramp(96, 64)).save(folder / "mask.png")
    (folder / "pictures").mkdir()
    (folder / "keys.csv").write_text("time,strength,art.png,art2.png\n0,1,1,0\n0.2,0.5,1,3\n0.4,1,0,1\n")


def scene(index: int, width: int, height: int) -> Pixels:
    """Frame `index` of the film: a texture that pans by whole pixels, and a square that stands before it.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    coarse = np.random.default_rng(5).integers(0, 256, (height // 6 + 2, width // 6 + 2, 3), dtype=np.uint8)
    frame = np.roll(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), (index, 2 * index), (0, 1))
    side = min(width, height) // 3
    top, left = height // 4, (width // 5 + index) % (width - side)
    frame[top : top + side, left : left + side] = (215, 190, 70)
    return np.ascontiguousarray(frame, np.uint8)


def painting(seed: int, width: int, height: int) -> Pixels:
    """Rectangles and strokes of few colours: (height, width, 3) uint8 RGB."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (5, 3))
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = palette[0]
    for i in range(60):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = (int(n) for n in rng.integers(4, 40, 2))
        picture[y : y + h, x : x + w] = palette[i % 5]
        picture[y : y + 2, x : x + w] = 15
    return picture


def ramp(width: int, height: int) -> Pixels:
    """From black at the left to white at the right: (height, width) uint8."""
    return np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))


def film(
    path: Path,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    size: tuple[int, int] = (96, 64),
    count: int = 10,
    times: Sequence[int] | None = None,
    shift: int = 0,
    sound: bool = False,
) -> None:
    """Write a film of `scene`, 25 frames per second or at `times` (ms), every frame the one `shift` frames later."""
    with av.open(str(path), "w") as container:
        video = cast(Any, container.add_stream(codec, rate=25))
        video.width, video.height = size
        video.pix_fmt, video.codec_context.thread_count = pix_fmt, 1
        video.codec_context.time_base = Fraction(1, 25) if times is None else Fraction(1, 1000)
        audio = (
            cast(Any, container.add_stream("pcm_s16le" if path.suffix == ".mkv" else "aac", rate=16000))
            if sound
            else None
        )
        if audio is not None:
            audio.layout = "mono"
        for i, time in enumerate(range(count) if times is None else times):
            frame = av.VideoFrame.from_ndarray(scene(i + shift, *size), format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = time, video.codec_context.time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            _tone(container, audio, count / 25)


def _tone(container: Any, audio: Any, seconds: float) -> None:
    """A 440 Hz tone, in pieces of 1024 samples."""
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * 16000)) / 16000)).astype(np.int16)
    resampler = av.AudioResampler(format=audio.codec_context.format, layout="mono", rate=16000)
    for start in range(0, len(wave), 1024):
        piece = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = 16000, start, Fraction(1, 16000)
        for part in resampler.resample(piece):
            container.mux(audio.encode(part))
    container.mux(audio.encode(None))
