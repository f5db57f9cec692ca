"""A river bank on a summer day, in dots of pure colour that mix in the eye."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Image, grid, jitter, mix, noise, ramp, relief, rgb, smooth
from scenery import below, foliage, house, ridge, sail_boat, shape, trunk
from strokes import scatter

SIZE = 1024


def scene(rng: np.random.Generator) -> Image:
    x, y = grid(SIZE)
    n = noise(rng, SIZE, 240, 3)
    image = ramp(1.9 * y + 0.10 * n, "#4f8fd6", "#8fc0ea", "#d8e6e0", "#fbe3b8")
    image = mix(image, rgb("#fff4e0"), 0.8 * smooth(0.35, 1.2, noise(rng, SIZE, 300, 4)) * smooth(0.36, 0.2, y))
    for base, stops in ((0.36, ("#6f84c8", "#9fb0dc")), (0.40, ("#4a7fae", "#86bda0")), (0.43, ("#3f8a5a", "#a8c860"))):
        line = ridge(rng, x, base, 0.03)
        image = mix(image, ramp(0.5 + 0.4 * noise(rng, SIZE, 60, 3), *stops), below(y, line))
    for i, hx in enumerate((0.30, 0.365, 0.42, 0.74, 0.80)):
        image = house(image, hx, 0.405 + 0.012 * (i % 2), 0.055, 0.042, wall="#ffe9c8", shade="#c9a2b0", roof=["#e0553a", "#d8742e", "#b8456a"][i % 3], window="#4a5fa0")
    water = below(y, np.full_like(x, 0.47))
    depth = (y - 0.47) / 0.53
    ripple = np.sin(2 * np.pi * (16 * np.sqrt(np.clip(depth, 0, 1) + 0.01) + 0.6 * n))
    mirror = image[np.clip((0.94 * SIZE - np.arange(SIZE)).astype(int), 0, SIZE - 1)]
    image = mix(image, mix(mirror, ramp(0.5 + 0.35 * ripple, "#1f5fae", "#3f93c8", "#9fdce0"), 0.62), water)
    for sx, sy, s, sail in ((0.52, 0.56, 0.045, "#fff3dc"), (0.66, 0.51, 0.026, "#ffd9b0"), (0.84, 0.60, 0.06, "#ffc9a0"), (0.43, 0.50, 0.02, "#ffffff")):
        image = sail_boat(image, sx, sy, s, hull="#7a2f3f", sail=sail, jib="#f59a6a")
        image = shape(image, "#bfe0d8", (sx - s * 0.6, sy + 0.01), (sx + s * 0.8, sy + 0.01), (sx + s * 0.2, sy + 1.3 * s))
    # The bank: sun and shade on the grass, a path, people with parasols, flowers.
    bank = 0.60 + 0.42 * smooth(-0.05, 1.05, x) ** 1.2 + 0.01 * np.sin(20 * x)
    sunny = noise(rng, SIZE, 150, 3)
    image = mix(image, ramp(0.55 + 0.28 * sunny, "#1f5a3a", "#4f9a3f", "#a8cf3f", "#f2e06a"), below(y, bank))
    path = smooth(0.05, 0.03, np.abs(x - 0.16 - 0.9 * (y - 0.78) ** 2 - 0.15 * (y - 0.7)) - 0.05 * (y - 0.55)) * below(y, bank + 0.03)
    image = mix(image, ramp(0.5 + 0.3 * n, "#e0a878", "#ffe2b0"), path)
    shade = smooth(0.30, -0.1, x) * smooth(0.70, 0.80, y)
    image = mix(image, rgb("#2a3f8a"), 0.55 * shade)
    for px, py, s, dress, parasol in ((0.30, 0.77, 0.10, "#c03a5a", "#f7c04a"), (0.40, 0.83, 0.12, "#3a4aa8", "#f0703a"), (0.22, 0.71, 0.07, "#7a3a90", "#ffe9d0"), (0.56, 0.90, 0.11, "#f4e8d8", "#d83a4a")):
        image = shape(image, dress, (px - 0.25 * s, py + s), (px - 0.10 * s, py + 0.35 * s), (px + 0.12 * s, py + 0.35 * s), (px + 0.34 * s, py + s))
        image = foliage(rng, image, px, py + 0.22 * s, 0.10 * s, 0.12 * s, ["#8a4a3a", "#ffd0b0"], 12)
        image = shape(image, parasol, (px - 0.42 * s, py + 0.08 * s), (px - 0.2 * s, py - 0.16 * s), (px + 0.05 * s, py - 0.20 * s), (px + 0.32 * s, py - 0.12 * s), (px + 0.48 * s, py + 0.10 * s))
        image = shape(image, "#5a2f4a", (px, py - 0.1 * s), (px + 0.02 * s, py - 0.1 * s), (px + 0.06 * s, py + 0.5 * s), (px + 0.03 * s, py + 0.5 * s))
    for tx, ty, r in ((0.06, 0.20, 0.20), (0.24, 0.24, 0.10)):
        image = trunk(image, "#4a2f5a", tx, ty, 0.74, 0.024, 0.01)
        image = foliage(rng, image, tx, ty, r, r * 0.9, ["#16305a", "#1f6a4a", "#4fa03f", "#b8cf3a", "#fff07a"], 220)
    image = trunk(image, "#5a2f4a", 0.95, 0.28, 0.98, 0.02, -0.01)
    image = foliage(rng, image, 0.96, 0.24, 0.13, 0.17, ["#1f2f6a", "#3f7a4a", "#a8a83a", "#ffb84a"], 150)
    for _ in range(240):
        fx, fy = rng.uniform(0, 1), rng.uniform(0.8, 1)
        colour = ["#ff5a6a", "#ffd84a", "#ffffff", "#b85ad8", "#ff8a3a"][rng.integers(5)]
        image = foliage(rng, image, fx, fy, 0.010, 0.008, [colour, colour], 3) if fy > 0.66 + 0.3 * fx else image
    return image


def picture(rng: np.random.Generator) -> Image:
    reference = scene(rng)
    layer = np.full((SIZE, SIZE, 4), 0, np.uint8)
    layer[..., :3] = (np.clip(0.55 * reference + 0.45 * np.float32(rgb("#f3e6cc")), 0, 1) * 255).astype(np.uint8)
    for radius, spacing, value, hue in ((8.5, 13, 0.05, 0.10), (7.0, 10.5, 0.06, 0.12), (5.5, 9.5, 0.06, 0.10), (4.2, 10, 0.05, 0.07)):
        p = scatter(rng, SIZE, spacing)
        at = np.clip(p.astype(int), 0, SIZE - 1)
        colour = reference[at[:, 1], at[:, 0]]
        grey = colour.mean(1, keepdims=True)
        vivid = grey + 1.35 * (colour - grey)
        # One dot in seven is the complement, a little lighter: shadows glow with it.
        other = rng.uniform(0, 1, (len(p), 1)) < 0.14
        vivid = np.where(other, np.clip(grey + 0.08 - 0.55 * (colour - grey) + np.float32([0.05, 0.0, 0.12]), 0, 1), vivid)
        vivid = jitter(rng, vivid.astype(np.float32), value, hue)
        for i in range(len(p)):
            r = radius * rng.uniform(0.75, 1.2)
            ink = [float(c) for c in np.clip(vivid[i] * 255, 0, 255)]
            box = ((float(p[i, 0]), float(p[i, 1])), (2.3 * r, 1.8 * r), float(rng.uniform(0, 180)))
            cv2.ellipse(layer, box, (*ink, 200.0), -1, cv2.LINE_AA)
            cv2.ellipse(layer, (box[0], (1.2 * r, 0.9 * r), box[2]), (*ink, 255.0), -1, cv2.LINE_AA)
    height = cv2.GaussianBlur(layer[..., 3].astype(np.float32), (0, 0), 1.2) / 40
    return relief(layer[..., :3].astype(np.float32) / 255, height, 0.22, 0.1)
