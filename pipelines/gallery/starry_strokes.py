"""A village in a valley at night, the sky turning around its stars."""

from __future__ import annotations

import numpy as np
from fields import Field, Image, blur, grid, mask_of, mix, noise, ramp, rgb, smooth
from strokes import Brush, paint

SIZE = 1024
STARS = [(0.13, 0.13, 0.050), (0.34, 0.09, 0.035), (0.52, 0.27, 0.060), (0.24, 0.33, 0.040), (0.68, 0.10, 0.038), (0.42, 0.43, 0.028), (0.93, 0.42, 0.040), (0.06, 0.44, 0.030)]
MOON = (0.82, 0.19, 0.085)


def ridge(x: Field, base: float, seed: int, height: float) -> Field:
    rng = np.random.default_rng(seed)
    y = np.full_like(x, base)
    for k in (1.3, 2.7, 5.1):
        y += height / k * np.sin(2 * np.pi * (k * x + rng.uniform()))
    return y


def picture(rng: np.random.Generator) -> Image:
    x, y = grid(SIZE)
    # The sky: rings of light about the stars and two great eddies between them.
    n = noise(rng, SIZE, 300, 3)
    eddy = np.sin(38 * np.hypot(x - 0.40, (y - 0.25) * 1.25) + 5 * np.arctan2(y - 0.25, x - 0.4) + n * 0.6)
    sky = ramp(0.42 + 0.22 * eddy + 0.08 * n - 0.25 * (y - 0.3), "#0b1437", "#14307c", "#2459b0", "#4f8fd0", "#a9d0dc")
    sky = mix(sky, rgb("#bcd8c0"), 0.55 * np.exp(-(((y - 0.56 - 0.03 * np.sin(9 * x)) / 0.06) ** 2)).astype(np.float32))
    angle = np.arctan2(0.35 * np.cos(9 * x + 4 * y) + 0.2 * n, np.ones_like(x))
    vx, vy = np.cos(angle), np.sin(angle)
    for cx, cy, r, power, turn in [*((*s, 1.8, 1) for s in STARS), (*MOON, 2.5, 1), (0.40, 0.25, 0.15, 2.6, 1), (0.62, 0.40, 0.11, 2.2, -1)]:
        dx, dy = x - cx, y - cy
        d = np.hypot(dx, dy) + 1e-6
        w = power * np.exp(-((d / (r * 2.0)) ** 2)) * turn
        vx, vy = vx - w * dy / d * 1.6, vy + w * dx / d * 1.6
    for cx, cy, r in STARS:
        d = np.hypot(x - cx, y - cy) / r
        rings = 0.5 + 0.5 * np.cos(9 * d)
        halo = np.exp(-((d / 1.35) ** 2)).astype(np.float32)
        sky = mix(sky, mix(np.broadcast_to(np.float32(rgb("#f4d64a")), sky.shape), rgb("#f7f0c0"), rings.astype(np.float32)), 0.95 * halo)
        sky = mix(sky, rgb("#fffbe6"), smooth(0.42, 0.25, d))
    cx, cy, r = MOON
    d = np.hypot(x - cx, y - cy) / r
    sky = mix(sky, ramp(0.5 + 0.5 * np.cos(7 * d), "#f3b62d", "#f9e58a"), (0.95 * np.exp(-((d / 1.5) ** 2))).astype(np.float32))
    crescent = smooth(0.66, 0.58, d) * smooth(0.50, 0.60, np.hypot(x - cx - 0.03, y - cy + 0.012) / r)
    sky = mix(sky, rgb("#f08a1d"), crescent)
    image = sky
    # Hills, one behind the other.
    for k, (base, height, stops) in enumerate([
        (0.62, 0.035, ("#20407f", "#3a6cb0", "#6f9fc4")),
        (0.69, 0.05, ("#123063", "#27568f", "#4c88a8")),
        (0.77, 0.03, ("#10343f", "#1e5a58", "#5f9a6a")),
        (0.90, 0.03, ("#0b2a24", "#2d5f35", "#b0b352")),
    ]):
        top = ridge(x, base, 40 + k, height)
        inside = smooth(-0.002, 0.002, y - top)
        stripes = 0.5 + 0.35 * np.sin(60 * (y - top) + 6 * noise(rng, SIZE, 200, 2) * 0.3) + 0.12 * noise(rng, SIZE, 60, 2)
        image = mix(image, ramp(stripes - 1.2 * (y - top), *stops[:2][::1], stops[2]), inside)
        slope = np.gradient(top, axis=1) * SIZE
        vx, vy = vx * (1 - inside) + inside, vy * (1 - inside) + inside * (slope + 0.25 * np.sin(20 * x + 3 * k))
    # The village: walls, roofs, lit windows, a church.
    for i in range(17):
        hx, hy = 0.22 + 0.046 * i + rng.uniform(-0.012, 0.012), 0.800 + rng.uniform(-0.02, 0.045)
        w, h = rng.uniform(0.030, 0.048), rng.uniform(0.026, 0.040)
        wall = ["#3d5f8f", "#6d7fa0", "#2c4a78", "#8a7f78"][i % 4]
        image = mix(image, rgb(wall), mask_of(SIZE, np.array([[hx, hy], [hx + w, hy], [hx + w, hy + h], [hx, hy + h]])))
        roof = ["#8e3b2a", "#1b2c4f", "#b8632f", "#27406b"][i * 7 % 4]
        image = mix(image, rgb(roof), mask_of(SIZE, np.array([[hx - 0.006, hy], [hx + w / 2, hy - h * 0.75], [hx + w + 0.006, hy]])))
        for dx in (0.2, 0.6):
            a, b = hx + dx * w, hy + 0.3 * h
            image = mix(image, rgb("#ffd45e"), mask_of(SIZE, np.array([[a, b], [a + w * 0.22, b], [a + w * 0.22, b + h * 0.4], [a, b + h * 0.4]])))
    image = mix(image, rgb("#7f93b5"), mask_of(SIZE, np.array([[0.535, 0.72], [0.57, 0.72], [0.57, 0.83], [0.535, 0.83]])))
    image = mix(image, rgb("#1b2c4f"), mask_of(SIZE, np.array([[0.530, 0.72], [0.5525, 0.60], [0.575, 0.72]])))
    # A cypress like a flame, from the lower border into the stars.
    for cx, top, base, wide in [(0.115, 0.20, 1.02, 0.085), (0.205, 0.47, 1.02, 0.055)]:
        t = np.clip((y - top) / (base - top), 0, 1)
        half = wide * np.sin(np.pi * np.clip(t, 0, 1) ** 0.75) ** 0.8 * (0.75 + 0.25 * t) + 0.006 * np.sin(60 * y)
        sway = 0.018 * np.sin(7 * y + 1)
        inside = smooth(0.003, -0.003, np.abs(x - cx - sway) - half) * smooth(0, 0.01, t)
        tongue = 0.5 + 0.5 * np.sin(70 * (x - cx - sway) + 22 * y)
        image = mix(image, ramp(0.75 * tongue, "#07140f", "#123524", "#3d5a23", "#8a7a2c"), inside)
        vx = vx * (1 - inside) + inside * (0.45 * np.sin(28 * y + 25 * (x - cx)))
        vy = vy * (1 - inside) + inside
    angle = np.arctan2(blur(vy.astype(np.float32), 3), blur(vx.astype(np.float32), 3)).astype(np.float32)
    return paint(rng, image, angle, [
        Brush(34, 130, 22, value=0.05, hue=0.05, tolerance=0.5),
        Brush(20, 90, 15, value=0.06, hue=0.05, tolerance=0.35),
        Brush(13, 62, 13, value=0.05, hue=0.04, tolerance=0.30, detail=0.85),
        Brush(8, 34, 9, value=0.04, hue=0.03, tolerance=0.25, detail=1.0),
    ])
