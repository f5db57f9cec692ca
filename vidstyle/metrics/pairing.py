"""Two films read side by side: each frame of the film with the source frame shown at that time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from vidstyle.media.input.reader import read_frames
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.metrics.geometry import Geometry

_USUAL_RATE = 25


@dataclass(frozen=True)
class MatchedFrames:
    """A frame of the film and the frame of the source that it was made from."""

    seconds: float
    """Time since the first frame of the two that was read."""
    source: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB, at the common geometry."""
    styled: NDArray[np.uint8]
    """(H, W, 3) uint8 RGB."""


@dataclass
class Counts:
    """What was read; complete when the reading has ended."""

    source: int = 0
    styled: int = 0
    matched: int = 0


@dataclass(frozen=True)
class Timed:
    seconds: float
    frame: NDArray[np.uint8]


def timed_frames(info: VideoInfo, skip: float = 0) -> Iterator[Timed]:
    """Frames of a film, (H, W, 3) uint8, from `skip` seconds after its start, with seconds since the first one given."""
    first: int | None = None
    start = (info.start_pts or 0) + math.ceil(round(skip / info.time_base, 6)) if skip else None
    for frame in read_frames(info, start=start):
        first = frame.pts if first is None else first
        yield Timed(float((frame.pts - first) * frame.time_base), frame.data)


def tolerance(source: VideoInfo, styled: VideoInfo) -> float:
    """Seconds that two frames may lie apart and still be one: half a frame of the faster film, for containers with
    coarse clocks (gif 10 ms)."""
    return 0.5 / max(float(i.average_rate or _USUAL_RATE) for i in (source, styled)) + 1e-9


def match(
    source: Iterator[Timed], styled: Iterator[Timed], slack: float, counts: Counts
) -> Iterator[tuple[Timed, Timed]]:
    """Pairs of frames nearest in time and not more than `slack` seconds apart; each frame is used at most once.

    One frame of either film is held at a time beside the pair: memory does not grow with length.
    """
    sources, styled_frames = _counted(source, counts, "source"), _counted(styled, counts, "styled")
    now, after = next(sources, None), next(sources, None)
    for shown in styled_frames:
        while (
            now is not None
            and after is not None
            and abs(after.seconds - shown.seconds) < abs(now.seconds - shown.seconds)
        ):
            now, after = after, next(sources, None)
        if now is not None and abs(now.seconds - shown.seconds) <= slack:
            counts.matched += 1
            yield now, shown
            now, after = after, next(sources, None)
    for _ in sources:
        pass


def zipped(source: Iterator[Timed], styled: Iterator[Timed], counts: Counts) -> Iterator[tuple[Timed, Timed]]:
    """First with first, second with second; both are read to their ends, so that the counts are complete."""
    for a, b in zip_longest(_counted(source, counts, "source"), _counted(styled, counts, "styled")):
        if a is not None and b is not None:
            counts.matched += 1
            yield a, b


def _counted(frames: Iterator[Timed], counts: Counts, name: str) -> Iterator[Timed]:
    """The same frames, each added to `counts.<name>` as it passes."""
    for frame in frames:
        setattr(counts, name, getattr(counts, name) + 1)
        yield frame


def side_by_side(
    source: VideoInfo,
    styled: VideoInfo,
    geometry: Geometry,
    counts: Counts,
    *,
    by_order: bool = False,
    skip: float = 0,
) -> Iterator[MatchedFrames]:
    """Pairs in order of time, streamed.

    Args:
        source: what the film was made from.
        styled: the styled film.
        geometry: of `common_geometry`.
        counts: filled while reading; complete at the end.
        by_order: first frame with first, second with second, whatever their times: for tools that lose the timing.
        skip: seconds of the source before the film begins, for a film of an excerpt.
    """
    left, right = timed_frames(source, skip), timed_frames(styled)
    pairs = zipped(left, right, counts) if by_order else match(left, right, tolerance(source, styled), counts)
    for original, shown in pairs:
        yield MatchedFrames(original.seconds, geometry.source(original.frame), geometry.styled(shown.frame))
