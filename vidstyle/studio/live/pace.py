"""The painting size that holds a rate: down at once where frames take too long, up only after a trial."""

from __future__ import annotations

from collections import deque
from statistics import median

LADDER = (96, 112, 128, 144, 160, 180, 216, 270, 324, 384, 480)
"""Short sides, pixels. Each may need a graph of its own, so there are few."""
RATE = 25.0
"""Frames per second to hold."""
SEEN = 8
"""Frames over which a cost is taken."""
PATIENCE, _LONGEST = 3.0, 60.0
"""Seconds of headroom before a trial, twice as long after each that failed, and at most."""


class Pace:
    """Chooses the size of the next frame from what the last ones took.

    Args:
        largest: short side of the camera's frames; nothing is painted larger.
        workers: frames that are painted at the same time.
        begin: the first size.
    """

    def __init__(self, largest: int, workers: int = 1, *, begin: int = 180) -> None:
        self.sizes = [size for size in LADDER if size < largest]
        if largest <= LADDER[-1]:
            self.sizes.append(largest)
        self.workers = workers
        self.at = max(i for i, size in enumerate(self.sizes) if i == 0 or size <= begin)
        self._costs: deque[float] = deque(maxlen=SEEN)
        self._headroom: float | None = None
        self._patience = PATIENCE
        self._on_trial = False

    @property
    def size(self) -> int:
        """Short side at which the next frame is painted, pixels."""
        return self.sizes[self.at]

    @property
    def above(self) -> int | None:
        """The next larger size; None at the top."""
        return self.sizes[self.at + 1] if self.at + 1 < len(self.sizes) else None

    def observe(self, seconds: float, size: int, now: float, *, ready: bool = True) -> None:
        """Note what a frame took.

        Args:
            seconds: of one worker.
            size: at which it was painted; other frames than of the present size say nothing.
            now: a clock, in seconds.
            ready: whether the next larger size can be painted at once.
        """
        if size != self.size:
            return
        self._costs.append(seconds / self.workers)
        if len(self._costs) < SEEN // 2:
            return
        cost, budget = median(self._costs), 1 / RATE
        if cost > budget and self.at:
            if self._on_trial:
                self._patience = min(_LONGEST, 2 * self._patience)
            self._move(-1)
            return
        if len(self._costs) == SEEN and self._on_trial:
            self._on_trial, self._patience = False, PATIENCE
        above = self.above
        expected = cost if above is None else cost * (above / self.size) ** 2
        if above is None or expected > 0.95 * budget:
            self._headroom = None
        elif self._headroom is None:
            self._headroom = now
        elif now - self._headroom >= self._patience and ready:
            self._move(1)
            self._on_trial = True

    def _move(self, by: int) -> None:
        self.at += by
        self._costs.clear()
        self._headroom, self._on_trial = None, False
