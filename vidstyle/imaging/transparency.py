"""What can be seen of a picture with transparent parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def covered(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without holes: every hidden pixel takes the colour of the visible one that it is the mirror image of at the
    nearest edge (of the edge itself where that one is hidden too), so that what a program left in hidden pixels, often white or
    black, says nothing.

    Args:
        rgba: (H, W, 4) uint8. At least half opaque is visible; where nothing is, the most opaque parts are.

    Returns:
        (H, W, 3) uint8, unchanged where visible, and everywhere in a picture that is wholly transparent.
    """
    rgb, visible = np.ascontiguousarray(rgba[..., :3]), _visible(rgba)
    if visible.all():
        return rgb
    import cv2  # for few pictures: what has no holes needs no OpenCV

    height, width = visible.shape
    _, labels = cv2.distanceTransformWithLabels(
        (~visible).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((int(labels.max()) + 1, 2), np.int64)  # of a label, the visible pixel that it stands for
    nearest[labels[visible]] = np.argwhere(visible)
    hidden = np.argwhere(~visible)
    edge = nearest[labels[~visible]]
    mirror = np.clip(2 * edge - hidden, 0, (height - 1, width - 1))
    source = np.where(visible[mirror[:, 0], mirror[:, 1]][:, None], mirror, edge)
    out = rgb.copy()
    out[hidden[:, 0], hidden[:, 1]] = rgb[source[:, 0], source[:, 1]]
    return out


def seen(rgba: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The box around the visible parts of a picture (H, W, 4), `covered`: its statistics are those of what can be seen.

    Returns:
        (H', W', 3) uint8; None where the picture is wholly transparent.
    """
    if not rgba[..., 3].any():
        return None
    visible = _visible(rgba)
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
    return covered(rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _visible(rgba: NDArray[np.uint8]) -> NDArray[np.bool_]:
    alpha = rgba[..., 3]
    return np.asarray(alpha >= min(128, int(alpha.max())))
