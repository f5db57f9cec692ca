"""A lake with reeds and flowers in wet washes: pigment that gathers at the edges, bleeds, and settles in rough paper."""

from __future__ import annotations

import cv2
import numpy as np
from fields import Field, Image, blur, displace, grid, mask_of, noise, ramp, relief, smooth
from scenery import ridge
from stained_glass import petal, stem

SIZE = 1024


class Sheet:
    """Paper that takes washes: each multiplies the light that comes back."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.x, self.y = grid(SIZE)
        self.tooth = noise(rng, SIZE, 7, 3) + 0.5 * noise(rng, SIZE, 20, 2)
        self.warp = [(noise(rng, SIZE, c, 4), noise(rng, SIZE, c, 4)) for c in (120, 40)]
        self.light: Image = np.broadcast_to(np.float32([0.985, 0.965, 0.92]), (SIZE, SIZE, 3)).copy()

    def wash(self, inside: Field, colours: tuple[str, ...], along: Field, *, load: float = 1.0, wet: float = 0.3, edge: float = 1.0) -> None:
        """One wash.

        Args:
            inside: where the brush went.
            along: which of the colours, 0 to 1.
            load: how much pigment.
            wet: how far the border bleeds, 0 to 1.
            edge: how dark the drying edge is.
        """
        rng = self.rng
        (ax, ay), (bx, by) = self.warp
        inside = displace(inside, 7 * ax + 3.5 * bx, 7 * ay + 3.5 * by)
        soft = blur(inside, 1.0 + 22 * wet)
        wet_here = smooth(-0.4, 0.9, noise(rng, SIZE, 170, 3)) * wet
        body = (inside * (1 - wet_here) + soft * wet_here).astype(np.float32)
        rim = np.clip(blur(body, 1.2) - blur(body, 8), 0, 1) + 0.6 * np.clip(body - blur(body, 22), 0, 1)
        bloom = noise(rng, SIZE, 190, 5)
        # Where water ran back into drying paint: cauliflower edges.
        back = np.exp(-(((bloom - 0.9) / 0.10) ** 2)) * 0.35 - 0.25 * smooth(0.95, 1.5, bloom)
        grain = np.clip(1 + 0.22 * self.tooth, 0.2, 2)
        dry = smooth(-2.0, -1.0, self.tooth + 0.5 * noise(rng, SIZE, 50, 2))
        amount = load * body * (0.75 + 0.30 * noise(rng, SIZE, 230, 4) * 0.6 + back) * grain * (0.55 + 0.45 * dry) + load * edge * rim * 1.1
        pigment = ramp(along + 0.10 * bloom, *colours)
        absorb = -np.log(np.clip(pigment, 0.03, 0.995))
        self.light = (self.light * np.exp(-absorb * np.clip(amount, 0, 3)[..., None])).astype(np.float32)

    def spatter(self, colours: list[str], count: int) -> None:
        dots = np.zeros((SIZE, SIZE), np.uint8)
        for colour in colours:
            dots[:] = 0
            for cx, cy in self.rng.uniform(0, SIZE, (count, 2)):
                cv2.circle(dots, (int(cx), int(cy)), int(self.rng.uniform(1, 5)), 255, -1, cv2.LINE_AA)
            self.wash(dots.astype(np.float32) / 255, (colour, colour), self.x, load=0.7, wet=0.05)


def picture(rng: np.random.Generator) -> Image:
    s = Sheet(rng)
    x, y = s.x, s.y
    n = noise(rng, SIZE, 300, 4)
    sky = smooth(0.62, 0.40, y) * (1 - 0.75 * smooth(0.2, 0.9, n) * smooth(0.5, 0.2, y))
    s.wash(sky, ("#f7b27a", "#f2a0a8", "#8f9fd8", "#3f7fc8"), 1.25 - 2.1 * y, load=0.85, wet=1.0, edge=0.5)
    s.wash(smooth(0.35, 0.9, noise(rng, SIZE, 330, 4)) * smooth(0.40, 0.15, y), ("#5f6fb8", "#a889c0"), x, load=0.5, wet=0.9)
    # The paper is lifted for the sun, then glazed.
    sun = blur(smooth(0.085, 0.05, np.hypot(x - 0.70, y - 0.25)), 6)[..., None]
    s.light = s.light * (1 - 0.9 * sun) + 0.9 * sun * np.float32([0.99, 0.96, 0.88])
    s.wash(smooth(0.062, 0.058, np.hypot(x - 0.70, y - 0.25)), ("#ffd04a", "#ff9a3a"), y * 3, load=0.7, wet=0.5)
    for k, (base, height, colours) in enumerate((
        (0.40, 0.22, ("#8fa8d8", "#b89ac8", "#7f9fd0")), (0.46, 0.14, ("#4f7fb8", "#6a6fb0", "#58a0b0")),
        (0.515, 0.07, ("#2f7f88", "#4f9a68", "#98b84a")),
    )):
        line = ridge(rng, x, base, height * 0.55, (1.1, 2.6, 6.0, 13.0))
        s.wash(smooth(-0.002, 0.002, y - line) * smooth(0.60, 0.56, y), colours, x + 0.3 * n, load=0.62 + 0.12 * k, wet=0.35)
        s.wash(smooth(0.0, 0.01, y - line - 0.03) * smooth(0.1, 0.6, noise(rng, SIZE, 110, 4)) * smooth(0.59, 0.55, y), colours[::-1], y * 2, load=0.45, wet=0.2)
    for i in range(46):
        tx, w = rng.uniform(0, 1), rng.uniform(0.008, 0.02)
        h = w * rng.uniform(2.5, 4.5)
        tree = mask_of(SIZE, np.array([[tx - w, 0.565], [tx - 0.3 * w, 0.565 - 0.6 * h], [tx, 0.565 - h], [tx + 0.4 * w, 0.565 - 0.55 * h], [tx + w, 0.565]]))
        if i % 6 == 0:
            trees = tree
        trees = np.maximum(trees, tree)
        if i % 6 == 5:
            s.wash(trees, ("#1f5f58", "#3f6f3a", "#2f4f78"), x * 3 % 1, load=0.8, wet=0.25)
    lake = smooth(0.560, 0.564, y) * smooth(0.93, 0.86, y)
    ripples = 0.5 + 0.5 * np.sin(2 * np.pi * (34 * np.sqrt(np.clip(y - 0.55, 0, 1)) + 0.5 * n))
    s.wash(lake * (0.35 + 0.65 * ripples), ("#f2b090", "#88a8d0", "#3f88b8", "#2f6fa0"), (y - 0.56) * 3, load=0.75, wet=0.5, edge=0.4)
    s.wash(lake * smooth(0.62, 0.8, ripples) * smooth(-0.3, 0.3, n), ("#2f5f98", "#3f8f98"), x, load=0.55, wet=0.1)
    shore = 0.83 + 0.05 * np.sin(5 * x + 1) - 0.10 * smooth(0.35, 0.0, x)
    s.wash(smooth(-0.01, 0.01, y - shore), ("#c8c83a", "#6aa83a", "#2f7f58", "#3f5f48"), (y - shore) * 4 + 0.2 * n, load=0.85, wet=0.6)
    for _ in range(7):
        leaves = np.zeros_like(x)
        for _ in range(14):
            bx, by = rng.uniform(-0.02, 1.02), rng.uniform(0.93, 1.05)
            leaves = np.maximum(leaves, mask_of(SIZE, petal(bx, by, -np.pi / 2 + rng.normal(0, 0.28), rng.uniform(0.12, 0.30), rng.uniform(0.006, 0.014), rng.normal(0, 0.5))))
        s.wash(leaves, (("#1f6f4a", "#7fa83a"), ("#2f5f3a", "#3f9a78"), ("#98a82f", "#d8b83a"))[int(rng.integers(3))], y * 2 - 1, load=0.8, wet=0.12)
    flowers = [(0.12, 0.70, 1.1), (0.27, 0.83, 0.85), (0.40, 0.76, 0.75), (0.56, 0.88, 0.95), (0.73, 0.80, 1.0), (0.90, 0.72, 1.15), (0.85, 0.92, 0.8), (0.06, 0.90, 0.8), (0.40, 0.94, 0.8)]
    for k, (fx, fy, size) in enumerate(flowers):
        s.wash(mask_of(SIZE, stem([(fx, fy), (fx + 0.01, fy + 0.15), (fx - 0.01, 1.03)], 0.0035)), ("#2f6f3a", "#7fa83a"), y, load=0.9, wet=0.05)
        colours = (("#e8304a", "#f8786a", "#ffb08a"), ("#7a3fb0", "#b878d8", "#e8a8e0"), ("#f08a1f", "#ffc03a", "#ffe07a"), ("#d8308a", "#f878b0", "#ffb8c8"))[k % 4]
        # Paper is lifted first, so that the flower glows.
        halo = blur(smooth(0.075 * size, 0.05 * size, np.hypot(x - fx, y - fy)), 5)
        s.light = s.light * (1 - 0.62 * halo[..., None]) + 0.62 * halo[..., None] * np.float32([0.99, 0.97, 0.93])
        for a in rng.permutation(6):
            shape = mask_of(SIZE, petal(fx, fy, a * np.pi / 3 + k, 0.070 * size, 0.027 * size, rng.normal(0, 0.3)))
            s.wash(shape, colours, np.hypot(x - fx, y - fy) / (0.075 * size), load=0.75, wet=0.22, edge=1.2)
        s.wash(smooth(0.014 * size, 0.010 * size, np.hypot(x - fx, y - fy)), ("#5a2f1f", "#a8602f"), y, load=1.0, wet=0.1)
    s.spatter(["#3f6fb0", "#d8506a", "#5f9a4a"], 34)
    paper = relief(s.light, s.tooth * 0.55, 0.30)
    grey = paper.mean(2, keepdims=True)
    return (grey + 1.12 * (paper - grey)).astype(np.float32)
