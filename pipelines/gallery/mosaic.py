"""A bird on a flowering branch between sun and sea, set in stone, glass and gold tesserae."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, blur, grid, jitter, noise, ramp, relief
from numpy.typing import NDArray
from pieces import Cartoon
from scenery import curve_through
from stained_glass import petal, stem

SIZE = 1024


def fish(x: float, y: float, s: float, flip: int) -> NDArray[np.float64]:
    p = np.array([[-1, 0], [-0.5, -0.36], [0.1, -0.38], [0.6, -0.12], [1.05, -0.42], [0.92, 0], [1.05, 0.42], [0.6, 0.12], [0.1, 0.38], [-0.5, 0.36], [-1, 0]])
    c = curve_through(p, 160)
    return np.stack([x + flip * s * c[:, 0], y + s * c[:, 1]], 1)


def design(rng: np.random.Generator) -> Cartoon:
    x, y = grid(SIZE)
    n = noise(rng, SIZE, 200, 4)
    art = Cartoon(SIZE)
    art.put(np.ones_like(x), ramp(y * 1.3 + 0.10 * n, "#e8c060", "#f3d98c", "#f6e8c0", "#bfdcd0"))
    r = np.hypot(x - 0.76, y - 0.24)
    a = np.arctan2(y - 0.24, x - 0.76)
    ray = (r < 0.19 + 0.045 * np.cos(12 * a)) & (r > 0.12)
    art.put(ray, ramp((r - 0.12) / 0.1 + 0.1 * n, "#f08a2a", "#d8502a", "#b03028"))
    art.put(r < 0.125, ramp(r / 0.125 + 0.1 * n, "#fff2b0", "#ffd04a", "#f0a030"))
    for k, (base, amp, stops) in enumerate([
        (0.70, 0.020, ("#8fd0c8", "#4fa8b8")), (0.755, 0.024, ("#2f7fa8", "#4fa0c0")), (0.81, 0.026, ("#e8f0e0", "#a8d8d8")),
        (0.84, 0.026, ("#1f5f98", "#2f80b0")), (0.90, 0.028, ("#3f9fb0", "#78c8c0")), (0.94, 0.028, ("#123f78", "#1f5f98")),
    ]):
        line = base + amp * np.sin(2 * np.pi * (3.5 * x + 0.37 * k)) + 0.4 * amp * np.sin(2 * np.pi * (8 * x + 0.2 * k))
        art.put(y > line, ramp(0.5 + 0.4 * n + 2 * (y - line), *stops))
    for fx, fy, s, flip, stops in ((0.26, 0.885, 0.095, 1, ("#d8402a", "#f09030", "#ffd870")), (0.72, 0.93, 0.075, -1, ("#f0b040", "#e86a3a", "#b83a5a"))):
        art.put_shape(fish(fx, fy, s, flip), ramp(0.5 + (y - fy) * 6 + 0.2 * n, *stops))
        art.put(np.hypot(x - fx + flip * 0.6 * s, y - fy + 0.07 * s) < 0.16 * s, ramp(0 * x, "#fff8e0", "#fff8e0"))
    # The branch, its leaves and blossoms.
    branch = [(-0.02, 0.66), (0.18, 0.585), (0.42, 0.60), (0.63, 0.53), (0.83, 0.52), (1.02, 0.44)]
    art.put_shape(stem(branch, 0.017), ramp(0.5 + 0.4 * n, "#4a2a22", "#8a5030", "#5a3a2a"))
    for bx, by, turn in ((0.10, 0.61, -1), (0.16, 0.59, 1), (0.60, 0.55, 1), (0.66, 0.53, -1), (0.74, 0.52, 1), (0.88, 0.505, -1), (0.93, 0.48, 1), (0.03, 0.64, 1)):
        angle = -0.35 + turn * 1.05
        art.put_shape(petal(bx, by, angle, 0.115, 0.026, -0.3 * turn), ramp(0.5 + 0.35 * n, "#1f5a3a", "#4f8f3a", "#9fbf4a"))
    for bx, by, s in ((0.055, 0.55, 0.060), (0.70, 0.605, 0.062), (0.845, 0.575, 0.056), (0.955, 0.38, 0.058), (0.07, 0.10, 0.075), (0.20, 0.055, 0.05)):
        for k in range(5):
            art.put_shape(petal(bx, by, 2 * np.pi * k / 5 + bx * 9, s, s * 0.36), ramp(np.hypot(x - bx, y - by) / s + 0.1 * n, "#c83a5a", "#f08a98", "#ffe0dc"))
        art.put(np.hypot(x - bx, y - by) < s * 0.24, ramp(0.5 + 0.3 * n, "#f0b030", "#ffe080"))
    # The bird: tail, body, wing, breast, head.
    for k, (dx, dy) in enumerate(((0.02, 0.80), (-0.035, 0.765), (-0.085, 0.71))):
        tail = petal(0.30, 0.49, np.arctan2(dy - 0.49, dx - 0.30 + 0.12), 0.30 - 0.02 * k, 0.034, 0.10)
        art.put_shape(tail, ramp(0.5 + 0.4 * n + 0.2 * k, "#0f3f6a", "#1f7f98", "#3fb0a0"))
    body = np.array([[0.20, 0.52], [0.27, 0.36], [0.40, 0.25], [0.50, 0.185], [0.575, 0.175], [0.615, 0.225], [0.60, 0.33], [0.555, 0.46], [0.46, 0.56], [0.33, 0.575], [0.20, 0.52]])
    art.put_shape(curve_through(body), ramp((y - 0.2) * 2.4 + 0.15 * n, "#1f6fb8", "#2f9fc8", "#58c8b8"))
    breast = np.array([[0.545, 0.25], [0.605, 0.26], [0.595, 0.37], [0.54, 0.48], [0.46, 0.545], [0.44, 0.50], [0.50, 0.40], [0.545, 0.25]])
    art.put_shape(curve_through(breast), ramp((y - 0.25) * 3.4 + 0.1 * n, "#f8c860", "#f09040", "#d8583a"))
    for k in range(4):
        wing = petal(0.475 - 0.022 * k, 0.315 + 0.045 * k, 2.52 - 0.03 * k, 0.30 - 0.025 * k, 0.042, -0.12)
        art.put_shape(wing, ramp(np.hypot(x - 0.47, y - 0.33) * 3.4 + 0.1 * n, *[("#f0d080", "#2f8fb0", "#12486f"), ("#1f5f9a", "#12385f", "#0a2448")][k % 2]))
    art.put_shape(np.array([[0.605, 0.195], [0.685, 0.232], [0.602, 0.245]]), ramp(0.5 + 0.2 * n, "#e8a030", "#f8d060"))
    art.put(np.hypot(x - 0.565, y - 0.215) < 0.019, ramp(0 * x, "#fff8e8", "#fff8e8"))
    art.put(np.hypot(x - 0.567, y - 0.215) < 0.010, ramp(0 * x, "#101018", "#101018"))
    for lx in (0.41, 0.46):
        art.put_shape(stem([(lx, 0.56), (lx + 0.01, 0.58), (lx + 0.005, 0.60)], 0.006), ramp(0 * x, "#d87830", "#d87830"))
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    along = np.where(np.minimum(x, 1 - x) < np.minimum(y, 1 - y), y, x)
    wave = edge < 0.034 + 0.012 * np.sign(np.sin(2 * np.pi * 16 * along))
    art.put(edge < 0.058, ramp(0.5 + 0.3 * n, "#f0e0b8", "#e8c880"))
    art.put(wave, ramp(0.5 + 0.3 * n, "#7a1f2a", "#b03a30"))
    art.put(edge < 0.014, ramp(0.5 + 0.3 * n, "#1a2a4a", "#2a3f6a"))
    return art


def courses(art: Cartoon, tile: float) -> list[tuple[float, float, float, float]]:
    """(x, y, angle, length) of tesserae in rows that follow the outline of their region, outermost first."""
    taken = np.zeros(art.labels.shape, np.uint8)
    out = []
    for label in range(1, int(art.labels.max()) + 1):
        inside = (art.labels == label).astype(np.uint8)
        if inside.sum() < tile * tile / 3:
            continue
        depth = cv2.distanceTransform(np.pad(inside, 1, constant_values=1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        for row in range(400):
            level = (depth > (row + 0.5) * tile).astype(np.uint8)
            if not level.any():
                break
            for contour in cv2.findContours(level, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]:
                c = contour[:, 0].astype(np.float32)
                if len(c) < 3:
                    continue
                c = np.concatenate([c, c[:1]])
                c = np.stack([np.convolve(np.pad(c[:, k], 4, mode="edge"), np.ones(9) / 9, "valid") for k in (0, 1)], 1)
                run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(c, axis=0), axis=1))])
                count = max(1, round(float(run[-1]) / tile))
                at = (np.arange(count) + 0.5) * run[-1] / count
                px, py = np.interp(at, run, c[:, 0]), np.interp(at, run, c[:, 1])
                ahead = np.minimum(at + 3, run[-1])
                behind = np.maximum(at - 3, 0)
                ang = np.arctan2(np.interp(ahead, run, c[:, 1]) - np.interp(behind, run, c[:, 1]), np.interp(ahead, run, c[:, 0]) - np.interp(behind, run, c[:, 0]))
                for i in range(count):
                    if taken[int(py[i]), int(px[i])]:
                        continue
                    out.append((float(px[i]), float(py[i]), float(ang[i]), float(run[-1] / count)))
                    stamp = cv2.boxPoints(((float(px[i]), float(py[i])), (tile * 0.8, tile * 0.8), float(np.degrees(ang[i]))))
                    cv2.fillConvexPoly(taken, np.round(stamp).astype(np.int32), 1)
    return out


def set_stones(rng: np.random.Generator, reference: Image, stones: list[tuple[float, float, float, float]], tile: float) -> tuple[Image, Field]:
    """Colour and height of the tesserae over the mortar."""
    layer = np.zeros((SIZE, SIZE, 4), np.uint8)
    bed = ramp(0.5 + 0.25 * noise(rng, SIZE, 12, 3), "#4a4038", "#6a5c4c", "#857660")
    layer[..., :3] = np.clip(bed * 255, 0, 255)
    p = np.array([s[:2] for s in stones])
    at = np.clip(p.astype(int), 0, SIZE - 1)
    colours = jitter(rng, reference[at[:, 1], at[:, 0]], 0.055, 0.045)
    for (px, py, angle, length), colour in zip(stones, colours, strict=True):
        size = (min(length, 1.25 * tile) * rng.uniform(0.84, 0.93), tile * rng.uniform(0.82, 0.92))
        corners = cv2.boxPoints(((px, py), size, float(np.degrees(angle)))) + rng.normal(0, 0.05 * tile, (4, 2))
        ink = [float(c) for c in np.clip(colour * 255, 0, 255)]
        height = float(rng.uniform(130, 250))
        cv2.fillConvexPoly(layer, np.round(corners * 16).astype(np.int32), (*ink, height), cv2.LINE_AA, shift=4)
    return layer[..., :3].astype(np.float32) / 255, layer[..., 3].astype(np.float32) / 255


def picture(rng: np.random.Generator) -> Image:
    art = design(rng)
    tile = 15.0
    stones, height = set_stones(rng, art.colour, courses(art, tile), tile)
    grain = noise(rng, SIZE, 9, 3)
    stones = stones * (1 + 0.07 * grain * (height > 0.1))[..., None]
    # Each stone lies at its own tilt, so that some glitter: a slope that is constant over a stone.
    tilt = cv2.medianBlur((height * 255).astype(np.uint8), 5).astype(np.float32) / 255
    stones = stones * (0.86 + 0.26 * tilt)[..., None]
    return relief(stones.astype(np.float32), blur(np.minimum(height * 8, 4), 1.1) + 0.25 * grain, 0.5, 0.35)
