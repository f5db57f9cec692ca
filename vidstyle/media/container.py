"""Opening a media file for reading: local files only, and failures told in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.stream
from av.codec.hwaccel import HWAccel

from vidstyle.core.errors import InputError
from vidstyle.core.files import check_readable
from vidstyle.media.timestamps import UNCHANGED, Timeline, rescale

# A playlist inside a file must not make us fetch from the network.
_OPTIONS = {"protocol_whitelist": "file,crypto,data"}


# How much of a file is read in search of a track that begins late, in bytes and microseconds.
_PATIENCE = {"probesize": str(1 << 30), "analyzeduration": str(600 * 1_000_000)}


@contextmanager
def open_source(
    path: Path, hardware: HWAccel | None = None, *, whole: bool = False
) -> Iterator[av.container.InputContainer]:
    """Open `path` for demuxing, its video to be decoded by `hardware` where that is given.

    With `whole`, sound whose kind the beginning does not show (a track that begins minutes later) is looked for further on.

    Raises InputError when the file is missing, empty, no media file or damaged beyond opening.
    """
    check_readable(path)
    # An absolute path is never taken for a protocol ("a:b.mp4") nor for an option ("-x.mp4").
    container = _open(path, hardware, _OPTIONS)
    if whole and any(s.codec_context is None or not s.rate for s in container.streams.audio):
        container.close()
        container = _open(path, hardware, _OPTIONS | _PATIENCE)
    with container:
        yield container


def _open(path: Path, hardware: HWAccel | None, options: dict[str, str]) -> av.container.InputContainer:
    try:
        return av.open(
            str(path.absolute()), metadata_errors="replace", container_options=dict(options), hwaccel=hardware
        )
    except (av.error.FFmpegError, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path}: {_cause(error)}.") from error


def packets(
    container: av.container.InputContainer,
    streams: av.stream.Stream | Sequence[av.stream.Stream],
    timeline: Timeline = UNCHANGED,
) -> Iterator[av.Packet[Any]]:
    """Packets of the given streams that hold data, in the order of the file, with their times in `timeline`.

    Raises FFmpegError where reading fails."""
    demuxed: Iterator[av.Packet[Any]] = container.demux(streams)
    position: int | None = None
    while True:
        try:
            packet = next(demuxed)
        except (StopIteration, IndexError):
            # PyAV stumbles at the end over streams that appeared only in the middle of a file (IndexError).
            return
        if not packet.size:
            continue
        position = position if packet.pos is None else packet.pos
        if timeline.strays and (packet.stream_index, position) in timeline.strays:
            packet.pts = packet.dts = None
        shift = timeline.shift(position)
        if shift:
            ticks = rescale(1, shift, packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        yield packet


def _cause(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return "cannot be read (permission denied); change its permissions"
    return "is not a video that can be opened (another kind of file, or damaged); check it in a player"
