"""Whiplash stems, poppies and peacock eyes on gold: ornament with a dark contour that swells and thins."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, blur, grid, mix, noise, ramp, relief, rgb, smooth
from numpy.typing import NDArray
from scenery import curve_through
from stained_glass import petal

SIZE = 1024
INK = "#2a1a22"
Curve = NDArray[np.float64]


class Poster:
    """Flat shapes with a contour and a fine pattern of their own, printed over gold."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.x, self.y = grid(SIZE)
        self.n = noise(rng, SIZE, 150, 4)
        scales = self.scales(0.052)
        self.image: Image = mix(
            ramp(0.5 + 0.25 * self.n - 0.3 * (self.y - 0.5), "#b8842a", "#dcb04a", "#f4dc8a"), rgb("#8a5a20"), 0.75 * scales
        )
        self.ink: Field = np.zeros((SIZE, SIZE), np.float32)

    def scales(self, pitch: float) -> Field:
        """Overlapping fish scales drawn in line."""
        row = np.floor(self.y / (pitch / 2))
        out = np.zeros_like(self.x)
        for k in (0, 1):
            r = row - k
            cx = (np.floor(self.x / pitch - 0.5 * np.mod(r, 2)) + 0.5 + 0.5 * np.mod(r, 2)) * pitch
            d = np.hypot(self.x - cx, self.y - r * pitch / 2) / pitch
            for radius in (0.5, 0.34, 0.18):
                ring = smooth(0.055, 0.025, np.abs(d - radius)) * (d <= 0.53)
                out = np.maximum(out * (1 - (d < 0.5) * (k == 0)), ring) if k == 0 else np.where((d < 0.53) & (out == 0), ring, out)
        return out.astype(np.float32)

    def fill(self, outline: Curve, colours: tuple[str, ...], along: Field, *, contour: float = 5.0) -> Field:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        points = [np.round(outline * SIZE * 16).astype(np.int32)]
        cv2.fillPoly(mask, points, 255, cv2.LINE_AA, shift=4)
        inside = mask.astype(np.float32) / 255
        self.image = mix(self.image, ramp(along + 0.10 * self.n, *colours), inside)
        self.ink = self.ink * (1 - inside)
        self.line(np.concatenate([outline, outline[:3]]), contour)
        return inside

    def line(self, points: Curve, width: float, *, swell: bool = True) -> None:
        p = points * SIZE
        d = np.gradient(p, axis=0)
        n = np.stack([-d[:, 1], d[:, 0]], 1) / (np.linalg.norm(d, axis=1, keepdims=True) + 1e-9)
        t = np.linspace(0, 1, len(p))[:, None]
        w = width / 2 * ((0.7 + 0.5 * np.sin(np.pi * t * 2 + 0.6) ** 2) if swell else np.ones_like(t))
        mask = np.zeros((SIZE, SIZE), np.uint8)
        quads = np.concatenate([p + n * w, (p - n * w)[::-1]])
        cv2.fillPoly(mask, [np.round(quads * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
        self.ink = np.maximum(self.ink, mask.astype(np.float32) / 255)

    def ribbon(self, points: list[tuple[float, float]], width: float, colours: tuple[str, ...]) -> None:
        c = curve_through(np.array(points), 220)
        d = np.gradient(c, axis=0)
        n = np.stack([-d[:, 1], d[:, 0]], 1) / (np.linalg.norm(d, axis=1, keepdims=True) + 1e-9)
        t = np.linspace(0, 1, len(c))[:, None]
        w = width * (0.25 + 0.75 * np.sin(np.pi * np.clip(t, 0.02, 1)) ** 0.7)
        self.fill(np.concatenate([c + n * w, (c - n * w)[::-1]]), colours, 3 * self.x + 2 * self.y - 1.5, contour=4.5)
        self.line(c[20:-20], 2.2)


def eye(p: Poster, x: float, y: float, s: float, angle: float) -> None:
    """A peacock feather's eye, with the barbs around it."""
    for k, (scale, colours) in enumerate(((1.0, ("#1f6f5a", "#6fae5a", "#c8c85a")), (0.72, ("#c8862a", "#f0c860")), (0.52, ("#1f8f98", "#58c0b8")), (0.32, ("#1a2f78", "#3a5fb8")))):
        outline = petal(x - 0.5 * s * np.cos(angle) * scale, y - 0.5 * s * np.sin(angle) * scale, angle, s * 1.05 * scale, 0.40 * s * scale)
        p.fill(outline, colours, np.hypot(p.x - x, p.y - y) / s * 1.6, contour=4.5 - 0.6 * k)
        if k == 0:
            for a in np.linspace(-1.0, 1.0, 17):
                b = angle + 0.9 * a
                start = np.array([x - 0.25 * s * np.cos(angle), y - 0.25 * s * np.sin(angle)])
                end = start + 0.62 * s * (1 - 0.25 * a * a) * np.array([np.cos(b), np.sin(b)])
                p.line(np.linspace(start, end, 12), 1.8, swell=False)


def poppy(p: Poster, x: float, y: float, s: float, colours: tuple[str, ...], turn: float) -> None:
    """Five broad petals with veins, a dark heart and a ring of stamens."""
    for k in range(5):
        a = turn + 2 * np.pi * k / 5
        p.fill(petal(x, y, a, s, 0.50 * s, p.rng.normal(0, 0.5)), colours, np.hypot(p.x - x, p.y - y) / s)
        for v in np.linspace(-0.42, 0.42, 6):
            t = np.linspace(0.28, 0.86 - 0.5 * abs(v), 14)
            p.line(np.stack([x + s * t * np.cos(a + v * t * 1.2), y + s * t * np.sin(a + v * t * 1.2)], 1), 2.0, swell=False)
    t = np.linspace(0, 2 * np.pi, 60)
    p.fill(np.stack([x + 0.20 * s * np.cos(t), y + 0.20 * s * np.sin(t)], 1), ("#3a2038", "#6a3a5a"), p.x, contour=4)
    for a in np.linspace(0, 2 * np.pi, 17)[:-1]:
        c = (x + 0.30 * s * np.cos(a), y + 0.30 * s * np.sin(a))
        p.fill(np.stack([c[0] + 0.032 * s * np.cos(t), c[1] + 0.032 * s * np.sin(t)], 1), ("#f8d860", "#fff0a8"), p.y, contour=2)


def picture(rng: np.random.Generator) -> Image:
    p = Poster(rng)
    x, y = p.x, p.y
    # A round window of evening sky with its rays, and hills below.
    t = np.linspace(0, 2 * np.pi, 200)
    for r, colours in ((0.405, ("#7a2f3a", "#b0503f")), (0.380, ("#f4dc98", "#e8b860")), (0.352, ("#f8d8a0", "#f0a080", "#8f8fc0", "#3f6f98"))):
        p.fill(np.stack([0.5 + r * np.cos(t), 0.47 + r * np.sin(t)], 1), colours, 1.15 - 1.3 * y + 0.1 if r < 0.36 else 2 * x - 0.5, contour=6)
    within = np.hypot(x - 0.5, y - 0.47) < 0.350
    a = np.arctan2(y - 0.56, x - 0.5)
    rays = within & (np.sin(26 * a + 1.2 * np.sin(9 * np.hypot(x - 0.5, y - 0.56))) > 0.25) & (y < 0.60)
    p.image = mix(p.image, ramp(np.hypot(x - 0.5, y - 0.56) * 2.6, "#fff4b8", "#f8c070", "#d8788a", "#586fa8"), 0.75 * blur(rays.astype(np.float32), 1))
    sun = np.stack([0.5 + 0.085 * np.cos(t), 0.56 + 0.085 * np.sin(t)], 1)
    p.fill(sun, ("#fff0a0", "#ffc850", "#f08a3a"), np.hypot(x - 0.5, y - 0.56) * 11)
    for k, (base, colours) in enumerate(((0.58, ("#4f6f98", "#88a8a8")), (0.64, ("#2f6f6a", "#6fa880")), (0.71, ("#1f5048", "#4f8a58")))):
        xs = np.linspace(0.5 - 0.349, 0.5 + 0.349, 160)
        top = base + 0.030 * np.sin(11 * xs + 2.2 * k) + 0.012 * np.sin(27 * xs + k)
        bottom = 0.47 + np.sqrt(np.clip(0.350**2 - (xs - 0.5) ** 2, 0, None))
        good = bottom > top
        p.fill(np.concatenate([np.stack([xs, top], 1)[good], np.stack([xs, bottom], 1)[good][::-1]]), colours, 4 * (y - base) + 0.3)
        for j in range(1, 5):
            p.line(np.stack([xs, top + 0.014 * j + 0.006 * np.sin(19 * xs + j)], 1)[good & (bottom > top + 0.014 * j + 0.01)][::1], 2.2)
    # Stems that whip up on both sides and curl over the window.
    for flip in (1, -1):
        def side(points: list[tuple[float, float]], flip: int = flip) -> list[tuple[float, float]]:
            return [(0.5 + flip * (px - 0.5), py) for px, py in points]

        greens = ("#1f4a3a", "#4f8a4a", "#a8b85a")
        p.ribbon(side([(0.30, 1.03), (0.10, 0.88), (0.055, 0.60), (0.10, 0.34), (0.24, 0.10), (0.40, 0.045), (0.46, 0.11), (0.40, 0.16), (0.34, 0.12)]), 0.016, greens)
        p.ribbon(side([(0.42, 1.03), (0.24, 0.93), (0.13, 0.78), (0.12, 0.58), (0.05, 0.40), (0.02, 0.22), (0.09, 0.12), (0.15, 0.17), (0.11, 0.22)]), 0.012, greens)
        p.ribbon(side([(0.48, 1.03), (0.36, 0.86), (0.24, 0.84), (0.17, 0.91), (0.22, 0.97), (0.28, 0.94)]), 0.011, greens)
        for lx, ly, angle, s in ((0.075, 0.72, -2.2, 0.13), (0.09, 0.42, -0.6, 0.11), (0.20, 0.16, -2.6, 0.12), (0.30, 0.07, 0.9, 0.09), (0.17, 0.86, 0.5, 0.12), (0.06, 0.50, 2.8, 0.08)):
            b = angle if flip == 1 else np.pi - angle
            fx = 0.5 + flip * (lx - 0.5)
            p.fill(petal(fx, ly, b, s, 0.026, 0.6 * flip), greens[::-1], 6 * (y - ly) + 0.5)
            p.line(np.linspace((fx, ly), (fx + 0.9 * s * np.cos(b), ly + 0.9 * s * np.sin(b)), 12), 2.2)
        eye(p, 0.5 - flip * 0.435, 0.905, 0.13, -np.pi / 2 - flip * 0.5)
        eye(p, 0.5 - flip * 0.445, 0.315, 0.10, -np.pi / 2 - flip * 0.2)
    for fx, fy, s, colours, turn in (
        (0.16, 0.72, 0.115, ("#7a1a2a", "#d83a3a", "#f8905a"), 0.2), (0.84, 0.72, 0.115, ("#7a1a2a", "#d83a3a", "#f8905a"), 0.9), (0.50, 0.875, 0.125, ("#8a2a1a", "#f06a2a", "#ffc06a"), 0.5),
        (0.30, 0.885, 0.080, ("#5a2a68", "#a868b0", "#f0b8d0"), 0.0), (0.70, 0.885, 0.080, ("#5a2a68", "#a868b0", "#f0b8d0"), 0.7), (0.50, 0.085, 0.080, ("#b83a4a", "#f0908a", "#ffe0c8"), 0.3), (0.12, 0.10, 0.075, ("#7a1a2a", "#e0503a", "#f8a86a"), 0.1), (0.88, 0.10, 0.075, ("#7a1a2a", "#e0503a", "#f8a86a"), 0.6),
    ):
        poppy(p, fx, fy, s, colours, turn)
    image = mix(p.image, rgb(INK), p.ink)
    # Lithograph: crayon grain in the tones, gold that catches the light, a soft aged sheet.
    crayon = noise(rng, SIZE, 5, 2)
    image = image * (1 + 0.07 * crayon * (1 - p.ink))[..., None]
    return relief(image.astype(np.float32), blur(1.5 * (1 - p.ink), 1.2) + 0.25 * crayon, 0.28, 0.18)
