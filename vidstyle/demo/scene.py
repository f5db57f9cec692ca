"""The demo scene: rigid layers under a moving camera, so that the motion of every pixel is known exactly.

Each layer is a texture with a placement A(t), an affine map from the layer's own plane to the screen. The point of a layer
that is seen at pixel p at time t0 is seen at A(t1) A(t0)^-1 p at time t1: that is the flow, without any estimation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.demo import layers
from vidstyle.demo.texture import Canvas

SECONDS = 4.0
RATE = 25
SIZE = (640, 360)

Matrix = NDArray[np.float64]
"""(3, 3), acting on (x, y, 1)."""


def place(x: float, y: float, *, scale: float = 1.0, turn: float = 0.0) -> Matrix:
    """Rotation by `turn` (radians) and scaling about the origin, then a move to (x, y)."""
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[c, -s, x], [s, c, y], [0, 0, 1]])


def camera(t: float, near: float) -> Matrix:
    """World to view for a layer of nearness 0 (infinitely far) to 1 and beyond: a pan to the right while moving closer."""
    go = t / SECONDS
    ease = go * go * (3 - 2 * go)
    zoom = 1 + 0.07 * near * ease
    centre = place(8 / 9, 0.6)
    sway = place(0, 0.006 * near * np.sin(2 * np.pi * t / 3.1))
    return np.asarray(sway @ centre @ place(-0.30 * near * ease, 0, scale=zoom) @ np.linalg.inv(centre))


@dataclass(frozen=True)
class Layer:
    """A texture and where it is."""

    name: str
    texture: NDArray[np.uint8]
    """(H, W, 4) uint8 RGBA, premultiplied."""
    origin: Matrix
    """Texture pixels to the layer's plane (units of picture height)."""
    motion: Callable[[float], Matrix]
    """Seconds to the map from the layer's plane to the view (units of picture height)."""


class Scene:
    """The scene at one frame size.

    Args:
        width, height: of the frames, pixels. The view is `height` high and as wide as `width` allows, at most 16:9.
        seed: of the painted textures.

    Raises:
        ValueError: wider than 16:9.
    """

    def __init__(self, width: int = SIZE[0], height: int = SIZE[1], *, seed: int = 3) -> None:
        if width * 9 > height * 16:
            raise ValueError(f"{width}x{height} is wider than 16:9")
        self.size = (width, height)
        rng = np.random.default_rng(seed)
        density = 1.25 * height
        parts: list[tuple[str, Canvas, Callable[[float], Matrix]]] = [
            ("sky", layers.sky(rng, density), lambda t: camera(t, 0.05) @ place(0.012 * t, 0)),
            ("mountains", layers.mountains(rng, density), lambda t: camera(t, 0.15)),
            (
                "birds",
                layers.birds(density),
                lambda t: camera(t, 0.2) @ place(0.45 + 0.19 * t, 0.24 - 0.02 * t, turn=-0.08),
            ),
            ("hills", layers.hills(rng, density), lambda t: camera(t, 0.35)),
            (
                "balloon",
                layers.balloon(density),
                lambda t: (
                    camera(t, 0.4) @ place(0.72 + 0.035 * t, 0.33 - 0.028 * t, scale=1.15, turn=0.05 * np.sin(1.4 * t))
                ),
            ),
            ("lake", layers.lake(rng, density), lambda t: camera(t, 0.5)),
            (
                "boat",
                layers.boat(density),
                lambda t: (
                    camera(t, 0.55)
                    @ place(1.62 - 0.10 * t, 0.80 + 0.004 * np.sin(2.6 * t), turn=0.035 * np.sin(2.1 * t))
                ),
            ),
            ("meadow", layers.meadow(rng, density), lambda t: camera(t, 1.0)),
            ("tree", layers.tree(rng, density), lambda t: camera(t, 1.3)),
        ]
        self.layers = [Layer(name, canvas.premultiplied(), origin(canvas), motion) for name, canvas, motion in parts]

    def matrix(self, layer: Layer, t: float) -> Matrix:
        """The layer's texture pixels to the frame's pixels at time t (pixel centres at whole numbers)."""
        height = self.size[1]
        to_pixels = place(-0.5, -0.5, scale=height)
        return np.asarray(to_pixels @ layer.motion(t) @ layer.origin)

    def render(self, t: float) -> NDArray[np.uint8]:
        """The frame at time t, seconds: (H, W, 3) uint8 RGB."""
        frame = np.zeros((self.size[1], self.size[0], 3), np.float32)
        for layer in self.layers:
            rgba = self._warped(layer, t)
            frame = frame * (1 - rgba[..., 3:]) + rgba[..., :3]
        return np.round(np.clip(frame, 0, 1) * 255).astype(np.uint8)

    def owners(self, t: float) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """Which layer is seen at each pixel (index into `layers`), and where it alone is seen (no blended edge)."""
        shape = (self.size[1], self.size[0])
        owner = np.zeros(shape, np.int16)
        pure = np.ones(shape, bool)
        for i, layer in enumerate(self.layers):
            alpha = self._warped(layer, t)[..., 3]
            owner[alpha >= 0.5] = i
            pure = np.where(alpha > 0.998, True, pure & (alpha < 0.002))
        return owner, pure

    def flow(self, t0: float, t1: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The exact motion from the frame at t0 to the frame at t1 (seconds, either order).

        Returns:
            flow: (H, W, 2) float32 pixels (x right, y down): what is seen at (x, y) at t0 is at (x, y) + flow[y, x] at t1.
            visible: (H, W) bool: False where it is hidden or outside at t1, or where layers blend at either time.
        """
        width, height = self.size
        owner, pure = self.owners(t0)
        later, later_pure = self.owners(t1)
        y, x = np.mgrid[:height, :width].astype(np.float64)
        target = np.stack([x, y], -1)
        points = np.stack([x, y, np.ones_like(x)], -1)
        for i, layer in enumerate(self.layers):
            move = self.matrix(layer, t1) @ np.linalg.inv(self.matrix(layer, t0))
            here = owner == i
            target[here] = points[here] @ move[:2].T
        inside = ((target >= 0) & (target <= (width - 1, height - 1))).all(-1)
        low = np.floor(np.clip(target, 0, (width - 1, height - 1))).astype(int)
        visible = pure & inside
        # All four pixels that bilinear sampling would touch must show the same layer, unblended.
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            j, i = np.minimum(low[..., 1] + dy, height - 1), np.minimum(low[..., 0] + dx, width - 1)
            visible &= (later[j, i] == owner) & later_pure[j, i]
        return (target - np.stack([x, y], -1)).astype(np.float32), visible

    def _warped(self, layer: Layer, t: float) -> NDArray[np.float32]:
        """(H, W, 4) float32 in [0, 1], premultiplied."""
        warped = cv2.warpAffine(layer.texture, self.matrix(layer, t)[:2], self.size, flags=cv2.INTER_LINEAR)
        return np.asarray(warped, np.float32) / np.float32(255)


def origin(canvas: Canvas) -> Matrix:
    """The map from texture pixels (centres at whole numbers) to the layer's plane."""
    h, w = canvas.alpha.shape
    sx, sy = canvas.width / w, canvas.height / h
    return np.array([[sx, 0, canvas.x0 + sx / 2], [0, sy, canvas.y0 + sy / 2], [0, 0, 1]])
