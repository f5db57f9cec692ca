"""Presentation times: repaired where a file lacks or muddles them, rounded where a container's clock is coarse."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction


def rescale(ticks: int, source: Fraction, target: Fraction) -> int:
    """`ticks` of `source` seconds in ticks of `target` seconds: nearest, halves away from zero (as libavutil does)."""
    scaled = ticks * source / target
    whole = int(abs(scaled) + Fraction(1, 2))
    return whole if scaled >= 0 else -whole


def frame_ticks(rate: Fraction | None, time_base: Fraction) -> int:
    """How many ticks of `time_base` a frame lasts at `rate` frames per second (25 where unknown), at least 1."""
    return max(1, rescale(1, 1 / (rate if rate else Fraction(25)), time_base))


@dataclass(frozen=True)
class Timeline:
    """What is added to the times that a file gives. Section k lies between byte positions borders[k - 1] and borders[k]."""

    borders: tuple[int, ...] = ()
    shifts: tuple[Fraction, ...] = (Fraction(0),)
    """Seconds, one for each section, common to all streams."""
    strays: frozenset[tuple[int, int]] = frozenset()
    """(stream, position) of packets whose times are wrong: they are taken as missing."""
    end: Fraction | None = None
    """When the picture ends, in seconds after the first packet's time; None where the file was not read for it."""
    frames: int | None = None
    """Packets of the picture; None likewise."""

    def shift(self, position: int | None) -> Fraction:
        """Seconds to add to the times of a packet that begins at byte `position` (None: unknown, the first section)."""
        return self.shifts[bisect_right(self.borders, position) if position is not None else 0]


UNCHANGED = Timeline()
"""The file's own times."""

_DAY = 24 * 60 * 60


# Frames after which a jump is a new clock for good.
_SETTLED = 16


class PtsRepair:
    """Makes times increase, changing as few of them as possible and never pushing on what follows.

    - a missing time is the one before plus its frame's duration (the average one where that is unknown);
    - a time that is less than a frame before the last one, or in the hole that the last step left (frames in another order),
      becomes one tick later than that;
    - one that lies further back, or on by more than a day, comes one frame after the last one. Those that follow keep their
      distance from it, until the clock from before goes on (then the time was wrong) or for good (then the clock had started
      again: joined recordings).

    Args:
        time_base: seconds per tick.
        rate: frames per second, where it is known.
        equal: a time may be that of the one before, as Matroska takes it: packets may be shorter than a tick.

    Attributes: `repaired` counts frames whose time was changed or made up; `last` is the newest time (None before any).
    """

    def __init__(self, time_base: Fraction, rate: Fraction | None, *, equal: bool = False) -> None:
        self._step = frame_ticks(rate, time_base)
        self._second = max(1, round(1 / time_base))
        self._least = 0 if equal else 1
        self.last: int | None = None
        self._last_duration = 0
        self._shift = 0
        self._before: int | None = None  # the shift before a jump
        self._since = 0
        self._hole = (0, 0)  # between the two newest times that needed no repair
        self.repaired = 0

    def next(self, pts: int | None, duration: int = 0) -> int:
        """The time of the next frame, given what the file says of it (ticks; `pts` None and `duration` 0: unknown)."""
        if self.last is None:
            value = pts if pts is not None else 0
        elif pts is None:
            value = self.last + (self._last_duration or self._step)
        else:
            value = self._after(self.last, pts)
        self.repaired += value != pts
        self.last, self._last_duration = value, duration
        return value

    def _after(self, last: int, pts: int) -> int:
        usual = self._last_duration or self._step
        if self._before is not None:
            self._since += 1
            if pts + self._before > last - usual:
                self._shift, self._before = self._before, None
            elif self._since > _SETTLED:
                self._before = None
        value = pts + self._shift
        if value > last and value <= last + _DAY * self._second:
            self._hole = (last, value)
            return value
        far = not last - self._second <= value <= last
        if far or (value <= last - usual and not self._hole[0] < value < self._hole[1]):
            if self._before is None:
                self._before, self._since = self._shift, 0
            self._shift = last + usual - pts
            self._hole = (last, last + usual)
            return last + usual
        return last + self._least
