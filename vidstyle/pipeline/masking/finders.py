"""Where in a frame something is: by its colour, by what is before the background, by a polygon that moves along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.imaging.dis import flow_between, make_dis

Frames = NDArray[np.uint8]
Cover = NDArray[np.float32]

_EDGE = 1.5
"""A colour that differs by this many tolerances is not in the mask at all; up to one it is wholly."""
_LIGHTNESS = 0.3
"""How much a difference of lightness counts beside one of chroma: a wall in the shade is the same wall."""

_INSIDE, _FEWEST, _MOST = 0.5, 16, 4000
"""Cover of a pixel that is in a polygon; how many of them a motion is read from."""


class Finder(Protocol):
    """Finds something in the frames of a film, in order."""

    def __call__(self, frame: Frames, cut: bool) -> Cover:
        """(H, W) float32 in [0, 1] of a frame (H, W, 3) uint8; `cut` says that a scene begins with it."""
        ...


class ByColour:
    """What has about a colour.

    Args:
        colour: R, G, B, uint8.
        tolerance: in units of CIE Lab, where 2 is what one can just see and 100 lies between black and white.
    """

    def __init__(self, colour: tuple[int, int, int], tolerance: float) -> None:
        self._colour = _lab(np.array([[colour]], np.uint8))[0, 0]
        self._tolerance = tolerance

    def __call__(self, frame: Frames, cut: bool) -> Cover:
        difference = _lab(frame) - self._colour
        difference[..., 0] *= np.float32(_LIGHTNESS)
        return _within(np.sqrt((difference**2).sum(-1)), self._tolerance)


class BeforePlate:
    """What is not in a picture of the empty background, taken by a camera that stands still.

    Args:
        plate: (H, W, 3) uint8.
        tolerance: as of `ByColour`.
    """

    def __init__(self, plate: Frames, tolerance: float) -> None:
        self._plate, self._tolerance = plate, tolerance
        self._lab: Cover | None = None

    def __call__(self, frame: Frames, cut: bool) -> Cover:
        if self._lab is None or self._lab.shape != frame.shape:
            height, width = frame.shape[:2]
            self._lab = _lab(
                np.asarray(cv2.resize(self._plate, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
            )
        difference = np.sqrt(((_lab(frame) - self._lab) ** 2).sum(-1))
        # Over a few pixels: grain is not there alone.
        return 1 - _within(np.asarray(cv2.blur(difference, (5, 5)), np.float32), self._tolerance)


class Carried:
    """A polygon, drawn on the first frame, that moves along with what it covers, up to the next cut.

    From frame to frame it is shifted, turned and scaled as the optical flow of the pixels within it says, of which those that
    go another way (a background that is uncovered, a hand that passes) are left out (RANSAC). Its edge never washes out.

    Args:
        corners: (x, y) in pixels of the film, three or more.
    """

    def __init__(self, corners: Sequence[tuple[float, float]]) -> None:
        if len(corners) < 3:
            raise UsageError(
                f"--polygon: has {len(corners)} corners; give three or more, for example 10,10 90,10 50,80."
            )
        self._corners: NDArray[np.float32] | None = np.array(corners, np.float32)
        self._before: Frames | None = None

    def __call__(self, frame: Frames, cut: bool) -> Cover:
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
        if cut and self._before is not None:
            self._corners = None
        if self._corners is None:
            return np.zeros(grey.shape, np.float32)
        if self._before is not None:
            self._corners = _moved(self._corners, self._before, grey)
        self._before = grey
        return _drawn(self._corners, grey.shape)


def _moved(corners: NDArray[np.float32], before: Frames, now: Frames) -> NDArray[np.float32]:
    """Corners (K, 2) as what is within them moves between two grey frames; where nothing of it is seen, they stay."""
    y, x = np.nonzero(_drawn(corners, before.shape) > _INSIDE)
    if len(x) < _FEWEST:
        return corners
    flow = flow_between(make_dis(), before, now)
    some = np.linspace(0, len(x) - 1, min(len(x), _MOST)).astype(int)
    start = np.stack([x[some], y[some]], 1).astype(np.float32)
    matrix, _ = cv2.estimateAffinePartial2D(start, start + flow[y[some], x[some]], ransacReprojThreshold=1.0)
    return corners if matrix is None else np.asarray(corners @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _drawn(corners: NDArray[np.float32], shape: tuple[int, ...]) -> Cover:
    drawn = np.zeros(shape, np.uint8)
    cv2.fillPoly(drawn, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return drawn.astype(np.float32) / np.float32(255)


def _lab(frame: Frames) -> Cover:
    return np.asarray(cv2.cvtColor(frame.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)


def _within(difference: Cover, tolerance: float) -> Cover:
    """1 up to a tolerance, 0 from _EDGE tolerances on, a line between."""
    share = (_EDGE - difference / np.float32(tolerance)) / np.float32(_EDGE - 1)
    return np.asarray(np.clip(share, 0, 1), np.float32)
