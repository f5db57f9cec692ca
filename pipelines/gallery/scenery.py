"""Pieces of landscape that several pictures share, as plain colour: the styles give them their texture."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, mask_of, mix, rgb, smooth
from numpy.typing import NDArray


def ridge(rng: np.random.Generator, x: Field, base: float, height: float, waves: tuple[float, ...] = (1.3, 2.7, 5.1)) -> Field:
    """y of a hill line at each x: a few sines about `base`."""
    y = np.full_like(x, base)
    for k in waves:
        y += height / k * np.sin(2 * np.pi * (k * x + rng.uniform()))
    return y


def below(y: Field, line: Field) -> Field:
    """1 under the line, antialiased."""
    return smooth(-0.0015, 0.0015, y - line)


def box(image: Image, colour: str, x0: float, y0: float, x1: float, y1: float) -> Image:
    return mix(image, rgb(colour), mask_of(len(image), np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])))


def shape(image: Image, colour: str, *points: tuple[float, float]) -> Image:
    return mix(image, rgb(colour), mask_of(len(image), np.array(points)))


def disc(image: Image, colour: str, x: float, y: float, radius: float) -> Image:
    t = np.linspace(0, 2 * np.pi, 120)
    return mix(image, rgb(colour), mask_of(len(image), np.stack([x + radius * np.cos(t), y + radius * np.sin(t)], 1)))


def house(image: Image, x: float, y: float, w: float, h: float, *, wall: str, shade: str, roof: str, window: str) -> Image:
    """A gabled house: lit front, shaded side; (x, y) is its upper left corner below the roof."""
    image = box(image, wall, x, y, x + w, y + h)
    image = box(image, shade, x + w * 0.62, y, x + w, y + h)
    image = shape(image, roof, (x - w * 0.08, y), (x + w * 0.18, y - h * 0.6), (x + w * 0.9, y - h * 0.6), (x + w * 1.08, y))
    for i in (0.14, 0.38, 0.74):
        image = box(image, window, x + i * w, y + 0.25 * h, x + (i + 0.12) * w, y + 0.6 * h)
    return image


def foliage(
    rng: np.random.Generator, image: Image, x: float, y: float, rx: float, ry: float, stops: list[str], clumps: int = 60
) -> Image:
    """A crown of leaves: round clumps, dark below and inside, light where the sun falls (upper left)."""
    size = len(image)
    canvas = np.clip(image * 255, 0, 255).astype(np.uint8)
    table = np.array([rgb(s) for s in stops])
    a, r = rng.uniform(0, 2 * np.pi, clumps), np.sqrt(rng.uniform(0, 1, clumps))
    u, v = r * np.cos(a), r * np.sin(a)
    for i in np.argsort(-(v + 0.6 * u) + rng.normal(0, 0.35, clumps))[::1]:
        lit = np.clip(0.5 - 0.35 * v[i] - 0.25 * u[i] + rng.normal(0, 0.14), 0, 1) * (len(table) - 1)
        colour = [float(np.interp(lit, np.arange(len(table)), table[:, c]) * 255) for c in range(3)]
        radius = rng.uniform(0.16, 0.30) * min(rx, ry) * size
        centre = (int((x + u[i] * rx) * size * 16), int((y + v[i] * ry) * size * 16))
        cv2.circle(canvas, centre, int(radius * 16), colour, -1, cv2.LINE_AA, shift=4)
    return canvas.astype(np.float32) / 255


def trunk(image: Image, colour: str, x: float, y0: float, y1: float, width: float, lean: float = 0.0) -> Image:
    return shape(image, colour, (x - width, y1), (x - width * 0.4 + lean, y0), (x + width * 0.4 + lean, y0), (x + width, y1))


def sail_boat(image: Image, x: float, y: float, s: float, *, hull: str, sail: str, jib: str) -> Image:
    """A boat of length 2 s whose water line is at (x, y)."""
    image = shape(image, hull, (x - s, y - 0.22 * s), (x + s, y - 0.26 * s), (x + 0.7 * s, y + 0.06 * s), (x - 0.7 * s, y + 0.06 * s))
    image = shape(image, sail, (x + 0.02 * s, y - 2.4 * s), (x + 0.02 * s, y - 0.35 * s), (x + 0.95 * s, y - 0.4 * s))
    return shape(image, jib, (x - 0.06 * s, y - 2.1 * s), (x - 0.06 * s, y - 0.35 * s), (x - 0.8 * s, y - 0.38 * s))


def curve_through(points: NDArray[np.floating], n: int = 200) -> NDArray[np.float64]:
    """(n, 2) points of a Catmull-Rom curve through the given ones."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    s = np.linspace(0, len(p) - 3 - 1e-9, n)
    i, t = s.astype(int), (s % 1)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
