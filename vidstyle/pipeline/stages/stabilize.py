"""`--stabilize`: each styled frame is drawn towards the one before it, moved along as the source moved.

    M_t = exp(-50 |I_t - W(I_{t-1})|^2)             what of frame t was visible before (the mask of Lai et al., ECCV 2018)
    O_t = (1 - S M_t) P_t + S M_t W(O_{t-1})        I source, P styled frame, W: sampled along the flow from t to t - 1

The flow is OpenCV's DIS on the source. Where it is wrong, or the place was hidden, or a cut lies between, the moved source does
not look like the source and M goes to 0: the styled frame stands as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.dis import flow_between, make_dis

Frames = NDArray[np.uint8]
Planes = NDArray[np.float32]

_VISIBILITY_DECAY = 50.0
"""How quickly a difference of the sources (squared, summed over channels in [0, 1]) hides a pixel."""


@dataclass(frozen=True)
class PreviousFrame:
    """What is remembered of the frame before."""

    source: Frames
    """(H, W, 3)."""
    grey: NDArray[np.uint8]
    """(H, W)."""
    output: Planes
    """(H, W, 3) in [0, 255], not rounded: a rounded memory would never reach what it is drawn to."""


class Stabilizer:
    """A filter over consecutive frames of one film. Begins anew with every segment (frames of one never reach into another, so
    that segments can be made in any order) and with every change of size.

    Args:
        amount: S in [0, 1): the share of the frame before where it is visible.
        threads: of OpenCV. Its flow depends on their number (each searches a band of the picture), so it is part of what the
            bytes depend on. Set for the whole process.
    """

    def __init__(self, amount: float, *, threads: int) -> None:
        cv2.setNumThreads(threads)
        self.amount = np.float32(amount)
        self.before: PreviousFrame | None = None
        self.segment = -1

    def __call__(self, segment: int, source: Frames, styled: Frames) -> Frames:
        """The next frames of a segment, (N, H, W, 3) each; returns the steadier ones."""
        if segment != self.segment:
            self.segment, self.before = segment, None
        return np.stack([self.next(a, b) for a, b in zip(source, styled, strict=True)])

    def next(self, source: Frames, styled: Frames) -> Frames:
        """One more frame, (H, W, 3)."""
        grey = np.asarray(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), np.uint8)
        output = styled.astype(np.float32)
        if self.before is not None and self.before.source.shape == source.shape:
            moved, share = self.moved(self.before, source, grey)
            output += share[..., None] * (moved - output)
        self.before = PreviousFrame(source, grey, output)
        return np.clip(np.rint(output), 0, 255).astype(np.uint8)

    def moved(self, before: PreviousFrame, source: Frames, grey: NDArray[np.uint8]) -> tuple[Planes, Planes]:
        """The output before at the places of this frame's pixels, (H, W, 3), and its share S M, (H, W)."""
        height, width = grey.shape
        # A new one each time: on small pictures the first call changes its settings for all later ones.
        flow = flow_between(make_dis(), grey, before.grey)
        x = flow[..., 0] + np.arange(width, dtype=np.float32)
        y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
        # Sampling again and again would blur; cubic interpolation does so least.
        output = cv2.remap(before.output, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.remap(before.source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        gap = (seen.astype(np.float32) - source) / np.float32(255)
        share = self.amount * np.exp(-np.float32(_VISIBILITY_DECAY) * np.einsum("hwc,hwc->hw", gap, gap))
        share[(x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)] = 0
        return np.asarray(output, np.float32), share
