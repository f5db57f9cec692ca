"""The sun going down over a bay, laid on thick with brush and knife."""

from __future__ import annotations

import numpy as np
from fields import Image, blur, grid, mix, noise, ramp, rgb, smooth
from scenery import below, disc, foliage, ridge, sail_boat
from strokes import Brush, paint

SIZE = 1024
HORIZON = 0.50
SUN = (0.60, 0.43)


def picture(rng: np.random.Generator) -> Image:
    x, y = grid(SIZE)
    n = noise(rng, SIZE, 260, 4)
    d = np.hypot(x - SUN[0], (y - SUN[1]) * 1.15)
    image = ramp(1.15 * y / HORIZON - 0.10 + 0.10 * n - 0.25 * np.exp(-((d / 0.3) ** 2)) + 0.25 * np.exp(-((d / 0.2) ** 2)),
                 "#27306f", "#6a3f8f", "#c2476f", "#f0763c", "#fbb040", "#ffe08a")
    # Clouds in bars, lit from below.
    bars = noise(rng, SIZE, 420, 5)
    stretched = np.repeat(bars[::5][: SIZE // 5 + 1], 5, axis=0)[:SIZE]
    stretched = blur(stretched, 5)
    wide = np.roll(stretched, 200, 1)
    cloud = smooth(0.15, 1.1, wide) * smooth(0.46, 0.36, y)
    lit = np.clip(0.5 + 6 * np.gradient(wide, axis=0) * 6, 0, 1)
    image = mix(image, ramp(lit + 0.35 * np.exp(-((d / 0.35) ** 2)), "#432c66", "#8f3f72", "#e2604a", "#ffc067"), 0.85 * cloud)
    for r, c in ((0.115, "#ffb53a"), (0.080, "#fff0a8")):
        image = disc(image, c, *SUN, r)
    # Sea: bands of violet and teal, a road of light.
    sea = below(y, np.full_like(x, HORIZON))
    depth = np.clip((y - HORIZON) / (1 - HORIZON), 0, 1)
    swell = np.sin(2 * np.pi * (7 * np.sqrt(depth + 0.02) * 2 + 0.25 * np.sin(5 * x + 9 * depth) + 0.12 * n))
    water = ramp(0.45 + 0.30 * swell + 0.12 * noise(rng, SIZE, 90, 3) - 0.2 * depth, "#141f57", "#1f4d7f", "#4f6fa3", "#b46a93", "#f2a068")
    road = np.exp(-(((x - SUN[0] - 0.02 * np.sin(40 * depth)) / (0.045 + 0.20 * depth)) ** 2)) * (0.6 + 0.4 * np.sin(2 * np.pi * 20 * np.sqrt(depth + 0.01) + 3 * n))
    water = mix(water, ramp(road.astype(np.float32), "#ef6f3c", "#ffb347", "#ffedac"), np.clip(1.5 * road, 0, 0.95).astype(np.float32))
    image = mix(image, water, sea)
    angle = 0.25 * np.sin(7 * x + 3 * n) + 0.25 * n * (y < HORIZON)
    near_sun = np.exp(-((d / 0.26) ** 2)) * (y < HORIZON)
    turn = np.arctan2(y - SUN[1], x - SUN[0]) + np.pi / 2
    vx = np.cos(angle) * (1 - near_sun) + near_sun * np.cos(turn)
    vy = np.sin(angle) * (1 - near_sun) + near_sun * np.sin(turn)
    # Far headlands, then a near shore with rocks, pines and flowering bushes.
    for base, height, edge, stops in ((0.485, 0.03, 0.42, ("#5b3f86", "#a0588e")), (0.500, 0.05, 0.25, ("#33306b", "#7a4178"))):
        line = ridge(rng, x, base, height) + 0.20 * smooth(edge - 0.2, edge + 0.1, x)
        inside = below(y, line) * smooth(HORIZON + 0.012, HORIZON + 0.008, y)
        image = mix(image, ramp(0.5 + 0.4 * noise(rng, SIZE, 80, 3), *stops), inside)
    image = sail_boat(image, 0.47, 0.575, 0.045, hull="#2a1430", sail="#ffdf9a", jib="#f7a24f")
    image = sail_boat(image, 0.76, 0.535, 0.022, hull="#2a1430", sail="#ffc98a", jib="#d9683f")
    shore = 0.965 - 0.24 * smooth(0.42, -0.05, x) - 0.10 * smooth(0.8, 1.05, x) + 0.02 * np.sin(17 * x) + 0.008 * n
    inside = below(y, shore)
    ground = ramp(0.45 + 0.28 * noise(rng, SIZE, 70, 4) - 1.2 * (y - shore), "#140f2b", "#3b2140", "#7c3a3f", "#d0703f", "#f0b050")
    image = mix(image, ground, inside)
    vx, vy = vx * (1 - inside) + inside * 0.7, vy * (1 - inside) + inside * (-0.7 + 0.4 * n)
    for tx, top, base in ((0.085, 0.30, 0.83), (0.185, 0.40, 0.86)):
        w = 0.010
        lean = 0.025 * np.sin(3.2 * (y - top))
        image = mix(image, rgb("#25122b"), smooth(w, w * 0.6, np.abs(x - tx - lean)) * smooth(top, top + 0.02, y) * smooth(base, base - 0.01, y))
        for k in range(7):
            level = top + 0.045 * k + 0.01
            side = 1 if k % 2 else -1
            image = foliage(rng, image, tx + side * (0.02 + 0.006 * k) + 0.01, level, 0.045 + 0.006 * k, 0.022, ["#0c1a2a", "#173a36", "#3d5a35", "#c98a3a"], 34)
    for bx, by in ((0.03, 0.83), (0.13, 0.88), (0.24, 0.90), (0.33, 0.945), (0.90, 0.93), (0.98, 0.90)):
        image = foliage(rng, image, bx, by, 0.065, 0.035, ["#2a1033", "#7c1f4d", "#d43d5a", "#ff9a6a", "#ffd49a"], 50)
    angle = np.arctan2(blur(vy.astype(np.float32), 4), blur(vx.astype(np.float32), 4)).astype(np.float32)
    return paint(rng, image, angle, [
        Brush(56, 150, 34, value=0.05, hue=0.06, bristle=0.03, tolerance=0.8),
        Brush(32, 90, 24, value=0.05, hue=0.05, bristle=0.03, tolerance=0.45),
        Brush(18, 56, 17, value=0.05, hue=0.04, tolerance=0.35, detail=0.9),
        Brush(9, 34, 10, value=0.04, hue=0.03, tolerance=0.3, detail=1.0),
    ], depth=0.5, shine=0.45)
