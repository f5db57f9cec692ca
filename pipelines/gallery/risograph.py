"""A city under mountains in three risograph inks: halftone dots, misregistration, uneven drums."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, blur, displace, grid, noise, ramp, rgb, smooth
from scenery import below, box, disc, foliage, ridge, shape

SIZE = 1024


def scene(rng: np.random.Generator) -> Image:
    x, y = grid(SIZE)
    n = noise(rng, SIZE, 260, 4)
    d = np.hypot(x - 0.36, y - 0.33)
    rays = np.sin(15 * np.arctan2(y - 0.33, x - 0.36)) > 0
    image = ramp(1.5 * y + 0.05 * n + 0.08 * rays, "#2a3f98", "#7f4fa8", "#f0608a", "#ff9a6a", "#ffe08a")
    image = disc(image, "#fff0b0", 0.36, 0.33, 0.17)
    image = disc(image, "#ff5a5a", 0.36, 0.33, 0.145)
    bars = (np.sin(2 * np.pi * 26 * y) > 0.1) & (d < 0.145) & (y > 0.33)
    image = np.where(bars[..., None], np.float32(rgb("#ffd86a")), image)
    cloud = smooth(0.5, 0.62, noise(rng, SIZE, 300, 3) - 1.2 * np.abs(y - 0.16)) * (y < 0.30) * (x > 0.48)
    image = image * (1 - cloud[..., None]) + cloud[..., None] * ramp(y * 3.6 + 0.25 * n - 0.1, "#fff2d8", "#ffc0a0", "#f08aa0")
    for base, height, colours in ((0.50, 0.24, ("#8f6fc8", "#e878a0")), (0.56, 0.16, ("#4f58b0", "#b05fa8")), (0.63, 0.08, ("#2f6f98", "#5fb0a8"))):
        line = ridge(rng, x, base, height * 0.7, (1.2, 2.9, 6.3, 14.0))
        facet = smooth(-0.2, 0.2, np.gradient(noise(rng, SIZE, 140, 4), axis=1) * 30 + 0.1)
        inside = below(y, line)[..., None]
        image = image * (1 - inside) + inside * ramp(0.75 * facet + 0.6 * (y - line), *colours)
    for row, (base, tall, tones) in enumerate(((0.74, 0.26, ("#5a6ac0", "#c86fb0", "#f0909a", "#7fa8d8")), (0.84, 0.22, ("#2a3a88", "#e0506a", "#ffb05a", "#2f8f98")), (0.95, 0.20, ("#141c50", "#b02f58", "#f07a3a", "#1f5f78")))):
        left = -0.02
        while left < 1.0:
            w = rng.uniform(0.05, 0.11)
            top = base - tall * rng.uniform(0.35, 1.0)
            tone, shade = tones[int(rng.integers(4))], "#101a4a"
            image = box(image, tone, left, top, left + w, 1.05)
            image = box(image, shade if row else "#3a3f98", left + 0.7 * w, top, left + w, 1.05)
            kind = rng.integers(4)
            if kind == 0:
                image = shape(image, tones[int(rng.integers(4))], (left, top), (left + w / 2, top - 0.05), (left + w, top))
            elif kind == 1:
                image = box(image, "#141c50", left + 0.45 * w, top - 0.06, left + 0.52 * w, top)
            cols, rows = int(rng.integers(2, 4)), int((1.0 - top) / 0.032)
            for i in range(cols):
                for j in range(rows):
                    if rng.uniform() < 0.78:
                        light = ("#fff0a0", "#ffd05a", "#ffffff", "#1a2460")[int(rng.choice(4, p=[0.4, 0.25, 0.15, 0.2]))]
                        wx, wy = left + w * (0.10 + 0.56 * i / cols), top + 0.014 + 0.032 * j
                        image = box(image, light, wx, wy, wx + 0.40 * w / cols, wy + 0.017)
            left += w + rng.uniform(-0.012, 0.008)
    for tx in np.arange(0.0, 1.05, 0.075):
        image = foliage(rng, image, tx + rng.uniform(-0.02, 0.02), 0.985, 0.05, 0.045, ["#0f2a5a", "#1f7f78", "#8fd08a", "#fff08a"], 46)
    for k in range(7):
        bx, by = 0.62 + 0.05 * k + rng.uniform(-0.01, 0.01), 0.13 + 0.03 * abs(k - 3) + rng.uniform(-0.01, 0.01)
        image = shape(image, "#141c50", (bx - 0.018, by - 0.010), (bx, by), (bx + 0.018, by - 0.010), (bx, by + 0.008))
    return image.astype(np.float32)


def halftone(amount: Field, angle: float, pitch: float, rng: np.random.Generator) -> Field:
    """Dots whose area is `amount`, on a turned grid; a little noise in each."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    u = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch
    v = (-x * np.sin(angle) + y * np.cos(angle)) * 2 * np.pi / pitch
    screen = 0.5 + 0.25 * (np.cos(u) + np.cos(v)) + 0.035 * rng.standard_normal((SIZE, SIZE)).astype(np.float32)
    # Equalised, so that the share of the screen above 1 - amount is amount.
    level = np.interp(amount, np.linspace(0, 1, 65), np.quantile(screen[::3, ::3], np.linspace(0, 1, 65))).astype(np.float32)
    return smooth(1.0 - 0.10, 1.0 + 0.10, screen + level).astype(np.float32)


def picture(rng: np.random.Generator) -> Image:
    image = np.clip(scene(rng), 0, 1)
    paper = np.broadcast_to(np.float32(rgb("#f6efdf")), image.shape).copy()
    paper *= 1 + 0.03 * blur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), 1.4)[..., None] * 3
    inks = (("#ffd800", 2, 0.10, 1.00), ("#ff4a78", 1, 1.31, 1.00), ("#1a3f9f", 0, 0.79, 1.05))
    drift = ((4.0, -3.0), (-3.5, 2.5), (1.5, 3.5))
    for (ink, channel, angle, gain), (dx, dy) in zip(inks, drift, strict=True):
        # How much of this ink: what the picture lacks of the light that the ink takes.
        amount = np.clip(gain * (1 - image[..., channel]) ** 0.95, 0, 1).astype(np.float32)
        sway = 1.6 * noise(rng, SIZE, 500, 2)
        amount = displace(amount, dx + sway, dy + np.roll(sway, 200, 0))
        dots = halftone(amount, angle, 11.0, rng)
        pressed = np.clip(0.90 + 0.07 * noise(rng, SIZE, 420, 3) - 0.28 * smooth(1.4, 2.4, noise(rng, SIZE, 5, 2)), 0, 1)
        film = 1 - (1 - np.float32(rgb(ink))) * (dots * pressed)[..., None]
        paper = paper * film
    return cv2.GaussianBlur(paper.astype(np.float32), (0, 0), 0.9)
