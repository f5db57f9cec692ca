"""A still life with guitar, bottle and fruit, broken into facets that are each shaded on their own."""

from __future__ import annotations

import numpy as np
from fields import Image, blur, displace, grid, mask_of, mix, noise, ramp, relief, rgb, smooth
from pieces import Cartoon
from scenery import curve_through, disc
from strokes import Brush, stroke_pass

SIZE = 1024


def still_life(rng: np.random.Generator) -> Image:
    x, y = grid(SIZE)
    n = noise(rng, SIZE, 260, 4)
    image = ramp(0.9 * x - 0.5 * y + 0.35 + 0.12 * n, "#20333f", "#4a6f78", "#a8a888", "#dcc490")
    image = mix(image, ramp(x + 0.2 * n, "#6a3a28", "#b8783f", "#e0b468"), smooth(0.70, 0.72, y + 0.14 * x - 0.06))
    image = mix(image, ramp(y, "#f0e6cc", "#b8b4a0"), mask_of(SIZE, np.array([[0.05, 0.83], [0.42, 0.70], [0.62, 0.82], [0.22, 1.0]])))
    guitar = curve_through(np.array([[0.30, 0.55], [0.19, 0.66], [0.24, 0.83], [0.42, 0.90], [0.57, 0.80], [0.585, 0.665], [0.68, 0.60], [0.70, 0.49], [0.60, 0.415], [0.49, 0.45], [0.42, 0.53], [0.30, 0.55]]))
    image = mix(image, ramp((x + y - 0.8) * 1.4 + 0.1 * n, "#6a2a1a", "#c8642a", "#f0a84a", "#f8d890"), mask_of(SIZE, guitar))
    image = disc(image, "#2a1714", 0.50, 0.64, 0.062)
    image = mix(image, rgb("#3a2018"), mask_of(SIZE, np.array([[0.60, 0.50], [0.66, 0.545], [0.93, 0.16], [0.87, 0.12]])))
    image = mix(image, rgb("#8a4a28"), mask_of(SIZE, np.array([[0.86, 0.13], [0.94, 0.18], [0.985, 0.07], [0.92, 0.03]])))
    for k in range(5):
        a = np.array([0.615 + 0.008 * k, 0.51 + 0.006 * k])
        b = a + np.array([-0.27, 0.30])
        c = np.array([0.885 + 0.009 * k, 0.125 + 0.007 * k])
        for p in ((a, b), (a, c)):
            d = np.array([[-0.0013, -0.0013], [0.0013, 0.0013]])
            image = mix(image, rgb("#f6ecd0"), mask_of(SIZE, np.array([p[0] + d[0], p[1] + d[0], p[1] + d[1], p[0] + d[1]])))
    bottle = curve_through(np.array([[0.155, 0.70], [0.145, 0.40], [0.165, 0.33], [0.205, 0.28], [0.21, 0.12], [0.265, 0.12], [0.27, 0.28], [0.31, 0.33], [0.33, 0.40], [0.32, 0.70], [0.155, 0.70]]))
    image = mix(image, ramp((x - 0.14) * 5 + 0.1 * n, "#0f2f2a", "#2f6f58", "#88b890", "#1f4a3f"), mask_of(SIZE, bottle))
    image = mix(image, ramp(y * 4, "#f0e0b8", "#d0a870"), mask_of(SIZE, np.array([[0.15, 0.45], [0.325, 0.45], [0.325, 0.58], [0.15, 0.58]])))
    for fx, fy, r, colours in ((0.73, 0.80, 0.085, ("#fff0a0", "#f0a82a", "#a8501f")), (0.865, 0.76, 0.075, ("#f8b0a0", "#c83a2a", "#581a20")), (0.80, 0.90, 0.08, ("#e8f0a0", "#88a838", "#2f4a20")), (0.92, 0.89, 0.07, ("#f8c878", "#e0702a", "#70281a"))):
        d = np.hypot(x - fx + 0.35 * r, y - fy + 0.4 * r) / r
        image = mix(image, ramp(d * 0.62, *colours), smooth(r, r - 0.002, np.hypot(x - fx, y - fy)))
    image = mix(image, ramp(y * 1.5, "#3f6f98", "#a8c8d0"), mask_of(SIZE, np.array([[0.42, 0.05], [0.78, 0.02], [0.72, 0.34], [0.46, 0.38]])))
    image = mix(image, ramp(x * 2, "#c85a3a", "#e8a868"), mask_of(SIZE, np.array([[0.50, 0.12], [0.66, 0.10], [0.62, 0.26], [0.52, 0.28]])))
    return image


def picture(rng: np.random.Generator) -> Image:
    x, y = grid(SIZE)
    image = still_life(rng)
    # Facets: long cuts across the picture, and planes of a random tessellation between them.
    art = Cartoon(SIZE)
    cuts = np.zeros((SIZE, SIZE), np.int64)
    for _ in range(8):
        cx, cy, a = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9), rng.choice([0.35, 1.1, 1.9, 2.7, 0.0, 1.57]) + rng.normal(0, 0.18)
        side = ((x - cx) * np.cos(a) + (y - cy) * np.sin(a)) > 0
        reach = np.hypot(x - cx, y - cy) < rng.uniform(0.3, 0.8)
        cuts = cuts * 3 % 1_000_003 + np.where(reach, side + 1, 0)
    seeds = rng.uniform(0, 1, (30, 2))
    near = np.argmin(np.stack([np.abs((x - a) * 0.8 + (y - b) * 0.6) + np.abs((y - b) * 0.8 - (x - a) * 0.6) for a, b in seeds]), 0)
    art.put(np.ones_like(x), image, cuts * 64 + near % 64)
    piece, count = art.pieces()
    # Every facet shows the scene from a place of its own, and is shaded from one of its sides to the other.
    shift = rng.normal(0, 1, (count, 2)).astype(np.float32) * 20
    broken = displace(image, blur(shift[:, 0][piece], 0.6), blur(shift[:, 1][piece], 0.6))
    turn = rng.choice([0.4, 1.2, 2.0, 3.5, 4.4, 5.3], count).astype(np.float32)
    mass = np.bincount(piece.ravel(), minlength=count).astype(np.float32) + 1
    mx = (np.bincount(piece.ravel(), x.ravel(), count) / mass).astype(np.float32)
    my = (np.bincount(piece.ravel(), y.ravel(), count) / mass).astype(np.float32)
    reach = np.sqrt(mass) / SIZE
    t = ((x - mx[piece]) * np.cos(turn)[piece] + (y - my[piece]) * np.sin(turn)[piece]) / reach[piece]
    shade = 1 + 0.34 * np.tanh(1.5 * t) + rng.normal(0, 0.10, count).astype(np.float32)[piece]
    tint = rng.normal(0, 0.030, (count, 3)).astype(np.float32)
    earth = np.array([rgb(c) for c in ("#c89a5a", "#4a6f78", "#e8d4a0", "#8a4a2f", "#2f3f48", "#a8b0a0")], np.float32)
    cast = earth[rng.integers(0, 6, count)]
    broken = mix(broken, cast[piece], (0.42 * rng.uniform(0, 1, count) ** 1.5).astype(np.float32)[piece])
    broken = np.clip((broken + tint[piece]) * shade[..., None], 0, 1).astype(np.float32)
    # Painted in short square touches along each facet's own direction.
    layer = np.dstack([broken * 255, np.full((SIZE, SIZE), 60.0)]).clip(0, 255).astype(np.uint8)
    angle = (turn[piece] + np.pi / 2).astype(np.float32)
    for brush in (Brush(20, 38, 13, value=0.035, hue=0.025, tolerance=0.22), Brush(11, 24, 9, value=0.035, hue=0.02, tolerance=0.16)):
        stroke_pass(rng, layer, broken, angle, brush)
    painted = layer[..., :3].astype(np.float32) / 255
    away = art.away() + 0.8 * noise(rng, SIZE, 30, 3)
    strong = blur((rng.uniform(0, 1, count) < 0.6).astype(np.float32)[piece], 3)
    painted = mix(painted, rgb("#1a1414"), smooth(3.6, 1.2, away) * (0.35 + 0.6 * strong))
    light = smooth(9, 4, away) * (t < -0.2) * 0.35
    painted = mix(painted, rgb("#fff0d0"), light.astype(np.float32))
    height = blur(layer[..., 3].astype(np.float32), 0.8) / 26
    weave = np.sin(2 * np.pi * x * SIZE / 6) * np.sin(2 * np.pi * y * SIZE / 6)
    return relief(painted, height + 0.12 * weave.astype(np.float32), 0.28, 0.15)
