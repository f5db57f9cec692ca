"""Presentation times: repaired where a file lacks or muddles them, rounded where a container's clock is coarse."""

from __future__ import annotations

from fractions import Fraction


def rescale(ticks: int, source: Fraction, target: Fraction) -> int:
    """`ticks` of `source` seconds in ticks of `target` seconds: nearest, halves away from zero (as libavutil does)."""
    scaled = ticks * source / target
    whole = int(abs(scaled) + Fraction(1, 2))
    return whole if scaled >= 0 else -whole


def frame_ticks(rate: Fraction | None, time_base: Fraction) -> int:
    """How many ticks of `time_base` a frame lasts at `rate` frames a second (25 where unknown), at least 1."""
    return max(1, rescale(1, 1 / (rate if rate else Fraction(25)), time_base))


_DAY = 24 * 60 * 60


class PtsRepair:
    """Makes times strictly increasing, changing as few of them as possible.

    - a missing time is the one before plus its frame's duration (the average one where that is unknown);
    - a time not after the one before becomes one tick later than that;
    - a jump back by more than a second (joined recordings) or on by more than a day (damage) is a new clock: from there on
      times are shifted so that the film goes on after one frame's duration.

    Attributes: `repaired` counts frames whose time was changed or made up; `last` is the newest time (None before any).
    """

    def __init__(self, time_base: Fraction, rate: Fraction | None) -> None:
        self._step = frame_ticks(rate, time_base)
        self._second = max(1, round(1 / time_base))
        self.last: int | None = None
        self._last_duration = 0
        self._shift = 0
        self.repaired = 0

    def next(self, pts: int | None, duration: int = 0) -> int:
        """The time of the next frame, given what the file says of it (ticks; `pts` None and `duration` 0: unknown)."""
        if self.last is None:
            value = pts if pts is not None else 0
            self.repaired += pts is None
        elif pts is None:
            value = self.last + (self._last_duration or self._step)
            self.repaired += 1
        else:
            value = pts + self._shift
            if value < self.last - self._second or value > self.last + _DAY * self._second:
                value = self.last + (self._last_duration or self._step)
                self._shift = value - pts
            elif value <= self.last:
                value = self.last + 1
            self.repaired += value != pts
        self.last, self._last_duration = value, duration
        return value
