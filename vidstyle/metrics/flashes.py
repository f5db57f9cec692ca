"""Flashes: where a film may harm people with photosensitive epilepsy.

WCAG 2.1, success criterion 2.3.1, and ITU-R BT.1702 for television: no more than three flashes within any second, over a
quarter of the picture or more. A *flash* is a pair of opposing changes of relative luminance by 10 % of its range or more, the
darker of the two below 0.80. A *red flash* is a pair of opposing changes of (R - G - B) x 320 (linear light, negative values
set to 0) by more than 20, to or from a saturated red, R / (R + G + B) >= 0.8.
"""

from __future__ import annotations

import math
from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

MOST = 3.0
"""Flashes a second that everybody bears."""
_WIDTH = 160
"""Frames are looked at this wide: finer patterns, which do not count as flashes however they change, are averaged."""
_AREA = 0.25
_WINDOW = 1.0
_CHANGE, _DARK = 0.1, 0.8
_RED_CHANGE, _RED_SHARE, _RED_SCALE = 20.0, 0.8, 320.0
_LUMINANCE = np.array((0.2126, 0.7152, 0.0722), np.float32)

Plane = NDArray[np.float32]
Pixels = NDArray[np.bool_]


def _linear_light() -> Plane:
    """Linear light of the 256 levels of sRGB (WCAG's formula)."""
    level = np.arange(256) / 255
    return np.where(level <= 0.03928, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_light()


class FlashMeter:
    """Counts the flashes of a film, frame by frame, in order of time. Memory: one second of small planes.

    Each pixel's opposing changes are counted within the last second; a frame's number is that of the pixels which flash most,
    a quarter of the picture.

    Attributes:
        most, most_red: the largest numbers so far, flashes within a second.
        worst, worst_red: when that was, seconds; None where there was none.
    """

    def __init__(self) -> None:
        self.most = self.most_red = 0.0
        self.worst: float | None = None
        self.worst_red: float | None = None
        self._luminance = _Swings(_CHANGE)
        self._red = _Swings(_RED_CHANGE)

    def add(self, seconds: float, frame: NDArray[np.uint8]) -> tuple[float, float]:
        """Look at the next frame, (H, W, 3) uint8 RGB.

        Returns:
            Flashes and red flashes within the second that ends with it, of the most restless quarter of the picture.
        """
        height, width = frame.shape[:2]
        linear = _LINEAR[frame]
        if width > _WIDTH:
            size = (_WIDTH, max(1, round(height * _WIDTH / width)))
            linear = np.asarray(cv2.resize(linear, size, interpolation=cv2.INTER_AREA), np.float32)
        luminance = linear @ _LUMINANCE
        flashes = self._luminance.add(seconds, luminance, luminance < _DARK, either=False)
        total = linear.sum(axis=2)
        red = np.maximum(0, 2 * linear[..., 0] - total) * np.float32(_RED_SCALE)
        red_flashes = self._red.add(seconds, red, linear[..., 0] >= _RED_SHARE * np.maximum(total, 1e-6), either=True)
        if flashes > self.most:
            self.most, self.worst = flashes, seconds
        if red_flashes > self.most_red:
            self.most_red, self.worst_red = red_flashes, seconds
        return flashes, red_flashes


class _Swings:
    """Changes up and down of each pixel: a change counts when it goes `least` or more against the way of the last one."""

    def __init__(self, least: float) -> None:
        self._least = least - 1e-6
        self._low: Plane | None = None
        self._high: Plane = np.empty(0, np.float32)
        self._low_fits: Pixels = np.empty(0, bool)
        self._high_fits: Pixels = np.empty(0, bool)
        self._way: NDArray[np.int8] = np.empty(0, np.int8)
        self._recent: deque[tuple[float, Pixels]] = deque()

    def add(self, seconds: float, value: Plane, fits: Pixels, *, either: bool) -> float:
        """The next frame. Returns pairs of changes within the last second, of the quarter that has most.

        Args:
            fits: pixels whose state makes a change count: the lower one of the two, or with `either` any of them.
        """
        if self._low is None or self._low.shape != value.shape:
            self._low, self._high = value.copy(), value.copy()
            self._low_fits, self._high_fits = fits.copy(), fits.copy()
            self._way = np.zeros(value.shape, np.int8)
            self._recent.clear()
            return 0.0
        up = (value - self._low >= self._least) & (self._way <= 0)
        down = (self._high - value >= self._least) & (self._way >= 0)
        up &= (self._low_fits | fits) if either else self._low_fits
        down &= (self._high_fits | fits) if either else fits
        down &= ~up
        turned = up | down
        self._way = np.where(up, 1, np.where(down, -1, self._way)).astype(np.int8)
        # An extreme is that of the stretch since the last change; a turn begins a new one.
        rises, falls = turned | (value > self._high), turned | (value < self._low)
        self._high_fits = np.where(rises, fits, self._high_fits)
        self._low_fits = np.where(falls, fits, self._low_fits)
        self._high = np.where(rises, value, self._high)
        self._low = np.where(falls, value, self._low)
        self._recent.append((seconds, turned))
        while self._recent[0][0] <= seconds - _WINDOW + 1e-6:
            self._recent.popleft()
        counts = np.sum([pixels for _, pixels in self._recent], axis=0, dtype=np.int16).ravel()
        quarter = counts.size - math.ceil(_AREA * counts.size)
        return float(np.partition(counts, quarter)[quarter]) / 2
