"""Breaking waves before a red sun, cut in wood and printed in few inks."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Image, blur, displace, grid, mix, noise, ramp, rgb, smooth
from numpy.typing import NDArray
from scenery import below, curve_through, disc, ridge

SIZE = 1024
INDIGO, PRUSSIAN, SKY, FOAM, SAND = "#16254d", "#2a5c98", "#8fbcd0", "#f6efdb", "#eed9b0"
Curve = NDArray[np.float64]


def fill(image: Image, colour: str, points: Curve) -> None:
    p = np.round(points * SIZE * 16).astype(np.int32)
    cv2.fillPoly(image, [p], rgb(colour), cv2.LINE_8, shift=4)


def line(image: Image, colour: str, points: Curve, widths: NDArray[np.floating]) -> None:
    """A cut line that swells and thins: widths in pixels at each point."""
    p = points * SIZE
    d = np.gradient(p, axis=0)
    n = np.stack([-d[:, 1], d[:, 0]], 1) / (np.linalg.norm(d, axis=1, keepdims=True) + 1e-9) * widths[:, None] / 2
    fill(image, colour, np.concatenate([p + n, (p - n)[::-1]]) / SIZE)


def foam(rng: np.random.Generator, image: Image, path: Curve, size: float, out: float) -> None:
    """Scalloped foam along a crest: circles with a dark rim, then their white insides, then beads."""
    n = len(path)
    d = np.gradient(path, axis=0)
    normal = np.stack([d[:, 1], -d[:, 0]], 1) / (np.linalg.norm(d, axis=1, keepdims=True) + 1e-9)
    at = rng.integers(0, n, 70)
    centres = path[at] + normal[at] * rng.normal(0.3, 0.7, (70, 1)) * out
    radii = rng.uniform(0.4, 1.0, 70) * size
    for colour, grow in ((INDIGO, 0.0034), (FOAM, 0.0)):
        for c, r in zip(centres, radii, strict=True):
            cv2.circle(image, tuple(np.round(c * SIZE).astype(int).tolist()), round((r + grow) * SIZE), rgb(colour), -1, cv2.LINE_8)
    for c, r in zip(centres[::2], radii[::2], strict=True):
        a = rng.uniform(0, 6.28)
        arc = c + 0.55 * r * np.stack([np.cos(a + np.linspace(0, 2.4, 12)), np.sin(a + np.linspace(0, 2.4, 12))], 1)
        line(image, SKY, arc, np.full(12, 3.0))
    for _ in range(60):
        i = rng.integers(0, n)
        c = path[i] + normal[i] * abs(rng.normal(0, 2.6)) * out + rng.normal(0, 0.012, 2)
        r = rng.uniform(0.0025, 0.008)
        for colour, grow in ((INDIGO, 0.0022), (FOAM, 0.0)):
            cv2.circle(image, tuple(np.round(c * SIZE).astype(int).tolist()), round((r + grow) * SIZE), rgb(colour), -1, cv2.LINE_8)


def breaker(rng: np.random.Generator, image: Image, x: float, y: float, s: float, flip: int) -> None:
    """A wave that rises from the left and curls over; (x, y) is the middle of its foot, s its height."""
    back = np.array([[-1.5, 0.25], [-1.0, -0.02], [-0.55, -0.42], [-0.15, -0.82], [0.25, -1.0], [0.60, -0.93], [0.80, -0.72], [0.84, -0.55]])
    face = np.array([[1.6, 0.30], [0.9, 0.16], [0.42, -0.04], [0.16, -0.32], [0.14, -0.58], [0.34, -0.76], [0.58, -0.74], [0.84, -0.55]])
    outer, inner = (curve_through(c, 160) * s * (flip, 1) + (x, y) for c in (back, face))
    fill(image, PRUSSIAN, np.concatenate([outer, inner[::-1], [[x - flip * 0.2 * s, y + 0.8 * s]]]))
    bands = 15
    t = np.linspace(0, 1, 160)
    for k in range(bands + 1):
        u = k / bands
        bulge = np.sin(np.pi * u) * np.sin(np.pi * t)[:, None] * (0.10 * s * flip, 0.05 * s)
        path = outer * (1 - u) + inner * u + bulge
        wobble = 1 + 0.35 * np.sin(9 * t + 2.1 * k)
        wide = np.clip(np.sin(np.pi * np.clip(t * 1.02, 0, 1)) ** 0.6, 0.12, 1) * wobble * s * 26
        if k % 2:
            line(image, SKY if k % 4 == 1 else FOAM, path, wide * (0.55 if k % 4 == 1 else 0.42))
        else:
            line(image, INDIGO, path, wide * 0.34 + 2.0)
    for edge in (outer, inner):
        line(image, INDIGO, edge, 5.5 + 2.0 * np.sin(7 * t))
    foam(rng, image, outer[58:], 0.052 * s, 0.045 * s)
    foam(rng, image, inner[104:], 0.045 * s, -0.05 * s)


def swell(rng: np.random.Generator, image: Image, base: float, amp: float, count: float, depth: float) -> None:
    """A row of rolling water, cut in lines that follow its back."""
    x = np.linspace(-0.05, 1.05, 300)
    phase = rng.uniform(0, 6.28)
    top = base - amp * np.abs(np.sin(np.pi * count * x + phase)) ** 1.3 + 0.3 * amp * np.sin(5 * x + phase)
    fill(image, PRUSSIAN, np.concatenate([np.stack([x, top], 1), [[1.05, 1.1], [-0.05, 1.1]]]))
    rows = 11
    for k in range(rows):
        y = top + depth * (k + 0.3) / rows + 0.006 * np.sin(26 * x + k * 1.7)
        colour = (INDIGO, SKY, INDIGO, FOAM)[k % 4]
        wide = (3.0 + 6.5 * np.abs(np.sin(np.pi * count * 1.0 * x + phase + 0.5 * k))) * (1 - 0.3 * k / rows)
        line(image, colour, np.stack([x, y], 1), wide)
    line(image, INDIGO, np.stack([x, top], 1), np.full(300, 5.0))
    foam_line = np.stack([x, top - 0.004], 1)
    peaks = np.where(np.abs(np.sin(np.pi * count * x + phase)) > 0.93)[0]
    if len(peaks):
        foam(rng, image, foam_line[peaks], 0.020, 0.012)


def picture(rng: np.random.Generator) -> Image:
    x, y = grid(SIZE)
    grain = noise(rng, SIZE, 240, 4)
    image = ramp(1.35 * y + 0.04 * grain, "#d8684a", "#eda873", SAND, "#f4e6c6", "#cfdcd0")
    # The sky is cut in long lines that part around the sun and thin towards the horizon.
    sun = (0.66, 0.27)
    d = np.hypot(x - sun[0], y - sun[1])
    rows = 46 * (y + 0.012 * np.sin(6 * x + 3 * y) + 0.010 * grain) + 2.2 * np.exp(-((d / 0.22) ** 2)) * np.sign(y - sun[1])
    cut = np.sin(2 * np.pi * rows) > 0.62 - 0.9 * (0.45 - y)
    image = mix(image, rgb("#c2543f"), 0.62 * cut.astype(np.float32) * smooth(0.60, 0.2, y))
    image = disc(image, "#f6efdb", *sun, 0.178)
    image = disc(image, "#c9302c", *sun, 0.165)
    bars = (np.sin(2 * np.pi * 34 * (y + 0.004 * np.sin(20 * x))) > 0.55) & (d < 0.165) & (y > sun[1] - 0.02)
    image = mix(image, rgb("#f0b67e"), bars.astype(np.float32))
    mountain = 0.60 - 0.27 * np.exp(-np.abs(x - 0.17) / 0.15) + 0.008 * np.sin(50 * x)
    inside = below(y, mountain)
    slopes = np.sin(2 * np.pi * (30 * (x - 0.17) / (0.2 + np.abs(y - 0.30)) * 0.35 + 0.4 * grain)) > 0.2
    image = mix(image, mix(np.broadcast_to(np.float32(rgb("#5d7fa6")), image.shape), rgb(INDIGO), slopes.astype(np.float32)), inside)
    snow = inside * (y < 0.425 + 0.02 * np.sin(60 * x) + 0.01 * np.sin(133 * x))
    image = mix(image, mix(np.broadcast_to(np.float32(rgb(FOAM)), image.shape), rgb(SKY), (slopes & (x > 0.17)).astype(np.float32)), snow)
    hills = ridge(rng, x, 0.575, 0.02)
    ribs = np.sin(2 * np.pi * (50 * (y - hills) + 9 * x)) > 0
    image = mix(image, ramp(ribs.astype(np.float32), "#3f6f62", "#86a877"), below(y, hills))
    image = np.ascontiguousarray(image)
    swell(rng, image, 0.63, 0.030, 7, 0.10)
    swell(rng, image, 0.69, 0.045, 4.6, 0.14)
    breaker(rng, image, 0.83, 0.80, 0.22, -1)
    swell(rng, image, 0.80, 0.05, 3.6, 0.18)
    breaker(rng, image, 0.30, 0.93, 0.50, 1)
    swell(rng, image, 0.95, 0.05, 2.7, 0.22)
    # Printed: a little uneven pressure, wood grain in the ink, fibres of the paper, edges that are not quite true.
    wander = 1.6 * noise(rng, SIZE, 14, 2)
    image = displace(image, wander, np.roll(wander, 77, 1))
    image = cv2.GaussianBlur(image, (0, 0), 0.9)
    rings = np.sin(2 * np.pi * (22 * y + 1.6 * noise(rng, SIZE, 420, 2) + 0.25 * noise(rng, SIZE, 40, 2)))
    ink = 1 - image.mean(2)
    image = image + (0.055 * rings * ink + 0.045 * noise(rng, SIZE, 5, 2) * ink)[..., None]
    worn = smooth(1.9, 2.6, noise(rng, SIZE, 10, 3)) * ink
    image = mix(image, rgb("#f0e2c2"), 0.55 * worn)
    fibre = blur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), 1.2)
    return (image * np.float32([1.0, 0.985, 0.95]) + 0.10 * fibre[..., None]).astype(np.float32)
