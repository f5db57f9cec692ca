"""Scene cuts of the source: no motion leads across them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 160
"""Frames are compared at this width: cuts are large, grain is small."""
THRESHOLD = 27.0
"""Mean change of hue, saturation and value (0 to 255) that makes a cut; PySceneDetect's ContentDetector has the same."""
CONTRAST = 3.0
"""... if it is also this many times the change before it: fast motion and flashes of grain last, a cut does not."""


class CutDetector:
    """Tells for each frame, in order, whether a new scene begins with it.

    The measure is that of PySceneDetect's ContentDetector: the mean over pixels of the absolute change of hue, saturation and
    value, averaged over the three.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None
        self._change = 0.0

    def __call__(self, frame: NDArray[np.uint8]) -> bool:
        """Whether `frame`, (H, W, 3) uint8 RGB, begins a scene; False for the first one."""
        now = _small_hsv(frame)
        last, self._last = self._last, now
        if last is None:
            return False
        change, before = float(np.abs(now - last).mean()), self._change
        cut = change > THRESHOLD and change > CONTRAST * before
        # A cut says nothing about the pace of the scene that it opens.
        self._change = 0.0 if cut else change
        return cut


def _small_hsv(frame: NDArray[np.uint8]) -> NDArray[np.int16]:
    h, w = frame.shape[:2]
    if w > WIDTH:
        size = (WIDTH, max(1, round(h * WIDTH / w)))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.cvtColor(frame, cv2.COLOR_RGB2HSV).astype(np.int16)
