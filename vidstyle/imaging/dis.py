"""Dense Inverse Search (Kroeger et al., ECCV 2016) as OpenCV has it: optical flow that needs no weights and no torch."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def make_dis(*, finest_scale: int | None = None) -> Any:
    """An estimator, preset medium. Its flow depends on OpenCV's number of threads: each searches a band of the picture.

    Args:
        finest_scale: 0 refines down to full resolution; None stops where the preset does, at half of it.
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if finest_scale is not None:
        dis.setFinestScale(finest_scale)
    return dis


def flow_between(dis: Any, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where each pixel of `first` lies in `second`.

    Args:
        dis: of `make_dis`.
        first, second: (H, W) uint8, sides of at least 12 pixels.

    Returns:
        (H, W, 2) float32, pixels: x to the right, y down.
    """
    return np.asarray(dis.calc(first, second, None), np.float32)
