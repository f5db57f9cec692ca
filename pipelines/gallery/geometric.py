"""Circles, wedges, grids and arcs in balance: abstraction as it began a century ago, with the brush still to be seen."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, blur, grid, mask_of, mix, noise, ramp, relief, smooth
from numpy.typing import NDArray

SIZE = 1024


class Plate:
    """The picture while shapes are laid on it: each with its own dry-brush texture, shading and soft shadow."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.x, self.y = grid(SIZE)
        self.brushed = [self._brushed(a) for a in np.linspace(0, np.pi, 7)[:-1]]
        self.image: Image = np.zeros((SIZE, SIZE, 3), np.float32)
        self.height: Field = np.zeros((SIZE, SIZE), np.float32)

    def _brushed(self, angle: float) -> Field:
        fine = self.rng.standard_normal((SIZE, SIZE)).astype(np.float32)
        streak = cv2.GaussianBlur(fine, (0, 0), sigmaX=26, sigmaY=1.6)
        turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), float(np.degrees(angle)), 1.0)
        out = cv2.warpAffine(streak, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(out / out.std(), np.float32)

    def lay(self, inside: Field, colours: tuple[str, ...], angle: float, opacity: float = 1.0) -> None:
        """A shape whose colours run along `angle`."""
        if inside.max() <= 0:
            return
        along = self.x * np.cos(angle) + self.y * np.sin(angle)
        low, high = np.quantile(along[inside > 0.5], [0.02, 0.98]) if (inside > 0.5).any() else (0, 1)
        streak = self.brushed[int(self.rng.integers(6))]
        t = (along - low) / (high - low + 1e-6) + 0.09 * streak
        paint = ramp(t, *colours) * (1 + 0.06 * streak)[..., None]
        shadow = np.roll(blur(inside, 7), (7, 7), (0, 1)) * (1 - inside)
        self.image = self.image * (1 - 0.38 * opacity * shadow)[..., None]
        self.image = mix(self.image, paint.astype(np.float32), opacity * inside)
        self.height = self.height * (1 - inside) + inside * (2.0 + 0.55 * streak)

    def polygon(self, points: list[tuple[float, float]], colours: tuple[str, ...], angle: float = 0.6, opacity: float = 1.0) -> None:
        self.lay(mask_of(SIZE, np.array(points)), colours, angle, opacity)

    def ring(self, cx: float, cy: float, outer: float, inner: float, colours: tuple[str, ...], opacity: float = 1.0) -> None:
        d = np.hypot(self.x - cx, self.y - cy)
        e = 1 / SIZE
        self.lay(smooth(outer + e, outer - e, d) * smooth(inner - e, inner + e, d) if inner else smooth(outer + e, outer - e, d), colours, self.rng.uniform(0, 3), opacity)

    def stroke(self, points: NDArray[np.floating], width: float, colours: tuple[str, ...]) -> None:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        cv2.polylines(mask, [np.round(np.asarray(points) * SIZE * 16).astype(np.int32)], False, 255, max(1, round(width * SIZE)), cv2.LINE_AA, shift=4)
        self.lay(mask.astype(np.float32) / 255, colours, 0.7)


def picture(rng: np.random.Generator) -> Image:
    p = Plate(rng)
    x, y = p.x, p.y
    # Ground: broad overlapping planes of warm and cool light.
    p.lay(np.ones_like(x), ("#f2dfb4", "#e8c48a", "#c98f6a", "#8fa8b0"), 0.8)
    for points, colours in (
        ([(0, 0), (0.55, 0), (0.20, 0.62), (0, 0.70)], ("#2f6f8f", "#8fc0b8", "#e8dcb0")),
        ([(0.55, 0), (1, 0), (1, 0.42), (0.62, 0.30)], ("#f0b048", "#e8743a", "#b83a3a")),
        ([(0.62, 1), (1, 0.55), (1, 1)], ("#3a3f78", "#5f6fb0", "#d88f9a")),
        ([(0, 0.78), (0.42, 0.66), (0.60, 1), (0, 1)], ("#c8503a", "#f0a04a", "#f4dc98")),
        ([(0.30, 0.45), (0.85, 0.30), (0.95, 0.62), (0.45, 0.78)], ("#f6ecd0", "#d8c8a0", "#9fb8a8")),
    ):
        p.polygon(points, colours, rng.uniform(0, 3), 0.92)
    # The great circle and its halo.
    for outer, inner, colours, opacity in (
        (0.235, 0, ("#7f2f5a", "#c84a5a", "#f0a060"), 0.55), (0.190, 0, ("#1a1f38", "#343a68"), 1), (0.165, 0, ("#6a3f9a", "#b05aa0", "#e88a8a"), 1),
        (0.118, 0, ("#101428", "#2a2f58"), 1), (0.098, 0, ("#e8452f", "#f8a03a"), 1), (0.052, 0, ("#ffe08a", "#f8c04a"), 1), (0.024, 0, ("#1f3f8f", "#4f8fd0"), 1),
    ):
        p.ring(0.285, 0.265, outer, inner, colours, opacity)
    # Wedges and bars.
    p.polygon([(0.08, 0.98), (0.50, 0.20), (0.575, 0.235)], ("#14182c", "#343a60"), 1.2)
    p.polygon([(0.16, 0.98), (0.56, 0.30), (0.60, 0.33)], ("#e84030", "#f8903a", "#ffd870"), 1.2)
    p.polygon([(0.98, 0.10), (0.40, 0.62), (0.36, 0.56)], ("#1f5fb0", "#58b0d8"), 0.3)
    p.polygon([(0.70, 0.60), (0.98, 0.86), (0.60, 0.93)], ("#f4c83a", "#f08a2a", "#d8452f"), 0.5)
    p.polygon([(0.735, 0.665), (0.90, 0.835), (0.665, 0.875)], ("#20305f", "#3f6fb0"), 2.0)
    p.polygon([(0.765, 0.725), (0.84, 0.815), (0.70, 0.84)], ("#f6efdc", "#e0b8a0"), 2.0)
    # Chequered planes in perspective.
    for corner, u, v, n in (((0.60, 0.36), (0.30, -0.08), (0.06, 0.20), 6), ((0.08, 0.70), (0.18, -0.06), (0.06, 0.16), 4)):
        c, a, b = (np.array(q) for q in (corner, u, v))
        for i in range(n):
            for j in range(n):
                quad = [tuple(c + a * (i + di) / n + b * (j + dj) / n) for di, dj in ((0, 0), (1, 0), (1, 1), (0, 1))]
                pair = (("#1a1c2c", "#3a3a58"), ("#f4ead0", "#e8c890"), ("#d8402f", "#f07a4a"), ("#2f7f8f", "#6fc0b0"))
                p.polygon(quad, pair[(i + j) % 2 if (i * 3 + j * 5) % 7 else 2 + (i % 2)], 0.5)
    for cx, cy, r, colours in ((0.78, 0.165, 0.085, ("#2f8f7f", "#a8d890")), (0.80, 0.150, 0.050, ("#f4e060", "#f0a030")), (0.125, 0.545, 0.060, ("#f0d04a", "#e8702f")), (0.135, 0.535, 0.032, ("#2a2f68", "#5f5fb0")), (0.55, 0.71, 0.070, ("#3f8fc0", "#b0e0d8")), (0.565, 0.695, 0.040, ("#e84a5a", "#f8b0a0")), (0.36, 0.90, 0.058, ("#2f2a58", "#8f5aa8")), (0.37, 0.89, 0.026, ("#f8d860", "#f8f0c0")), (0.93, 0.49, 0.045, ("#b83a58", "#f0808a"))):
        p.ring(cx, cy, r, 0, colours)
    for cx, cy, r, w, colours in ((0.78, 0.165, 0.112, 0.008, ("#14182c", "#14182c")), (0.55, 0.71, 0.092, 0.006, ("#14182c", "#3a2a4a")), (0.36, 0.90, 0.080, 0.010, ("#e8452f", "#f8a03a")), (0.93, 0.49, 0.066, 0.007, ("#14182c", "#14182c"))):
        p.ring(cx, cy, r, r - w, colours)
    # Arcs, rays, ladders.
    for k in range(5):
        t = np.linspace(-2.6 + 0.06 * k, -0.9 + 0.12 * k, 60)
        r = 0.30 + 0.028 * k
        p.stroke(np.stack([0.66 + r * np.cos(t), 0.98 + r * np.sin(t)], 1), 0.013 - 0.0012 * k, [("#14182c", "#3a3f68"), ("#e8452f", "#f8a03a"), ("#f6ecd0", "#f0d8a0"), ("#1f6fa0", "#6fc0d0"), ("#14182c", "#14182c")][k])
    for k in range(9):
        a = -0.35 + 0.17 * k
        p.stroke(np.array([[0.285 + 0.245 * np.cos(a), 0.265 + 0.245 * np.sin(a)], [0.285 + (0.31 + 0.03 * (k % 3)) * np.cos(a), 0.265 + (0.31 + 0.03 * (k % 3)) * np.sin(a)]]), 0.007, ("#14182c", "#14182c"))
    for a, b, w in (((0.02, 0.40), (0.98, 0.69), 0.006), ((0.66, 0.02), (0.50, 0.98), 0.0045), ((0.40, 0.02), (0.97, 0.36), 0.004), ((0.03, 0.62), (0.66, 0.50), 0.0045), ((0.90, 0.28), (0.76, 0.98), 0.006)):
        p.stroke(np.array([a, b]), w, ("#14182c", "#2a2438"))
    for k in range(11):
        s = np.array([0.045 + 0.020 * k, 0.045 + 0.006 * k])
        p.stroke(np.array([s, s + np.array([0.012, 0.07])]), 0.006, ("#f6ecd0", "#f0c060"))
        s = np.array([0.955, 0.60 + 0.030 * k])
        p.stroke(np.array([s, s + np.array([0.035, 0.004])]), 0.009, (("#14182c", "#14182c"), ("#e8452f", "#f8a03a"))[k % 2])
    wave = np.linspace(0, 1, 160)
    p.stroke(np.stack([0.05 + 0.30 * wave, 0.93 - 0.05 * wave + 0.016 * np.sin(40 * wave)], 1), 0.009, ("#14182c", "#2f5f9f"))
    p.stroke(np.stack([0.66 + 0.30 * wave, 0.045 + 0.010 * np.sin(60 * wave)], 1), 0.008, ("#fff0c8", "#ffd870"))
    canvas = np.sin(2 * np.pi * x * SIZE / 7) * np.sin(2 * np.pi * y * SIZE / 7)
    return relief(p.image, blur(p.height, 0.9) + 0.22 * canvas.astype(np.float32) + 0.2 * noise(rng, SIZE, 8, 2), 0.34, 0.12)
