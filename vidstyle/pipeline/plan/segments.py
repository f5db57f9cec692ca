"""Segments: fixed stretches of source time, the units that a journal remembers and that `--resume` fills in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from vidstyle.imaging.frame import Frame, FrameBatch

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
    """Seconds per tick."""

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


def batches(frames: Iterable[Frame], size: int) -> Iterator[FrameBatch]:
    """Frames in batches of `size`, fewer only at a segment's end.

    What frames share a call of the model then depends on the plan alone, not on where reading began, so a resumed run makes the
    same calls as an uninterrupted one.
    """
    held: list[Frame] = []

    def taken() -> FrameBatch:
        batch = FrameBatch.of(held)
        held.clear()  # while the model works on the batch, its frames need not be there twice
        return batch

    for frame in frames:
        if held and frame.segment != held[0].segment:
            yield taken()
        held.append(frame)
        del frame
        if len(held) == size:
            yield taken()
    if held:
        yield taken()
