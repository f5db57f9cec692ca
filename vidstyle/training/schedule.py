"""Which stage of a recipe comes next, and how fast it learns: counted in steps, or by the clock.

A run by the clock needs no guess of its speed. The stages share the time as the recipe's steps are shared, each rate is a
function of the share of its time that has gone by, and the last one reaches 0 when time is up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vidstyle.training.recipe import Recipe

_WARM_UP = 0.05
"""Share of a stage's time in which its rate rises, by the clock."""


@dataclass(frozen=True)
class Place:
    """Where in a recipe a step is."""

    stage: int
    """Index of the stage."""
    step: int
    """Within the stage."""
    rate: float
    """Learning rate."""


class Schedule(Protocol):
    """Says where each step is."""

    def place(self, step: int) -> Place | None:
        """Of a step, counted over the whole run; None where the run is over. To be asked in ascending order."""
        ...


@dataclass(frozen=True)
class StepSchedule:
    """A recipe as it is written: so many steps a stage."""

    recipe: Recipe
    last: int
    """Step at which the run is over."""
    late: Callable[[], bool] = lambda: False
    """Whether the run is over for another reason."""

    def place(self, step: int) -> Place | None:
        """See `Schedule`."""
        if step >= min(self.last, self.recipe.steps) or self.late():
            return None
        stage, within = self.recipe.locate(step)
        return Place(stage, within, self.recipe.stage[stage].rate(within))


class TimedSchedule:
    """A recipe in a given time, from the first question on.

    Args:
        recipe: its steps say how the stages share the time.
        minutes: of all that is left of it.
        begin: the stage and the step within it that the run goes on with; stages before it are done.
        last: step at which the run is over, however much time is left.
        clock: seconds, rising.
    """

    def __init__(
        self,
        recipe: Recipe,
        minutes: float,
        begin: tuple[int, int] = (0, 0),
        last: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stages, self._first = recipe.stage, begin[0]
        self._seconds, self._last, self._clock = 60 * minutes, last, clock
        total = sum(s.steps for s in self._stages[self._first :])
        ends, done = [], 0
        for stage in self._stages[self._first :]:
            done += stage.steps
            ends.append(done / total)
        self._ends = ends
        self._start: float | None = None
        self._began: tuple[int, int] | None = None
        self._within = begin[1]

    def place(self, step: int) -> Place | None:
        """See `Schedule`."""
        if self._start is None:
            self._start = self._clock()
            self._began = (0, step - self._within)
        share = (self._clock() - self._start) / self._seconds
        if share >= 1 or step >= self._last or self._began is None:
            return None
        n = next(i for i, end in enumerate(self._ends) if share < end)
        if n != self._began[0]:
            self._began = (n, step)
        begin, end = (0.0, *self._ends)[n], self._ends[n]
        stage = self._stages[self._first + n]
        falls_to = 0.0 if n == len(self._ends) - 1 else stage.lr_end
        rate = stage.rate_at((share - begin) / (end - begin), _WARM_UP, falls_to)
        return Place(self._first + n, step - self._began[1], rate)
