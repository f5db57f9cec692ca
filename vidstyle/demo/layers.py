"""The layers of the scene, painted once: sky, mountains, hills with a village, lake, boat, balloon, birds, meadow, tree.

`density` is the texture's pixels a picture height: a little more than the film's, so that the closer view stays sharp.
"""

from __future__ import annotations

import numpy as np

from vidstyle.demo.texture import Canvas, Field, ramp, rgb, smooth


def wide(density: float) -> Canvas:
    """A canvas for a layer that fills the view wherever the camera goes."""
    return Canvas(-0.6, -0.25, 3.2, 1.5, density)


def ridge(rng: np.random.Generator, x: Field, base: float, height: float, rough: float) -> Field:
    """A hill line: sines, the finer the lower."""
    line = np.full_like(x, base)
    for k in (0.35, 0.8, 1.7, 3.9, 8.3, 17.0):
        line += height * (0.45 if k < 1 else rough / k) * np.sin(2 * np.pi * (k * x + rng.uniform())).astype(np.float32)
    return line


def sky(rng: np.random.Generator, density: float) -> Canvas:
    c = wide(density)
    haze = c.noise(rng, 0.7, 4, 2.0)
    c.fill(ramp((c.y + 0.1) * 1.55 + 0.05 * haze, "#2f6fc0", "#6ea6dc", "#b4d0e4", "#f6dcb4", "#ffcf94"))
    n = c.noise(rng, 0.42, 6, 2.2)
    cover = smooth(0.15, 1.1, n - 0.5 * (c.y - 0.2)) * smooth(0.75, 0.35, c.y)
    lit = np.clip(0.55 - 14 * np.gradient(n, axis=0) + 0.18 * n, 0, 1)
    c.fill(ramp(lit, "#8f9ac0", "#cdbfd0", "#fff0dc", "#fffdf6"), 0.92 * cover)
    c.fill(rgb("#fff2c8"), 0.8 * np.exp(-(((c.x - 1.30) ** 2 + (c.y - 0.36) ** 2) / 0.045)).astype(np.float32))
    return c


def mountains(rng: np.random.Generator, density: float) -> Canvas:
    c = wide(density)
    for base, height, stops in (
        (0.43, 0.17, ("#5a6aa0", "#8792be", "#c6c3d8")),
        (0.50, 0.13, ("#3f5a86", "#6684a4", "#9db2b8")),
    ):
        line = ridge(rng, c.x, base, height, 0.55)
        faces = c.noise(rng, 0.13, 5)
        slope = np.clip(0.5 + 22 * np.gradient(c.noise(rng, 0.16, 4) * 0.4 + faces * 0.1, axis=1), 0, 1)
        snow = smooth(0.10, 0.04, (c.y - line) + 0.025 * faces) * (base < 0.45)
        inside = c.below(line)
        c.fill(ramp(0.3 * slope + 0.35 + 0.10 * faces - 0.5 * (c.y - line), *stops), inside)
        c.fill(ramp(slope, "#a9b4d4", "#fffaf2"), inside * snow)
    return c


def hills(rng: np.random.Generator, density: float) -> Canvas:
    """Far hills in fields and woods, then a nearer one with the village."""
    c = wide(density)
    for k, (base, height, stops) in enumerate(
        (
            (0.525, 0.06, ("#3f6f68", "#6f9a72", "#b0bd86")),
            (0.575, 0.05, ("#3a7046", "#74a24a", "#c8c468")),
            (0.635, 0.03, ("#2f6a38", "#69a03c", "#b8c250")),
        )
    ):
        line = ridge(rng, c.x, base, height, 0.25)
        plots = np.sin(23 * c.x + 6 * np.sin(5 * c.x + k)) * np.sin(60 * (c.y - line) + 4 * c.x)
        stripes = 0.5 + 0.5 * np.sin(260 * (c.x + 1.5 * (c.y - line) * (1 if k % 2 else -1)))
        tone = 0.5 + 0.25 * np.sign(plots) + 0.12 * stripes + 0.10 * c.noise(rng, 0.05, 3)
        c.fill(ramp(tone, *stops), c.below(line))
        n = 240
        px = rng.uniform(c.x0, c.x0 + c.width, n)
        column = np.clip(((px - c.x0) * c.density).astype(int), 0, line.shape[1] - 1)
        py = line[0, column] + rng.uniform(0.0, 0.05, n)
        r = rng.uniform(0.006, 0.012, n) * (1 + 0.4 * k)
        lit = rng.uniform(0, 1, (1, n))
        c.dots(np.stack([px, py], 1), r, ramp(0 * lit + 0.2, "#1f4a34", "#3a6a34")[0])
        c.dots(np.stack([px - 0.3 * r, py - 0.4 * r], 1), 0.65 * r, ramp(lit, "#3f7a3a", "#9ab84a")[0])
    for i in range(16):
        x, y = 0.62 + 0.062 * i + rng.uniform(-0.015, 0.015), 0.612 + rng.uniform(-0.018, 0.03)
        w, h = rng.uniform(0.045, 0.06), rng.uniform(0.030, 0.042)
        wall, shade = (("#f6e6c8", "#c8ab98"), ("#eed0a8", "#b8927c"), ("#fbf3e4", "#c6bcc0"))[i % 3]
        roof = ("#c2503a", "#a8402f", "#d0703f", "#8f4a4a")[i % 4]
        c.polygon(wall, [(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
        c.polygon(shade, [(x + 0.65 * w, y), (x + w, y), (x + w, y + h), (x + 0.65 * w, y + h)])
        c.polygon(
            roof, [(x - 0.06 * w, y), (x + 0.2 * w, y - 0.55 * h), (x + 0.85 * w, y - 0.55 * h), (x + 1.06 * w, y)]
        )
        for j in (0.14, 0.40, 0.76):
            c.polygon(
                "#43506a",
                [
                    (x + j * w, y + 0.3 * h),
                    (x + (j + 0.12) * w, y + 0.3 * h),
                    (x + (j + 0.12) * w, y + 0.65 * h),
                    (x + j * w, y + 0.65 * h),
                ],
            )
        c.foliage(rng, x + w + 0.006, y + h - 0.006, 0.014, 0.022, ["#1f4a2c", "#4f8a38", "#b4c654"], 26)
    c.polygon("#f2e4cc", [(1.08, 0.50), (1.12, 0.50), (1.12, 0.64), (1.08, 0.64)])
    c.polygon("#c4ac9c", [(1.105, 0.50), (1.12, 0.50), (1.12, 0.64), (1.105, 0.64)])
    c.polygon("#5a5f86", [(1.072, 0.50), (1.10, 0.40), (1.128, 0.50)])
    return c


def lake(rng: np.random.Generator, density: float) -> Canvas:
    c = wide(density)
    shore = np.float32(0.675) + 0.006 * np.sin(7 * c.x) + 0.003 * np.sin(23 * c.x)
    depth = np.clip((c.y - 0.675) / 0.35, 0, 1)
    ripple = np.sin(2 * np.pi * (26 * np.sqrt(depth + 0.03) + 0.4 * c.noise(rng, 0.20, 4, 3.0)))
    glints = c.noise(rng, 0.022, 3, 4.0)
    c.fill(
        ramp(0.42 + 0.20 * ripple + 0.14 * glints - 0.15 * depth, "#174a78", "#2f76a4", "#6aa8c4", "#cfe0d8"),
        c.below(shore),
    )
    road = np.exp(-(((c.x - 1.30) / (0.10 + 0.25 * depth)) ** 2)) * smooth(0.2, 1.2, glints + 0.5 * ripple)
    c.fill(rgb("#fff0c4"), 0.85 * road.astype(np.float32) * c.below(shore))
    c.fill(rgb("#d8c08a"), c.below(shore - 0.004) * smooth(0.003, 0.001, c.y - shore))
    return c


def boat(density: float) -> Canvas:
    c = Canvas(-0.16, -0.28, 0.32, 0.36, density)
    c.polygon("#7a4a2c", [(-0.003, -0.25), (0.003, -0.25), (0.004, 0.0), (-0.004, 0.0)])
    for i in range(6):
        a, b = i / 6, (i + 1) / 6
        c.polygon(
            ("#fff6e4", "#f0603c")[i % 2],
            [
                (0.008 + 0.0 * a, -0.24 + 0.21 * a),
                (0.008 + 0.105 * a, -0.24 + 0.21 * a),
                (0.008 + 0.105 * b, -0.24 + 0.21 * b),
                (0.008, -0.24 + 0.21 * b),
            ],
        )
    c.polygon("#f4e2bc", [(-0.010, -0.22), (-0.010, -0.03), (-0.085, -0.03)])
    c.polygon("#d8bf94", [(-0.010, -0.12), (-0.010, -0.03), (-0.085, -0.03)])
    c.polygon("#2c4a7a", [(-0.12, -0.022), (0.13, -0.026), (0.095, 0.030), (-0.09, 0.030)])
    c.polygon("#f6efe0", [(-0.12, -0.022), (0.13, -0.026), (0.127, -0.012), (-0.116, -0.010)])
    c.polygon("#a8d0dc", [(-0.095, 0.030), (0.10, 0.030), (0.12, 0.040), (-0.11, 0.040)])
    return c


def balloon(density: float) -> Canvas:
    c = Canvas(-0.16, -0.17, 0.32, 0.46, density)
    r = 0.13
    drop = np.where(c.y > 0.02, (c.y - 0.02) * 0.45, 0.0)
    across = c.x / np.maximum(1e-3, np.sqrt(np.maximum(1e-6, r * r - np.minimum(c.y * 0.85, r) ** 2)) - drop)
    inside = smooth(1.0, 0.97, np.abs(across)) * smooth(-r * 1.17, -r * 1.15, c.y) * smooth(0.152, 0.150, c.y)
    gore = np.floor(np.arcsin(np.clip(across, -1, 1)) / np.pi * 10 + 0.5).astype(int)
    base = np.where(
        (gore % 2 == 0)[..., None], rgb("#e8452f"), np.where((gore % 4 == 1)[..., None], rgb("#ffd24a"), rgb("#fff2d8"))
    )
    band = (np.abs(c.y + 0.015 + 0.01 * np.abs(across)) < 0.022)[..., None]
    light = 0.78 + 0.34 * np.clip(-0.7 * across - 2.2 * c.y, -0.8, 0.8)
    c.fill(np.clip(np.where(band, rgb("#2f4f9a"), base) * light[..., None], 0, 1).astype(np.float32), inside)
    for x in (-0.022, 0.019):
        c.polygon("#5a4030", [(x * 1.3, 0.148), (x * 1.3 + 0.003, 0.148), (x + 0.003, 0.21), (x, 0.21)])
    c.polygon("#8a5a34", [(-0.026, 0.205), (0.026, 0.205), (0.021, 0.25), (-0.021, 0.25)])
    c.polygon("#c08a50", [(-0.028, 0.202), (0.028, 0.202), (0.027, 0.215), (-0.027, 0.215)])
    return c


def birds(density: float) -> Canvas:
    c = Canvas(-0.30, -0.15, 0.60, 0.30, density)
    for x, y, s in ((0, 0, 1.0), (-0.09, 0.035, 0.85), (-0.10, -0.05, 0.8), (-0.19, 0.075, 0.75), (-0.20, -0.085, 0.7)):
        w = 0.045 * s
        c.polygon(
            "#33344a",
            [
                (x, y + 0.2 * w),
                (x - 0.5 * w, y - 0.35 * w),
                (x - w, y - 0.15 * w),
                (x - 0.5 * w, y - 0.12 * w),
                (x, y + 0.45 * w),
                (x + 0.5 * w, y - 0.12 * w),
                (x + w, y - 0.15 * w),
                (x + 0.5 * w, y - 0.35 * w),
            ],
        )
    return c


def meadow(rng: np.random.Generator, density: float) -> Canvas:
    c = wide(density)
    line = np.float32(0.90) - 0.10 * np.exp(-((c.x - 0.1) ** 2) / 0.25) - 0.07 * np.exp(-((c.x - 2.0) ** 2) / 0.2)
    line = line + 0.01 * np.sin(9 * c.x)
    tufts = c.noise(rng, 0.02, 3) + c.noise(rng, 0.16, 3)
    c.fill(
        ramp(0.5 + 0.17 * tufts - 0.9 * (c.y - line), "#1f4a26", "#4a8a30", "#94bc3e", "#dcd860"),
        c.below(line + 0.004 * tufts),
    )
    n = 5200
    px = rng.uniform(c.x0, c.x0 + c.width, n)
    column = np.clip(((px - c.x0) * c.density).astype(int), 0, line.shape[1] - 1)
    py = line[0, column] + rng.uniform(0, 1, n) ** 1.3 * 0.36
    order = np.argsort(py)
    size = 0.5 + 4.0 * (py - line[0, column])
    tones = ramp(rng.uniform(0, 1, (1, n)), "#16401f", "#3f8a2c", "#8fc03c", "#e4e070")[0]
    for i in order[::2]:
        h, lean = 0.016 * size[i], rng.normal(0, 0.006) * size[i]
        w = 0.0016 * size[i]
        hexes = "#" + "".join(f"{int(v * 255):02x}" for v in tones[i])
        _blade(c, hexes, px[i], py[i], w, h, lean)
    flowers = order[1::2]
    palette = np.stack([rgb(s) for s in ("#e83a3a", "#fff4dc", "#ffce3a", "#b85ad0", "#f0803a", "#5a7ae0")])
    shown = flowers[rng.uniform(0, 1, len(flowers)) < 0.45]
    kind = (np.floor(px[shown] * 5 + rng.uniform(0, 2.5, len(shown))).astype(int)) % len(palette)
    c.dots(np.stack([px[shown], py[shown]], 1), 0.0036 * size[shown], palette[kind])
    c.dots(np.stack([px[shown], py[shown]], 1), 0.0013 * size[shown], np.broadcast_to(rgb("#6a3a1c"), (len(shown), 3)))
    return c


def _blade(c: Canvas, colour: str, x: float, y: float, w: float, h: float, lean: float) -> None:
    """A blade of grass, painted into its own few pixels."""
    d = c.density
    i0, i1 = max(0, int((x - abs(lean) - w - c.x0) * d)), int((x + abs(lean) + w - c.x0) * d) + 2
    j0, j1 = max(0, int((y - h - c.y0) * d)), int((y - c.y0) * d) + 2
    window = c.alpha[j0:j1, i0:i1]
    if window.size == 0:
        return
    t = np.clip((y - c.y[j0:j1, i0:i1]) / h, 0, 1)
    share = smooth(w + 0.5 / d, w, np.abs(c.x[j0:j1, i0:i1] - x - lean * t * t) + w * t * t) * (c.y[j0:j1, i0:i1] < y)
    share = share * (t < 1)
    c.colour[j0:j1, i0:i1] += (rgb(colour) - c.colour[j0:j1, i0:i1]) * share[..., None]
    c.alpha[j0:j1, i0:i1] = np.maximum(window, (share > 0.5).astype(np.float32))


def tree(rng: np.random.Generator, density: float) -> Canvas:
    """The tree at the left border that the camera leaves behind."""
    c = wide(density)
    bark = 0.5 + 0.3 * c.noise(rng, 0.05, 3)
    lean = 0.06 * (0.9 - c.y) ** 2
    half = 0.030 + 0.05 * np.clip(c.y - 0.75, 0, 1) ** 1.5
    inside = smooth(half.max() * 0 + 1.0, 0.93, np.abs(c.x - 0.10 - lean) / half) * c.below(np.full_like(c.x, 0.05))
    c.fill(ramp(bark - 4 * (c.x - 0.10 - lean), "#2c1c18", "#5a3c2c", "#a07850"), inside)
    for x, y, rx, ry, n in (
        (0.06, 0.05, 0.34, 0.20, 700),
        (0.34, 0.16, 0.20, 0.10, 300),
        (-0.16, 0.20, 0.22, 0.14, 300),
    ):
        c.foliage(rng, x, y, rx, ry, ["#12301c", "#28602c", "#5c9a34", "#b4cc48", "#f2ea80"], n)
    return c
