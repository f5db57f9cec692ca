"""Short recordings of picture and sound whose lengths differ, as transport or program streams and others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def record(
    path: Path, *, frames: int = 25, sound: float = 1.0, size: tuple[int, int] = (64, 48), rate: int = 25, late: int = 0
) -> Path:
    """A recording in the container that `path` names: `frames` grey pictures and `sound` seconds of MP2 (0: none), both
    beginning at `late` seconds."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg2video" if path.suffix == ".mpg" else "libx264", rate=rate)
        assert isinstance(video, av.VideoStream)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("mp2", rate=48000, layout="mono") if sound else None
        assert audio is None or isinstance(audio, av.AudioStream)
        units = []
        for i in range(frames):
            picture = np.full((size[1], size[0], 3), 40 + 5 * i % 200, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i + late * rate, Fraction(1, rate)
            units += video.encode(frame)
        units += video.encode(None)
        if audio is not None:
            for i in range(round(sound * 48000 / 1152)):
                piece = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format="s16", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = 48000, 1152 * i + 48000 * late, Fraction(1, 48000)
                units += audio.encode(piece)
            units += audio.encode(None)
        units.sort(key=lambda p: float((p.dts or 0) * p.time_base))
        for unit in units:
            container.mux(unit)
    return path
