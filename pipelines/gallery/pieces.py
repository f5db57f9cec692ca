"""A picture cut into pieces: a label for each region, and the lines between them."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, mask_of
from numpy.typing import NDArray

Labels = NDArray[np.int32]


class Cartoon:
    """A design for glass or stone: colour and region of each pixel. Shapes that are put later lie over earlier ones."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.colour: Image = np.zeros((size, size, 3), np.float32)
        self.labels: Labels = np.zeros((size, size), np.int32)

    def put(self, where: Field | NDArray[np.bool_], colour: Image, cuts: NDArray[np.integer] | int = 0) -> None:
        """Fill `where` (> 0.5) with a colour picture; different values of `cuts` in it are different pieces."""
        inside = np.asarray(where) > 0.5
        first = int(self.labels.max()) + 1
        ids = np.broadcast_to(np.asarray(cuts, np.int64), inside.shape)
        _, dense = np.unique(ids[inside], return_inverse=True)
        self.labels[inside] = first + dense.astype(np.int32)
        self.colour[inside] = np.broadcast_to(colour, self.colour.shape)[inside]

    def put_shape(self, points: NDArray[np.floating], colour: Image, cuts: NDArray[np.integer] | int = 0) -> None:
        self.put(mask_of(self.size, points), colour, cuts)

    def edges(self) -> NDArray[np.uint8]:
        """1 where a pixel's right or lower neighbour belongs to another region."""
        e = np.zeros(self.labels.shape, np.uint8)
        e[:, :-1] |= (self.labels[:, :-1] != self.labels[:, 1:]).astype(np.uint8)
        e[:-1] |= (self.labels[:-1] != self.labels[1:]).astype(np.uint8)
        return e

    def pieces(self) -> tuple[Labels, int]:
        """Connected pieces (what is left between the edges) and their number; edge pixels are 0."""
        n, out = cv2.connectedComponents(1 - self.edges(), connectivity=4)
        return out.astype(np.int32), int(n)

    def away(self) -> Field:
        """Distance of each pixel to the nearest edge, pixels."""
        return cv2.distanceTransform(1 - self.edges(), cv2.DIST_L2, 5).astype(np.float32)
