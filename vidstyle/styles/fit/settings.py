"""What a fit depends on. Imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vidstyle.core.errors import UsageError
from vidstyle.imaging.sizes import AUTO_PAINT_SIZE

VERSION = 3
"""Of the fit: styles fitted by another version are fitted anew."""
SIZES = (240, 360, 480, 720, 1080)
"""Painting sizes that are told apart: a fit for one serves its neighbourhood."""
_READ_SIZE = 384
"""Short side at which styles are read unless the user says otherwise; the painting then fills the frame."""


@dataclass(frozen=True)
class Balance:
    """Weights of the terms, see `objective`."""

    gram: float = 3.0
    moments: float = 3.0
    palette: float = 300.0
    content: float = 0.5
    legibility: float = 0.3
    shift: float = 2500.0
    range: float = 10.0
    grid: float = 0.1
    most_shift: float = 1.3
    """A result may move with its frame worse than what was read by this factor at most."""
    most_palette: float = 1.2
    """The same of its colours."""


BALANCES = {
    "steady": Balance(shift=9000.0, content=0.7, most_shift=1.05),
    "even": Balance(),
    "bold": Balance(content=0.25, legibility=0.1, shift=1000.0, most_shift=2.5),
}


@dataclass(frozen=True)
class FitSettings:
    """Settings of a fit.

    Raises:
        UsageError: a value out of its range.
    """

    steps: int = 40
    deep: bool = False
    """The decoder changes as well, not only the code."""
    balance: str = "even"
    """"steady", "even" or "bold": how much is given for the style."""
    paint_size: int = AUTO_PAINT_SIZE
    """Short side of what the network paints, pixels."""
    style_size: int = _READ_SIZE
    """Short side at which the style is read."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UsageError(f"--steps {self.steps}: must be at least 1.")
        if self.balance not in BALANCES:
            raise UsageError(f"--balance {self.balance}: use {', '.join(BALANCES)}.")

    @property
    def size(self) -> int:
        """The one of SIZES that is nearest, by ratio."""
        return min(SIZES, key=lambda size: abs(math.log(size / self.paint_size)))

    @property
    def target_size(self) -> int:
        """Short side of the style picture that results are compared with: at the usual reading size the painting fills the
        frame, read smaller its strokes are coarser."""
        return max(128, min(2 * self.size, round(self.size * _READ_SIZE / self.style_size)))

    def key(self) -> dict[str, object]:
        """What the result depends on, JSON values."""
        return {
            "version": VERSION,
            "steps": self.steps,
            "deep": self.deep,
            "balance": self.balance,
            "paint_size": self.size,
            "style_size": self.style_size,
        }
