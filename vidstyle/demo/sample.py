"""The demo scene and its melody as a file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from vidstyle.demo.melody import RATE as SOUND_RATE
from vidstyle.demo.melody import melody
from vidstyle.demo.scene import RATE, SECONDS, SIZE, Scene
from vidstyle.media.output.clip import write_clip


def write_sample(path: Path, *, seconds: float = SECONDS, size: tuple[int, int] = SIZE) -> int:
    """Render the scene into an mp4 (H.264, AAC stereo); returns the number of frames.

    Args:
        path: ends in .mp4; replaced if it exists.
        seconds: length, 25 frames each.
        size: width and height in pixels, even, at most 16:9.

    Raises:
        InputError: the place cannot be written.
    """
    scene = Scene(*size)
    count = round(seconds * RATE)
    frames = (scene.render(n / RATE) for n in range(count))
    write_clip(path, frames, rate=Fraction(RATE), sound=melody(seconds), sound_rate=SOUND_RATE)
    return count
