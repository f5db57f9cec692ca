"""What the tests of films share: a copy of a film through segments and the muxer, and what a finished film holds."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.mux.mux import mux
from vidstyle.media.output.codecs import default_codec
from vidstyle.media.output.writer import EncodeSettings, VideoWriter


def encode(
    info: VideoInfo, folder: Path, borders: list[int | None], codec: str = "h264"
) -> tuple[list[Path], list[Fraction]]:
    """Segments between `borders` (ticks), and the times of all frames in seconds."""
    parts, times = [], []
    for n, (start, stop) in enumerate(pairwise(borders)):
        part = folder / f"part{n}"
        frames = list(read_frames(info, start=start, stop=stop))
        if not frames:
            continue
        with VideoWriter(
            part,
            width=info.width,
            height=info.height,
            time_base=info.time_base,
            settings=EncodeSettings(codec=codec),
            sample_aspect_ratio=info.sample_aspect_ratio,
            rate=info.average_rate,
        ) as writer:
            for frame in frames:
                writer.write(frame)
                times.append(frame.seconds)
        parts.append(part)
    return parts, times


def times_of(path: Path) -> list[Fraction]:
    return [f.seconds for f in read_frames(probe(path))]


def packets_of(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        streams = [s for s in container.streams if s.type == kind]
        if not streams:
            return []
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(streams) if p.size and p.pts is not None]


def thirds(info: VideoInfo) -> list[int | None]:
    pts = [f.pts for f in read_frames(info)]
    return [None, pts[len(pts) // 3], pts[2 * len(pts) // 3] - 1, None]


def copy(source: Path, output: Path, folder: Path) -> tuple[list[Fraction], list[str]]:
    info = probe(source)
    parts, times = encode(info, folder, thirds(info), default_codec(output))
    return times, mux(parts, info, output)


class Films:
    """The functions above as one fixture: test modules cannot import each other."""

    encode = staticmethod(encode)
    times = staticmethod(times_of)
    packets = staticmethod(packets_of)
    thirds = staticmethod(thirds)
    copy = staticmethod(copy)


@pytest.fixture(scope="session")
def films() -> type[Films]:
    """`films.copy(source, output, folder) -> (times, warnings)`, `films.times(path)`, `films.packets(path, kind)` ..."""
    return Films
