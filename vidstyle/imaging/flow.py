"""Optical flow: what an estimator is, and OpenCV's DIS, which needs no weights."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.imaging.dis import flow_between, make_dis

MIN_SIDE = 16
"""DIS refuses pictures below 12 px; smaller ones are padded to this side."""


class Flow(Protocol):
    """An estimator of optical flow."""

    name: str
    """Method and variant, as reports print it."""

    def __call__(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Tensor:
        """Where each pixel of `first` lies in `second`.

        Args:
            first: (H, W, 3) uint8 RGB.
            second: (H, W, 3) uint8 RGB.

        Returns:
            (2, H, W) float32, pixels: x to the right, y down. The pixel at (x, y) of `first` is at (x + u, y + v) of
            `second`.
        """
        ...


class DisFlow:
    """Dense Inverse Search (Kroeger et al., ECCV 2016): OpenCV, preset medium, refined down to full resolution.

    The preset itself stops at half resolution, which leaves errors of a few tenths of a pixel; at full resolution the warp
    error of a film with itself, the noise floor of every number here, falls by 10 to 45 % (docs/metrics.md).
    """

    name = "dis-medium-full"

    def __init__(self) -> None:
        self._dis = make_dis(finest_scale=0)

    def __call__(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Tensor:
        h, w = first.shape[:2]
        a, b = (_padded(np.asarray(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), np.uint8)) for x in (first, second))
        flow = flow_between(self._dis, a, b)
        return torch.from_numpy(np.ascontiguousarray(flow[:h, :w].transpose(2, 0, 1)))


def _padded(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    down, right = (max(0, MIN_SIDE - n) for n in grey.shape)
    if not (down or right):
        return grey
    return np.pad(grey, ((0, down), (0, right)), mode="edge")


def textured_share(frame: NDArray[np.uint8], threshold: float = 1e-4) -> float:
    """Share of pixels around which motion can be seen at all.

    A pixel counts where the smaller eigenvalue of the 7 x 7 structure tensor (Shi and Tomasi 1994) of luma in [0, 1] exceeds
    `threshold`: the picture changes in both directions. Flow elsewhere is the smoothness prior's guess.

    Args:
        frame: (H, W, 3) uint8 RGB.

    Returns:
        in [0, 1].
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return float((cv2.cornerMinEigenVal(grey, 7, ksize=3) > threshold).mean())
