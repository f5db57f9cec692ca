"""`--fps`: a constant frame rate by repeating and leaving out frames; no frame is made up.

At each tick of the new rate the film shows the source frame that is on the screen then. What is never shown is never styled;
what is shown several times is styled once a segment and repeated when it is encoded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from vidstyle.core.errors import UsageError
from vidstyle.imaging.frame import Frame
from vidstyle.pipeline.plan.segments import SegmentPlan

_MAX_TICKS_PER_SECOND = 2**31 - 1
"""Ticks per second that containers can count."""


@dataclass(frozen=True)
class Clock:
    """In what the output counts time."""

    time_base: Fraction
    """Seconds per tick: those of the source, or finer where the new rate needs it."""
    scale: int = 1
    """Ticks in one tick of the source."""
    step: int | None = None
    """Ticks between two frames; None: every source frame once, at its own time."""

    @classmethod
    def of(cls, source: Fraction, fps: Fraction | None) -> Clock:
        """The coarsest clock in which the source's ticks and the new rate's are whole. Raises UsageError for too fine a one."""
        if fps is None:
            return cls(source)
        period = 1 / fps
        time_base = Fraction(
            math.gcd(source.numerator * period.denominator, period.numerator * source.denominator),
            source.denominator * period.denominator,
        )
        if time_base.denominator > _MAX_TICKS_PER_SECOND:
            raise UsageError(f"--fps {fps}: does not go with the source's clock of {source} s; choose a rounder rate.")
        return cls(time_base, int(source / time_base), int(period / time_base))

    def source_bounds(self, start: int | None, stop: int | None) -> tuple[int | None, int | None]:
        """[start, stop) in ticks of the source; what is on the screen at `start` included."""
        return (
            None if start is None else start // self.scale,
            None if stop is None else -(-stop // self.scale),
        )


def retimed(
    frames: Iterable[Frame], clock: Clock, plan: SegmentPlan, *, start: int | None, stop: int | None
) -> Iterator[Frame]:
    """Frames of the source in the output's clock, each with its segment. With a new rate only the frames that are shown: `pts`
    is the tick where a frame first appears, `duration` the number of its ticks times `step`; one that lasts over a segment's
    border comes once for each segment.

    Args:
        plan: segments; its origin is the first tick.
        start, stop: ticks from and before which frames are shown (None: no bound).
    """
    for frame in frames:
        if clock.step is None:
            yield replace(frame, segment=plan.index(frame.pts))
            continue
        for first, count in shown(frame, clock, plan, start, stop):
            yield replace(
                frame, pts=first, duration=count * clock.step, time_base=clock.time_base, segment=plan.index(first)
            )


def shown(
    frame: Frame, clock: Clock, plan: SegmentPlan, start: int | None, stop: int | None
) -> Iterator[tuple[int, int]]:
    """(first tick, number of ticks) in each segment in which a frame of the source is shown."""
    assert clock.step is not None
    step, origin = clock.step, plan.origin
    begin = frame.pts * clock.scale
    end = begin + max(1, frame.duration * clock.scale)
    begin, end = max(begin, origin if start is None else start), end if stop is None else min(end, stop)
    # Ticks k with begin <= k < end: divisions are rounded up.
    number, last = -(-(begin - origin) // step), -(-(end - origin) // step)
    while number < last:
        tick = origin + number * step
        border = -(-(plan.border(plan.index(tick) + 1) - origin) // step)
        count = min(last, border) - number
        yield tick, count
        number += count


def repeated(frame: Frame, step: int | None) -> Iterator[Frame]:
    """A frame as often as it is encoded (a still may be shown for hours)."""
    if step is None:
        yield frame
        return
    for tick in range(frame.pts, frame.pts + frame.duration, step):
        yield replace(frame, pts=tick, duration=step)
