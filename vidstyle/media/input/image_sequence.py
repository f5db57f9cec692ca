"""A film that lies as pictures, one a frame: described and read as any other film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av

from vidstyle.core.errors import InputError
from vidstyle.imaging.image_io import has_transparency, read_image
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.video_info import ImageTimes, VideoInfo
from vidstyle.media.paths import NumberedName

_USUAL_RATE = Fraction(25)
"""Frames per second where none are given."""


def probe_image_sequence(path: Path, files: Sequence[Path], *, rate: Fraction | None = None) -> VideoInfo:
    """Describe pictures as a film; the first one gives size and whether there is transparency.

    Args:
        path: the numbered name or the folder that they were given as.
        files: in order, at least one.
        rate: frames per second.

    Raises InputError where the first one cannot be read.
    """
    height, width = read_image(files[0]).shape[:2]
    alpha = has_transparency(files[0])
    rate = rate or _USUAL_RATE
    warnings = []
    numbered = NumberedName.parse(path)
    if numbered is not None and not path.is_dir():
        numbers = [n for n, _ in numbered.existing()]
        missing = numbers[-1] - numbers[0] + 1 - len(numbers)
        if missing:
            warnings.append(f"{path}: {missing} numbers between {numbers[0]} and {numbers[-1]} are missing; left out.")
    return VideoInfo.of_images(
        path,
        container="image2",
        codec=files[0].suffix.lower().lstrip("."),
        size=(width, height),
        alpha=alpha,
        clock=ImageTimes(1 / rate, len(files), len(files)),
        pictures=tuple(files),
        warnings=tuple(warnings),
    )


def read_image_sequence(
    info: VideoInfo, start: int | None, report: ReadReport
) -> Iterator[tuple[int, int, av.VideoFrame]]:
    """(number, 1, frame) of each picture from number `start` on; one that cannot be read is the one before it.

    Raises InputError for a picture that is not there any more.
    """
    last: av.VideoFrame | None = None
    for number in range(max(0, start or 0), len(info.pictures)):
        frame = _read(info, number)
        if frame is None:
            report.decode_errors += 1
            report.warn(
                f"{info.pictures[number]}: is not a picture that can be read; the one before it is shown instead."
            )
            # A part of the film that begins with damage looks back, as far as it must, for what stands in.
            earlier = (_read(info, n) for n in range(number - 1, -1, -1))
            frame = last or next((f for f in earlier if f is not None), None)
            if frame is None:
                continue
            report.concealed += 1
        yield number, 1, frame
        last = frame


def _read(info: VideoInfo, number: int) -> av.VideoFrame | None:
    """A picture as a frame; None where it is damaged."""
    path = info.pictures[number]
    try:
        image = read_image(path, alpha=info.has_alpha)
    except InputError:
        if not path.exists():
            raise
        return None
    return av.VideoFrame.from_ndarray(image, "rgba" if info.has_alpha else "rgb24")
