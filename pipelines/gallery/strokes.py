"""Brush strokes with bristles: a reference picture repainted along a field of directions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from fields import Field, Image, blur, jitter, relief
from numpy.typing import NDArray


@dataclass(frozen=True)
class Brush:
    """One pass of strokes. Lengths in pixels of the canvas."""

    width: float
    length: float
    spacing: float
    """Mean distance of neighbouring strokes."""
    value: float = 0.05
    """Deviation of lightness from stroke to stroke."""
    hue: float = 0.04
    bristle: float = 0.035
    """Deviation of lightness from bristle to bristle."""
    tolerance: float = 0.25
    """A stroke ends where the reference has moved this far from its own colour."""
    detail: float = 0.0
    """Share of strokes that are kept only where the reference has detail."""
    curl: float = 1.0
    """How much strokes follow the field (1) rather than stay straight (0)."""


def paths(angle: Field, starts: NDArray[np.float32], length: float, step: float, curl: float) -> NDArray[np.float32]:
    """(N, K, 2) points of curves through `starts` (their middle), along the field."""
    halves = []
    n = max(2, int(length / 2 / step))
    h, w = angle.shape

    def direction(p: NDArray[np.float32]) -> NDArray[np.float32]:
        i = np.clip(p[:, 1].astype(int), 0, h - 1), np.clip(p[:, 0].astype(int), 0, w - 1)
        return np.stack([np.cos(angle[i]), np.sin(angle[i])], 1)

    for sign in (-1.0, 1.0):
        p = starts.copy()
        d = direction(p) * sign
        points = []
        for _ in range(n):
            e = direction(p)
            e *= np.where((e * d).sum(1) < 0, -1, 1)[:, None]
            d = d + curl * (e - d)
            d /= np.linalg.norm(d, axis=1, keepdims=True) + 1e-6
            p = p + step * d
            points.append(p)
        halves.append(np.stack(points, 1))
    return np.concatenate([halves[0][:, ::-1], starts[:, None], halves[1]], 1).astype(np.float32)


def scatter(rng: np.random.Generator, size: int, spacing: float) -> NDArray[np.float32]:
    """(N, 2) points of a jittered grid, in random order."""
    axis = np.arange(-spacing / 2, size + spacing, spacing)
    p = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    p = p + rng.uniform(-0.6, 0.6, p.shape) * spacing
    return rng.permutation(p).astype(np.float32)


def stroke_pass(
    rng: np.random.Generator, layer: NDArray[np.uint8], reference: Image, angle: Field, brush: Brush
) -> None:
    """Lay one pass of strokes onto `layer`, (S, S, 4) uint8: colour, and the height of the paint."""
    size = len(layer)
    starts = scatter(rng, size, brush.spacing)
    inside = np.clip(starts.astype(int), 0, size - 1)
    if brush.detail:
        grey = reference.mean(2)
        edges = blur(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)), brush.width / 2)
        wanted = edges / np.quantile(edges, 0.95)
        keep = rng.uniform(0, 1, len(starts)) < np.clip(wanted[inside[:, 1], inside[:, 0]], 1 - brush.detail, 1)
        starts, inside = starts[keep], inside[keep]
    lengths = brush.length * rng.uniform(0.6, 1.3, len(starts))
    curves = paths(angle, starts, brush.length * 1.3, 3.0, brush.curl)
    middle = curves.shape[1] // 2
    colours = reference[inside[:, 1], inside[:, 0]]
    at = np.clip(curves, 0, size - 1).astype(int)
    away = np.abs(reference[at[..., 1], at[..., 0]] - colours[:, None]).sum(2) > brush.tolerance
    painted = jitter(rng, colours, brush.value, brush.hue)
    for i, curve in enumerate(curves):
        reach = max(2, int(lengths[i] / 2 / 3.0))
        low = high = 0
        while low < reach and middle - low > 0 and not away[i, middle - low - 1]:
            low += 1
        while high < reach and middle + high < curves.shape[1] - 1 and not away[i, middle + high + 1]:
            high += 1
        if low + high < 2:
            continue
        draw_stroke(rng, layer, curve[middle - low : middle + high + 1], painted[i], brush)


def draw_stroke(
    rng: np.random.Generator, layer: NDArray[np.uint8], curve: NDArray[np.float32], colour: NDArray[np.float32], brush: Brush
) -> None:
    """One stroke: parallel bristles, each with its own load of paint, ridged at the sides and fraying at the end."""
    d = np.gradient(curve, axis=0)
    normal = np.stack([-d[:, 1], d[:, 0]], 1) / (np.linalg.norm(d, axis=1, keepdims=True) + 1e-6)
    count = max(3, int(brush.width / 2.2))
    across = np.linspace(-1, 1, count)
    t = np.linspace(0, 1, len(curve))
    taper = np.minimum(1, 0.55 + 3 * np.minimum(t, 1 - t))[:, None]
    shade = rng.normal(0, brush.bristle, count)
    thickness = int(np.ceil(brush.width / count)) + 1
    for k in rng.permutation(count):
        line = curve + normal * taper * (across[k] * brush.width / 2)
        last = len(line) - int(rng.integers(0, max(1, len(line) // 4)))
        load = 120 + 90 * abs(across[k]) ** 3 + 40 * rng.standard_normal()
        ink = np.clip((colour + shade[k]) * 255, 0, 255)
        points = np.round(line[: max(2, last)] * 8).astype(np.int32)
        value = (*(float(c) for c in ink), float(np.clip(load, 30, 255)))
        cv2.polylines(layer, [points], False, value, thickness, cv2.LINE_AA, shift=3)


def paint(
    rng: np.random.Generator,
    reference: Image,
    angle: Field,
    brushes: list[Brush],
    *,
    ground: Image | None = None,
    depth: float = 0.55,
    shine: float = 0.5,
) -> Image:
    """The reference in oil: passes from broad to fine over a ground, lit as a relief.

    Args:
        ground: what shows between the strokes (default the reference, darkened).
    """
    base = reference * 0.7 if ground is None else ground
    layer = np.dstack([np.clip(base, 0, 1) * 255, np.full(base.shape[:2], 40.0)]).astype(np.uint8)
    for brush in brushes:
        stroke_pass(rng, layer, reference, angle, brush)
    height = blur(layer[..., 3].astype(np.float32), 0.8) / 24
    return relief(layer[..., :3].astype(np.float32) / 255, height, depth, shine)
