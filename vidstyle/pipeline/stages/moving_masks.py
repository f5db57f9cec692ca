"""Masks as a film is painted: still pictures and films, each at the moment of the frame that it belongs to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.frame import Frame
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.styles.masks import Mask, is_still, read_mask, stretched

_SLACK = Fraction(1, 500)
"""Seconds: two films of one rate, of which one counts in thousandths, show their frames up to this much apart."""


class MovingMask:
    """A mask over a film. What a film of masks shows at a moment does not depend on what was asked for before; after its end
    its last picture stays.

    Args:
        path: a grey picture or a film, white where the mask is.
        size: width and height of the masks that it gives.

    Raises:
        InputError: neither can be read.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self._size = size
        self._still = stretched(read_mask(path), size) if is_still(path) else None
        if self._still is None:
            self._info = probe(path)
            self._first = (self._info.start_pts or 0) * self._info.time_base
            self._frames: Iterator[Frame] = iter(())
            self._now: Frame | None = None
            self._next: Frame | None = None
            self._mask: tuple[int, Mask] | None = None

    def at(self, seconds: Fraction) -> Mask:
        """(H, W) uint8 at a time after the film's first frame."""
        if self._still is not None:
            return self._still
        moment = self._first + max(Fraction(0), seconds) + _SLACK
        if self._now is None or moment < self._now.seconds:
            self._begin(moment)
        while self._next is not None and self._next.seconds <= moment:
            self._now, self._next = self._next, next(self._frames, None)
        assert self._now is not None
        if self._mask is None or self._mask[0] != self._now.pts:
            grey = np.asarray(cv2.cvtColor(self._now.data, cv2.COLOR_RGB2GRAY), np.uint8)
            self._mask = self._now.pts, stretched(grey, self._size)
        return self._mask[1]

    def _begin(self, moment: Fraction) -> None:
        """Read from the frame that is on the screen at a moment on; from the beginning where none is any more."""
        start = int(moment / self._info.time_base)
        self._frames = read_frames(self._info, start=start, shown=True)
        self._now = next(self._frames, None)
        if self._now is None:
            self._frames = read_frames(self._info)
            self._now = next(self._frames, None)
        self._next = next(self._frames, None)


class MaskStack:
    """Several masks at once, the later ones over the earlier ones.

    Args:
        size: width and height.
        origin: seconds of the film's first frame.
    """

    def __init__(self, paths: Sequence[Path], size: tuple[int, int], origin: Fraction) -> None:
        self._masks = [MovingMask(path, size) for path in paths]
        self._origin = origin
        self._turn = threading.Lock()

    def shares(self, moments: Sequence[Fraction]) -> NDArray[np.float32]:
        """(N, 1 + R, H, W) float32: what is seen of the ground and of each mask's layer at N moments, summing to 1."""
        return np.stack([shares([mask.at(at - self._origin) for mask in self._masks]) for at in moments])

    def union(self, moment: Fraction) -> Mask:
        """(H, W) uint8: white wherever any of the masks is."""
        with self._turn:  # workers of several GPUs finish their frames with one stack
            ground = shares([mask.at(moment - self._origin) for mask in self._masks])[0]
        return np.asarray(np.rint(255 * (1 - ground)), np.uint8)


def shares(masks: Sequence[Mask]) -> NDArray[np.float32]:
    """(1 + R, H, W) float32 of R masks: layers over a ground, the last one on top; they sum to 1."""
    layers, free = [], np.ones(masks[0].shape, np.float32)
    for mask in reversed(masks):
        cover = mask.astype(np.float32) / np.float32(255)
        layers.append(free * cover)
        free = free * (1 - cover)
    return np.stack([free, *reversed(layers)])
