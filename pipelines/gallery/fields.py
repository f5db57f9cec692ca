"""Smooth random fields and the optics of a surface: what every picture of the gallery is built on.

Pictures are (H, W, 3) float32 RGB in [0, 1] while they are painted; fields are (H, W) float32. Everything random comes from
the generator that is passed in, so that a picture is the same each time it is painted.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Field = NDArray[np.float32]


def noise(rng: np.random.Generator, size: int, cell: float, octaves: int = 4, gain: float = 0.5) -> Field:
    """(size, size) fractal value noise, zero mean, unit deviation; `cell` is the largest feature in pixels."""
    out = np.zeros((size, size), np.float32)
    weight = 1.0
    for _ in range(octaves):
        n = max(2, int(size / cell) + 2)
        grid = rng.standard_normal((n, n)).astype(np.float32)
        out += weight * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
        weight *= gain
        cell /= 2
    out -= out.mean()
    return out / out.std()


def grid(size: int) -> tuple[Field, Field]:
    """x and y of each pixel's centre as shares of the side, in (0, 1); y grows downward."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    x, y = np.meshgrid(axis, axis)
    return x, y


def displace(image: Image, dx: Field, dy: Field) -> Image:
    """The picture sampled at (x + dx, y + dy) pixels, mirrored at the border."""
    h, w = image.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def smooth(low: float, high: float, x: Field) -> Field:
    """0 below low, 1 above high, a smooth ramp between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def blur(x: Field, sigma: float) -> Field:
    return cv2.GaussianBlur(x, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def mix(a: Image, b: Image | tuple[float, float, float], share: Field | float) -> Image:
    """a where share is 0, b where it is 1."""
    w = share[..., None] if isinstance(share, np.ndarray) else share
    return (a * (1 - w) + np.asarray(b, np.float32) * w).astype(np.float32)


def ramp(t: Field, *stops: str) -> Image:
    """Colours of evenly spaced stops ("#rrggbb") at t in [0, 1], interpolated linearly."""
    table = np.array([rgb(s) for s in stops], np.float32)
    at = np.clip(t, 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(at, np.arange(len(stops)), table[:, c]) for c in range(3)], -1).astype(np.float32)


def rgb(code: str) -> tuple[float, float, float]:
    """"#rrggbb" as numbers in [0, 1]."""
    return tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]


def relief(image: Image, height: Field, depth: float, shine: float = 0.0, azimuth: float = -2.36) -> Image:
    """The picture as a surface of the given height (pixels), lit from the upper left.

    Args:
        depth: how much a slope of 1 lightens or darkens.
        shine: strength of the highlight on slopes that face the lamp.
        azimuth: direction the light comes from, radians, x right and y down.
    """
    gx = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8)
    gy = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)
    slope = -(gx * np.cos(azimuth) + gy * np.sin(azimuth))
    slope = np.tanh(slope)
    lit = image * (1 + depth * slope[..., None])
    return lit + shine * np.clip(slope - 0.25, 0, 1)[..., None] ** 2


def jitter(rng: np.random.Generator, colours: NDArray[np.float32], value: float, hue: float) -> NDArray[np.float32]:
    """(N, 3) colours, each moved at random: `value` in lightness, `hue` in the two chroma directions."""
    n = len(colours)
    light = rng.normal(0, value, (n, 1))
    a, b = rng.normal(0, hue, (2, n, 1))
    warm = np.array([[1.0, 0.1, -1.1]]) * a
    green = np.array([[-0.6, 0.9, -0.5]]) * b
    return (colours + light + warm + green).astype(np.float32)


def mask_of(size: int, *polygons: NDArray[np.floating]) -> Field:
    """1 inside the polygons ((N, 2) points, shares of the side), antialiased."""
    out = np.zeros((size, size), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(out, [np.round(np.asarray(polygon) * size * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return out.astype(np.float32) / 255


def to_bytes(image: Image, size: int) -> NDArray[np.uint8]:
    """The finished picture, (size, size, 3) uint8."""
    small = cv2.resize(np.clip(image, 0, 1), (size, size), interpolation=cv2.INTER_AREA)
    return np.round(small * 255).astype(np.uint8)
