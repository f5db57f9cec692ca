"""Scene cuts of the source: no motion leads across them."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 160
"""Frames are compared at this width: cuts are large, grain is small."""
_RULES = ((27.0, 2.3), (15.0, 4.0))
"""A cut is a change of hue, saturation and value (mean, 0 to 255) above the first number that is also above the second
number times the largest change of the frames before it: fast motion goes on, a cut does not. 27 is the threshold of
PySceneDetect's ContentDetector; both rows are set on real cuts and on hand-held clips without any (docs/metrics.md)."""
_MEMORY = 3
"""Changes remembered: films drawn on every second or third frame stand still in between."""
_USUAL = 10.0
"""The change before, where nothing is known of it yet."""


class CutDetector:
    """Tells for each frame, in order, whether a new scene begins with it.

    The measure is that of PySceneDetect's ContentDetector: the mean over pixels of the absolute change of hue, saturation and
    value, averaged over the three.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None
        self._before: deque[float] = deque(maxlen=_MEMORY)

    def __call__(self, frame: NDArray[np.uint8]) -> bool:
        """Whether `frame`, (H, W, 3) uint8 RGB, begins a scene; False for the first one."""
        now = _small_hsv(frame)
        last, self._last = self._last, now
        if last is None:
            return False
        change, before = float(np.abs(now - last).mean()), max(self._before, default=_USUAL)
        cut = any(change > least and change > times * before for least, times in _RULES)
        if cut:
            # The pace of the scene that ended says nothing about the one that begins.
            self._before.clear()
        else:
            self._before.append(change)
        return cut


def _small_hsv(frame: NDArray[np.uint8]) -> NDArray[np.int16]:
    h, w = frame.shape[:2]
    if w > WIDTH:
        size = (WIDTH, max(1, round(h * WIDTH / w)))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.cvtColor(frame, cv2.COLOR_RGB2HSV).astype(np.int16)
