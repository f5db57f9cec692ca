"""`mask_video`: a film of masks beside a film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.imaging.frame import Frame
from vidstyle.media.cuts import CutDetector
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.output.clip import write_clip
from vidstyle.pipeline.masking.finders import Cover, Finder


@dataclass(frozen=True)
class Softening:
    """How a mask is finished."""

    radius: float = 3.0
    """Of the blur, in pixels; 0 is none."""
    steady: float = 0.5
    """In [0, 1): the share of the mask before, within a shot; 0 is none."""
    invert: bool = False
    """White is what was not found."""


def mask_video(source: Path, output: Path, finder: Finder, softening: Softening) -> int:
    """Write a mask film (.mp4) of the size, the length and, on average, the rate of a film. Returns how many frames it has.

    Raises:
        InputError: the film cannot be read, or the output not written.
        UsageError: an output that is no .mp4.
    """
    if output.suffix.lower() != ".mp4":
        raise UsageError(f"{output}: a mask is written as .mp4; name it so with -o.")
    info = probe(source)
    rate = info.average_rate or Fraction(25)
    count = 0

    def pictures() -> Iterator[NDArray[np.uint8]]:
        nonlocal count
        for frame, cover in _softened(read_frames(info), finder, softening):
            grey = _even(np.asarray(np.rint(cover * 255), np.uint8))
            first = (info.start_pts or 0) * info.time_base
            # As often as the film shows the frame, at a constant rate.
            last = round((frame.seconds + frame.duration * frame.time_base - first) * rate)
            while count < max(last, 1):
                count += 1
                yield np.repeat(grey[..., None], 3, 2)

    write_clip(output, pictures(), rate=rate, crf=12)
    return count


def _softened(frames: Iterable[Frame], finder: Finder, softening: Softening) -> Iterator[tuple[Frame, Cover]]:
    """Each frame and its mask, (H, W) float32 in [0, 1]."""
    cuts, before = CutDetector(), None
    for frame in frames:
        cut = cuts(frame.data)
        cover = finder(frame.data, cut)
        if softening.radius:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), softening.radius), np.float32)
        if before is not None and not cut and before.shape == cover.shape:
            cover = cover + np.float32(softening.steady) * (before - cover)
        before = cover
        yield frame, 1 - cover if softening.invert else cover


def _even(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With sides that are even, as H.264 has them: masks are stretched over the frame anyway."""
    height, width = grey.shape
    size = (width + width % 2, height + height % 2)
    return grey if size == (width, height) else np.asarray(cv2.resize(grey, size), np.uint8)
