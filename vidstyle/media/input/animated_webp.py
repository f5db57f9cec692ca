"""Animated WebP, which FFmpeg does not decode: described and read as any other film, its pictures by Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.imaging.open_image import opened_image
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.video_info import ImageTimes, VideoInfo

CODEC = "animated webp"
_TICK = Fraction(1, 1000)
_SHORTEST, _INSTEAD = 11, 100
"""Milliseconds: what is shown for less than the first is shown for the second, as every browser does."""


def is_animated_webp(path: Path) -> bool:
    """Whether a file says in its first bytes that it is one."""
    try:
        with path.open("rb") as file:
            head = file.read(21)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and len(head) == 21 and bool(head[20] & 2)


def durations(path: Path) -> list[int]:
    """How long each picture is shown, milliseconds."""
    data, at, found = path.read_bytes(), 12, []
    while at + 24 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"ANMF":
            shown = int.from_bytes(data[at + 20 : at + 23], "little")
            found.append(shown if shown >= _SHORTEST else _INSTEAD)
        at += 8 + size + size % 2
    return found


def probe_animated_webp(path: Path) -> VideoInfo:
    """Describe one as a film. Raises InputError where its first picture cannot be read."""
    shown = durations(path)
    if not shown:
        raise InputError(f"{path}: is an animated WebP without a picture; copy or download it again.")
    with opened_image(path) as image:
        image.load()
        width, height, alpha = image.width, image.height, image.has_transparency_data
    clock = ImageTimes(_TICK, len(shown), sum(shown))
    return VideoInfo.of_images(path, container="webp", codec=CODEC, size=(width, height), alpha=alpha, clock=clock)


def read_animated_webp(info: VideoInfo, report: ReadReport) -> Iterator[tuple[int, int, av.VideoFrame]]:
    """(pts, duration, frame) of each picture, from the first on: each may be drawn over the one before."""
    at, mode = 0, "RGBA" if info.has_alpha else "RGB"
    with opened_image(info.path) as image:
        for number, shown in enumerate(durations(info.path)):
            try:
                image.seek(number)
                pixels = np.asarray(image.convert(mode), np.uint8)
            except (OSError, EOFError, ValueError):
                report.decode_errors += 1
                report.ended_early = True
                return
            yield at, shown, av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), info.pix_fmt)
            at += shown
