"""What a camera is painted in, from moment to moment: a change of style or strength is a cross-fade of codes.

Strength a is a * code(style) + (1 - a) * code(own frame), as everywhere; but the frame's own code is that of a frame a moment
ago, made beside the painting. So a strength costs no second decoding, and no graph of its own.
"""

from __future__ import annotations

from vidstyle.models.attention import blend
from vidstyle.models.style_code import StyleCode

SECONDS = 1.0
"""That a cross-fade takes."""


class Fader:
    """The code of the moment."""

    def __init__(self, code: StyleCode) -> None:
        self._style = code
        self._strength = 1.0
        self._own: StyleCode | None = None
        self._from = self._to = code
        self._begun: float | None = None

    @property
    def needs_own(self) -> bool:
        """Whether the frame's own code counts."""
        return self._strength < 1

    def change(self, now: float, *, style: StyleCode | None = None, strength: float | None = None) -> None:
        """Go over to another style or strength, beginning now."""
        begin = self.code(now)
        self._style = self._style if style is None else style
        self._strength = self._strength if strength is None else strength
        self._go(begin, now)

    def own(self, code: StyleCode, now: float) -> None:
        """The own code of a frame of now."""
        begin = self.code(now)
        self._own = code
        if self.needs_own:
            self._go(begin, now)

    def code(self, now: float) -> StyleCode:
        """What a frame of now is painted in."""
        if self._begun is None:
            return self._to
        share = (now - self._begun) / SECONDS
        if (
            share >= 1 or self._from.change is not None or self._to.change is not None
        ):  # deeply learned: cannot be blended
            self._begun = None
            return self._to
        return blend([self._from, self._to], [1 - max(0.0, share), max(0.0, share)])

    def _go(self, begin: StyleCode, now: float) -> None:
        deep = self._style.change is not None
        whole = self._own is None or self._strength >= 1 or deep
        parts = [self._style, self._own or self._style]
        self._from, self._to = begin, self._style if whole else blend(parts, [self._strength, 1 - self._strength])
        self._begun = now
