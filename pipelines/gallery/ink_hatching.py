"""A mountain village by a stream, cross-hatched with the pen on toned paper, with touches of wash and white."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, blur, grid, mix, noise, ramp, rgb, smooth
from numpy.typing import NDArray
from scenery import below, foliage, house, ridge, trunk
from strokes import paths, scatter

SIZE = 1024


def scene(rng: np.random.Generator) -> tuple[Image, Field, NDArray[np.uint8]]:
    """Tones in colour, the direction that hatching follows, and outlines."""
    x, y = grid(SIZE)
    n = noise(rng, SIZE, 260, 4)
    image = ramp(0.75 - 0.55 * y + 0.10 * n, "#d8d0c0", "#c8ccd0", "#8f9db0")
    cloud = smooth(0.2, 1.0, noise(rng, SIZE, 320, 5)) * smooth(0.5, 0.2, y)
    image = mix(image, rgb("#ffffff"), cloud)
    angle = np.full_like(x, -0.35) + 0.3 * n
    lines = np.zeros((SIZE, SIZE), np.uint8)

    def contour(edge: Field) -> None:
        points = np.stack([np.arange(SIZE), edge[0] * SIZE], 1)
        cv2.polylines(lines, [np.round(points * 8).astype(np.int32)], False, 255, 3, cv2.LINE_AA, shift=3)

    for k, (base, height, light, dark) in enumerate(((0.36, 0.34, "#dfe4ea", "#4a5668"), (0.47, 0.20, "#d8d8cc", "#3a4640"), (0.58, 0.08, "#d0cfae", "#38402c"))):
        edge = ridge(rng, x, base, height * 0.5, (0.9, 2.3, 5.7, 11.0, 23.0)) - (0.16 * np.exp(-(((x - 0.62) / 0.13) ** 2)) if k == 0 else 0)
        facets = noise(rng, SIZE, 150 / (k + 1), 5)
        lit = smooth(-0.5, 0.5, np.gradient(facets, axis=1) * 30 + 0.3 * facets + 0.15)
        inside = below(y, edge)
        image = mix(image, mix(np.broadcast_to(np.float32(rgb(dark)), image.shape), rgb(light), np.clip(lit + 0.25 - (y - edge), 0, 1)), inside)
        angle = np.where(inside > 0.5, 1.05 - 0.5 * lit + 0.25 * facets * 0.4, angle)
        contour(edge)
    meadow = ridge(rng, x, 0.70, 0.03)
    inside = below(y, meadow)
    image = mix(image, ramp(0.6 + 0.25 * noise(rng, SIZE, 120, 4) - 0.6 * (y - meadow), "#4a4a30", "#a8a478", "#e8e2c4"), inside)
    angle = np.where(inside > 0.5, 0.15 + 0.3 * noise(rng, SIZE, 200, 2), angle)
    stream = np.abs(x - 0.46 - 0.16 * np.sin(9 * (y - 0.7)) * (y - 0.6)) < 0.012 + 0.26 * np.clip(y - 0.70, 0, 1)
    water = (stream & (y > 0.705)).astype(np.float32)
    image = mix(image, ramp(0.5 + 0.5 * np.sin(130 * y + 5 * np.sin(14 * x) + 2 * n), "#3f5a70", "#f4f6f4"), blur(water, 2))
    angle = np.where(water > 0.5, 0.0, angle)
    for i in range(13):
        hx, hy = 0.12 + 0.062 * i + rng.uniform(-0.02, 0.02), 0.655 + rng.uniform(-0.03, 0.045)
        if abs(hx - 0.44) < 0.05:
            continue
        w, h = rng.uniform(0.055, 0.075), rng.uniform(0.042, 0.058)
        image = house(image, hx, hy, w, h, wall="#f6efdf", shade="#7a7068", roof=("#7a4a3a", "#54443e", "#8f5f45")[i % 3], window="#1c1a20")
        for p in ([(hx, hy), (hx + w, hy), (hx + w, hy + h), (hx, hy + h), (hx, hy)], [(hx - 0.08 * w, hy), (hx + 0.18 * w, hy - h * 0.6), (hx + 0.9 * w, hy - h * 0.6), (hx + 1.08 * w, hy)]):
            cv2.polylines(lines, [np.round(np.array(p) * SIZE * 8).astype(np.int32)], False, 255, 3, cv2.LINE_AA, shift=3)
    image = house(image, 0.60, 0.575, 0.055, 0.14, wall="#f8f2e4", shade="#837a70", roof="#3a3434", window="#1c1a20")
    for _ in range(120):
        tx = rng.uniform(0, 1)
        ty = float(meadow[0, int(tx * (SIZE - 1))]) - rng.uniform(-0.03, 0.10)
        s = rng.uniform(0.016, 0.034)
        image = foliage(rng, image, tx, ty, s * 0.6, s * 1.2, ["#23281c", "#4f5a38", "#a9a878"], 14)
    for tx, top, r in ((0.07, 0.42, 0.15), (0.93, 0.48, 0.12)):
        image = trunk(image, "#2c2420", tx, top, 0.95, 0.020, 0.01)
        image = foliage(rng, image, tx, top, r, r * 0.95, ["#14180f", "#3a4228", "#77784a", "#d6cf98"], 190)
    for _ in range(70):
        gx, gy = rng.uniform(0, 1), rng.uniform(0.86, 1.0)
        image = foliage(rng, image, gx, gy, 0.026, 0.018, ["#2a2c1c", "#77744a", "#d8cf9c"], 10)
    angle = np.where(image.mean(2) < 0.30, 0.8 + 0.8 * n, angle)
    return image, angle.astype(np.float32), lines


def picture(rng: np.random.Generator) -> Image:
    image, angle, lines = scene(rng)
    tone = np.clip(image.mean(2) * 1.06, 0, 1) ** 0.62
    fine = blur(tone, 1.5)
    ink = lines.astype(np.float32) / 255
    # Four layers of hatching, each over darker parts and turned further; lines end where the tone grows light.
    for k, (limit, turn, spacing) in enumerate(((0.86, 0.0, 11.5), (0.68, 0.75, 12.0), (0.52, -0.6, 12.0), (0.38, 1.45, 11.5))):
        layer = np.zeros((SIZE, SIZE), np.uint8)
        starts = scatter(rng, SIZE, spacing)
        starts = np.clip(starts, 0, SIZE - 1)
        at = starts.astype(int)
        starts = starts[fine[at[:, 1], at[:, 0]] < limit + rng.normal(0, 0.05, len(starts))][::2]
        field = (angle + turn + 0.10 * noise(rng, SIZE, 60, 2)).astype(np.float32)
        curves = paths(field, starts, 66 - 8 * k, 3.0, 0.35)
        at = np.clip(curves, 0, SIZE - 1).astype(int)
        dark = fine[at[..., 1], at[..., 0]] < limit + 0.04
        for curve, good in zip(curves, dark, strict=True):
            keep = curve[good]
            if len(keep) < 5:
                continue
            width = 2 if rng.uniform() < 0.75 else 3
            p = keep + rng.normal(0, 0.5, 2)
            cv2.polylines(layer, [np.round(p * 8).astype(np.int32)], False, int(rng.integers(180, 256)), width, cv2.LINE_AA, shift=3)
        ink = np.maximum(ink, layer.astype(np.float32) / 255)
    # Toned paper, a wash under the ink, white chalk on the lights.
    grain = noise(rng, SIZE, 9, 3)
    paper = ramp(0.5 + 0.10 * noise(rng, SIZE, 300, 4) + 0.04 * grain, "#c9a877", "#dec397", "#ecd9b4")
    grey = image.mean(2, keepdims=True)
    wash = blur_colour(grey + 3.0 * (image - grey), 5)
    paper = paper * (0.60 + 0.46 * np.clip(wash + 0.30, 0, 1.05))
    chalk = smooth(0.74, 0.90, tone) * smooth(-0.7, 0.5, grain + 0.5 * noise(rng, SIZE, 5, 2))
    paper = mix(paper.astype(np.float32), rgb("#fdf8ea"), 0.85 * chalk)
    body = np.clip(ink * (0.90 + 0.10 * grain), 0, 1)
    return mix(paper, rgb("#1d1a24"), 0.95 * body)


def blur_colour(image: Image, sigma: float) -> Image:
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma)
