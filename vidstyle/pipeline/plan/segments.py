"""Segments: fixed stretches of source time, the units that a journal remembers and that `--resume` fills in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from vidstyle.imaging.frame import FrameChunk

Range = tuple[int, int | None]
"""Segments [first, last); None: to the film's end."""

PIECES = 4
"""For each worker: more would start decoding in the middle more often, fewer leave the last worker alone for longer."""


@dataclass(frozen=True)
class SegmentPlan:
    """Segment k holds the frames whose pts is in [border(k), border(k + 1)). Borders depend on nothing but these three
    numbers, so that every machine and every resumed run sees the same ones."""

    origin: int
    """First pts of the film (or of the part that was asked for), in ticks."""
    seconds: Fraction
    """Length of a segment in source time."""
    time_base: Fraction
    """Seconds a tick."""

    def border(self, segment: int) -> int:
        """First tick of a segment."""
        return self.origin + math.ceil(segment * self.seconds / self.time_base)

    def index(self, pts: int) -> int:
        """The segment that a frame belongs to; what lies before the origin belongs to the first."""
        return max(0, math.floor((pts - self.origin) * self.time_base / self.seconds))


def missing_ranges(covered: Iterable[tuple[int, int]], total: int | None) -> list[Range]:
    """Ranges [first, last) of segments that none of the ranges `covered` holds; the last one is open (None) while `total` is
    unknown."""
    gaps: list[Range] = []
    next_ = 0
    for first, last in sorted(covered):
        if first > next_ and (total is None or next_ < total):
            gaps.append((next_, first if total is None else min(first, total)))
        next_ = max(next_, last)
    if total is None:
        return [*gaps, (next_, None)]
    return [*gaps, (next_, total)] if next_ < total else gaps


def shared_out(ranges: Iterable[Range], workers: int, expected: int | None) -> list[Range]:
    """The same ranges in shorter pieces, a few for each worker: whoever is done first takes another.

    Args:
        expected: segments that the film seems to have. Only how evenly work is shared depends on it: the last piece is open, as
            the last range was. None leaves an open range whole.
    """
    ends = [(first, last, max(first + 1, last or expected or 0)) for first, last in ranges]
    size = max(1, math.ceil(sum(end - first for first, _, end in ends) / (workers * PIECES)))
    pieces: list[Range] = []
    for first, last, end in ends:
        borders = [*range(first, end, size), end]
        pieces += pairwise(borders[:-1])
        pieces.append((borders[-2], last))
    return pieces


def regroup(chunks: Iterable[FrameChunk], plan: SegmentPlan, size: int) -> Iterator[tuple[int, FrameChunk]]:
    """Chunks of any length to (segment, chunk of `size` frames), shorter only at a segment's end.

    What frames share a chunk then depends on the plan alone, not on where reading began, so a resumed run makes the same
    calls of the model as an uninterrupted one.
    """
    segment = -1
    held: list[FrameChunk] = []
    count = 0
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            owner = plan.index(int(chunk.pts[at]))
            if held and owner != segment:
                yield segment, join(held)
                held, count = [], 0
            segment = owner
            border = int(np.searchsorted(chunk.pts, plan.border(owner + 1)))
            stop = min(border, at + size - count)
            held.append(part(chunk, at, stop))
            count += stop - at
            at = stop
            if count == size:
                yield segment, join(held)
                held, count = [], 0
    if held:
        yield segment, join(held)


def part(chunk: FrameChunk, start: int, stop: int) -> FrameChunk:
    """Frames [start, stop) of a chunk; the chunk itself where that is all of it."""
    if start == 0 and stop == len(chunk):
        return chunk
    alpha = None if chunk.alpha is None else chunk.alpha[start:stop]
    return FrameChunk(
        chunk.data[start:stop], chunk.pts[start:stop], chunk.durations[start:stop], chunk.time_base, alpha
    )


def join(chunks: list[FrameChunk]) -> FrameChunk:
    """One chunk of several that follow each other."""
    if len(chunks) == 1:
        return chunks[0]
    planes: list[Any] = [c.alpha for c in chunks if c.alpha is not None]
    return FrameChunk(
        np.concatenate([c.data for c in chunks]),
        np.concatenate([c.pts for c in chunks]),
        np.concatenate([c.durations for c in chunks]),
        chunks[0].time_base,
        np.concatenate(planes) if planes else None,
    )
