"""Sunrise over a valley with irises, in leaded glass with the light behind it."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, blur, grid, noise, ramp, relief, rgb, smooth
from numpy.typing import NDArray
from pieces import Cartoon
from scenery import curve_through, ridge

SIZE = 1024
SUN = (0.50, 0.47)


def petal(x: float, y: float, angle: float, length: float, width: float, bend: float = 0.0) -> NDArray[np.float64]:
    """Outline of a petal from (x, y) outward along `angle`."""
    t = np.array([0, 0.25, 0.55, 0.85, 1.0])
    w = np.array([0.10, 0.62, 1.0, 0.6, 0.0]) * width
    spine = np.stack([t * length, bend * t * t * length], 1)
    left, right = spine + np.stack([0 * w, w], 1), spine - np.stack([0 * w, w], 1)
    outline = curve_through(np.concatenate([left, right[::-1][1:]]), 160)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([x + outline[:, 0] * c - outline[:, 1] * s, y + outline[:, 0] * s + outline[:, 1] * c], 1)


def stem(points: list[tuple[float, float]], width: float) -> NDArray[np.float64]:
    c = curve_through(np.array(points), 80)
    d = np.gradient(c, axis=0)
    n = np.stack([-d[:, 1], d[:, 0]], 1) / np.linalg.norm(d, axis=1, keepdims=True) * width
    return np.concatenate([c + n, (c - n)[::-1]])


def design(rng: np.random.Generator) -> Cartoon:
    x, y = grid(SIZE)
    art = Cartoon(SIZE)
    n = noise(rng, SIZE, 220, 4)
    dx, dy = x - SUN[0], y - SUN[1]
    r, a = np.hypot(dx, dy), np.arctan2(dy, dx)
    # Sky: rays that sway as they leave the sun, cut by rings that shift from ray to ray.
    ray = np.floor((a + 0.35 * np.sin(5 * r + 0.5)) / (2 * np.pi) * 22)
    ring = np.floor(r * 6.2 + 0.35 * np.mod(ray * 0.618, 1))
    warm = ray.astype(int) % 2 == 0
    sky = np.where(warm[..., None], ramp(1.15 * r + 0.04 * n, "#fff0a0", "#ffc23d", "#f2842c", "#d9456b", "#7a3fa8", "#2f3fae"),
                   ramp(1.15 * r + 0.04 * n, "#ffe27a", "#f79d35", "#e2506a", "#8d45b5", "#3457c4", "#1f8fd0"))
    art.put(np.ones_like(x), sky, (ray * 100 + ring).astype(int))
    for radius, stops in ((0.135, ("#ff9d2e", "#ffd24a")), (0.085, ("#fff6c8", "#ffe15a"))):
        art.put(r < radius, ramp(r / radius, *stops), ((a / (2 * np.pi) + 0.5) * (12 if radius > 0.1 else 1)).astype(int))
    # Hills and river, cut across.
    for k, (base, h, stops) in enumerate([
        (0.545, 0.04, ("#5b6fd0", "#8f7fd8", "#3a4fb0")), (0.60, 0.05, ("#2f9a9a", "#1f6f9f", "#58c0a0")),
        (0.67, 0.05, ("#2f8f4f", "#7fc04a", "#1f6f5f")), (0.77, 0.04, ("#9fc83a", "#3f9a3f", "#d8d84a")),
    ]):
        line = ridge(rng, x, base, h)
        cut = np.floor(x * (7 + k) + 0.35 * np.sin(6 * y + k) + 1.2 * (y - line)).astype(int) * 10 + np.floor((y - line) / 0.075).astype(int)
        art.put(y > line, ramp(0.5 + 0.25 * n + 0.25 * np.sin(4 * cut), *stops), cut)
    river = 0.50 + 0.16 * np.sin(7.5 * (y - 0.56)) * (y - 0.50) / 0.25
    wide = 0.012 + 0.42 * np.clip(y - 0.58, 0, 1) ** 1.35
    band = np.floor(np.clip(y - 0.58, 0, 1) ** 0.7 * 14 + 0.5 * np.sin(14 * (x - river)))
    art.put((np.abs(x - river) < wide) & (y > 0.585), ramp(0.5 + 0.5 * np.sin(2.2 * band) + 0.08 * n, "#1f5fc0", "#3fb0e0", "#bff0f0"), band.astype(int))
    # Irises in front.
    for fx, fy, s, stops in ((0.20, 0.60, 1.0, ("#3f2fa0", "#7f5fe0", "#cfa8ff")), (0.80, 0.56, 1.1, ("#a01f6f", "#e04f9f", "#ffc0d8")), (0.42, 0.79, 0.72, ("#c03f1f", "#ff8f3f", "#ffe08f")), (0.64, 0.83, 0.62, ("#2f4fc0", "#5f9ff0", "#d0f0ff"))):
        lean = 0.06 * (0.5 - fx)
        art.put_shape(stem([(fx, fy + 0.03), (fx + lean, fy + 0.2), (fx + lean, 1.02)], 0.012 * s), ramp(0.5 + 0.3 * n, "#1f7f3f", "#6fc04f"), np.floor(y * 9).astype(int))
        for side in (-1, 1):
            leaf = petal(fx + lean, 1.0, -np.pi / 2 + side * 0.30, 0.34 * s, 0.034 * s, side * 0.28)
            art.put_shape(leaf, ramp(0.5 + 0.35 * n, "#0f6f4f", "#3fae4f", "#a8e06f"), np.floor(y * 7 + side).astype(int))
        for angle, length, width, bend in ((2.75, 0.135, 0.052, -0.5), (0.39, 0.135, 0.052, 0.5), (np.pi / 2, 0.15, 0.055, 0.0), (-2.25, 0.15, 0.050, 0.35), (-0.89, 0.15, 0.050, -0.35), (-np.pi / 2, 0.165, 0.052, 0.0)):
            outline = petal(fx, fy, angle, length * s, width * s, bend)
            d = np.hypot(x - fx, y - fy) / (length * s)
            side = np.sign((x - fx) * np.sin(angle) - (y - fy) * np.cos(angle))
            art.put_shape(outline, ramp(np.clip(1.05 - d + 0.12 * n, 0, 1), *stops), (d > 0.58).astype(int) * 3 + (side > 0).astype(int))
        art.put(np.hypot(x - fx, (y - fy)) < 0.022 * s, ramp(0.5 + 0.2 * n, "#ffd23f", "#fff3a0"))
    # A border of jewels.
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    along = np.where(np.minimum(x, 1 - x) < np.minimum(y, 1 - y), y, x)
    jewel = np.floor(along * 14)
    palette = ramp(np.mod(jewel * 0.381966, 1).astype(np.float32), "#b01f3f", "#e8a02f", "#1f6fb0", "#2f9f5f", "#7f3fb0", "#e0602f")
    side = (x < y).astype(int) + 2 * (x + y < 1).astype(int)
    art.put(edge < 0.045, palette, (jewel + 100 * side).astype(int))
    art.put((edge < 0.056) & (edge >= 0.045), np.broadcast_to(np.float32(rgb("#f0dfa8")), (SIZE, SIZE, 3)), np.floor(along * 5).astype(int) + 100 * side)
    return art


def glass(rng: np.random.Generator, art: Cartoon) -> Image:
    """Each piece its own sheet: its own tint, its own direction of streaks, seeds and ripples."""
    piece, count = art.pieces()
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    turn = rng.uniform(0, 2 * np.pi, count).astype(np.float32)[piece]
    shift = rng.uniform(0, 4000, (2, count)).astype(np.float32)
    streaks = cv2.resize(noise(rng, SIZE, 40, 4), (SIZE * 4, SIZE // 1), interpolation=cv2.INTER_CUBIC)
    u = x * np.cos(turn) + y * np.sin(turn) + shift[0][piece]
    v = -x * np.sin(turn) + y * np.cos(turn) + shift[1][piece]
    streak = cv2.remap(streaks, np.mod(u, 4 * SIZE - 1), np.mod(v, SIZE - 1), cv2.INTER_LINEAR)
    tint = rng.normal(0, 0.06, (count, 1)) + rng.normal(0, 0.045, (count, 3))
    sheet = art.colour + tint.astype(np.float32)[piece]
    sheet = sheet * (1 + 0.16 * streak + 0.06 * noise(rng, SIZE, 14, 2))[..., None]
    ripple = noise(rng, SIZE, 26, 3)
    sheet = relief(sheet.astype(np.float32), ripple * 2.2, 0.35, 0.25)
    seeds = smooth(2.6, 3.2, noise(rng, SIZE, 7, 1))
    return sheet + 0.22 * seeds[..., None]


def leaded(sheet: Image, away: Field, came: float) -> Image:
    """The sheet between lead cames of half width `came`, with the patina that gathers beside them."""
    lit = sheet * (0.42 + 0.62 * smooth(came * 0.8, came * 4.5, away))[..., None]
    glow = cv2.GaussianBlur(np.clip(lit, 0, 1) ** 2, (0, 0), 14)
    lit = lit + 0.22 * glow
    profile = np.sqrt(np.clip(1 - (away / came) ** 2, 0, 1))
    metal = relief(np.broadcast_to(np.float32(rgb("#2a2a30")), lit.shape).copy(), blur(profile, 1.2) * came, 1.1, 0.55)
    share = smooth(came + 0.8, came - 0.8, away)
    return (lit * (1 - share[..., None]) + metal * share[..., None]).astype(np.float32)


def picture(rng: np.random.Generator) -> Image:
    art = design(rng)
    return leaded(glass(rng, art), art.away(), 5.2)
