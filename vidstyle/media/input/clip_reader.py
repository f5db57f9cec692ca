"""Frames of a clip by their number: decord where it is installed and knows the clip, our own reader for all others.

For training only: a film is read by `reader`, which keeps times and repairs damage. Here a frame that cannot be read is an
error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.input.video_info import VideoInfo


class Clip(Protocol):
    """A clip whose frames are numbered from 0."""

    count: int
    """Frames; an estimate where only decoding all of it would tell."""

    def frames(self, numbers: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """The frames with these numbers, (H, W, 3) uint8 RGB each, turned as the clip says.

        Args:
            numbers: ascending; those past the clip's end are left out.

        Raises:
            InputError: the clip cannot be decoded.
        """
        ...


def open_clip(path: Path) -> Clip:
    """A clip for random access. Raises InputError where `path` holds no video that can be decoded."""
    info = probe(path)
    # decord knows neither HDR nor interlaced pictures nor, reliably, mirrored ones.
    plain = not (info.colour.hdr or info.colour.wide or info.interlaced or info.mirrored or info.has_alpha)
    if plain and find_spec("decord"):
        # Its FFmpeg is an old one: there are containers and codecs that it does not have.
        with suppress(InputError):
            return DecordClip(path)
    return PlayedClip(info)


class PlayedClip:
    """Decodes from the beginning up to the last frame asked for: slow for long clips, right for all."""

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        estimate = round(info.duration * info.average_rate) if info.duration and info.average_rate else 0
        self.count = info.frames or max(1, estimate)

    def frames(self, numbers: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        wanted, last = set(numbers), max(numbers, default=-1)
        for n, frame in enumerate(read_frames(self._info, threads=1)):
            if n > last:
                return
            if n in wanted:
                yield frame.data


class DecordClip:
    """Seeks to the keyframe before a frame."""

    def __init__(self, path: Path) -> None:
        import decord  # type: ignore[import-untyped]

        decord.logging.set_level(decord.logging.FATAL)
        self._path = path
        with _decord_errors(path):
            self._reader: Any = decord.VideoReader(str(path.absolute()), num_threads=1)
        self.count = len(self._reader)

    def frames(self, numbers: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        for n in numbers:
            if n >= self.count:
                return
            with _decord_errors(self._path):
                frame = np.asarray(self._reader[n].asnumpy(), np.uint8)
            yield frame


@contextmanager
def _decord_errors(path: Path) -> Iterator[None]:
    """Turns decord's errors, which share no class, into InputError."""
    import decord

    try:
        yield
    except (decord.DECORDError, RuntimeError, IndexError) as error:
        raise InputError(f"{path}: cannot be read by decord; the clip is damaged or of an unknown kind.") from error
