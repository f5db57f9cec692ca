"""Paint for the layers of the scene: noise, gradients and antialiased shapes on (H, W, 4) float32 RGBA canvases.

Coordinates are in heights of the picture (x right, y down); a canvas knows which part of the world it covers. Colours are
"#rrggbb". Everything random comes from the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
_EVERYWHERE = (slice(None), slice(None))


def rgb(code: str) -> NDArray[np.float32]:
    """(3,) float32 in [0, 1]."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def ramp(t: NDArray[np.floating], *stops: str) -> Field:
    """(H, W, 3): colours of evenly spaced stops at t in [0, 1]."""
    table = np.stack([rgb(s) for s in stops])
    at = np.clip(t, 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(at, np.arange(len(stops)), table[:, c]) for c in range(3)], -1).astype(np.float32)


def smooth(low: float, high: float, x: Field) -> Field:
    """0 below low, 1 above high, a smooth ramp between (low > high turns it round)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


@dataclass
class Canvas:
    """A layer while it is painted: straight (not premultiplied) alpha, nothing on it at first."""

    x0: float
    y0: float
    width: float
    height: float
    density: float
    """Pixels a unit."""

    def __post_init__(self) -> None:
        shape = round(self.height * self.density), round(self.width * self.density)
        self.colour: Field = np.zeros((*shape, 3), np.float32)
        self.alpha: Field = np.zeros(shape, np.float32)
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        self.x: Field = self.x0 + (x + 0.5) / self.density
        self.y: Field = self.y0 + (y + 0.5) / self.density

    def noise(self, rng: np.random.Generator, cell: float, octaves: int = 4, stretch: float = 1.0) -> Field:
        """(H, W) fractal value noise of unit deviation; `cell` is its largest feature, `stretch` times as wide as high."""
        h, w = self.alpha.shape
        out: Field = np.zeros((h, w), np.float32)
        for k in range(octaves):
            size = max(1.0, cell * self.density / 2**k)
            grid = rng.standard_normal((int(h / size) + 3, int(w / size / stretch) + 3)).astype(np.float32)
            out += 0.55**k * cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC)
        return np.asarray((out - out.mean()) / out.std(), np.float32)

    def fill(self, colour: Field, share: Field | float = 1.0, window: tuple[slice, slice] = _EVERYWHERE) -> None:
        """Lay a colour, (H, W, 3) or (3,), over a window of the canvas where share is above 0."""
        under = self.alpha[window]
        s: Field = np.broadcast_to(np.float32(share), under.shape)
        keep = under * (1 - s)
        alpha = s + keep
        mixed = colour * s[..., None] + self.colour[window] * keep[..., None]
        self.colour[window] = mixed / np.maximum(alpha, 1e-6)[..., None]
        self.alpha[window] = alpha

    def below(self, line: Field) -> Field:
        """1 under the line y = line(x), with an edge of one pixel."""
        return smooth(-0.5 / self.density, 0.5 / self.density, self.y - line)

    def polygon(self, colour: str, points: Sequence[tuple[float, float]] | NDArray[np.floating]) -> None:
        p = (np.asarray(points, float) - (self.x0, self.y0)) * self.density
        rows, columns = self._window(p, 2)
        shift = np.array([columns.start, rows.start])
        mask = np.zeros(self.alpha[rows, columns].shape, np.uint8)
        cv2.fillPoly(mask, [np.round((p - shift) * 16 - 8).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
        self.fill(rgb(colour), mask.astype(np.float32) / 255, (rows, columns))

    def dots(self, points: NDArray[np.floating], radii: NDArray[np.floating], colours: NDArray[np.floating]) -> None:
        """Many discs, in order: points (N, 2), radii (N,) in units, colours (N, 3)."""
        p = (points - (self.x0, self.y0)) * self.density
        rows, columns = self._window(p, float(radii.max()) * self.density + 2)
        paint = np.dstack([self.colour[rows, columns], self.alpha[rows, columns]])
        paint = np.clip(paint * 255, 0, 255).astype(np.uint8)
        centres = np.round((p - (columns.start, rows.start)) * 16 - 8).astype(int)
        for (cx, cy), r, c in zip(centres.tolist(), radii.tolist(), (colours * 255).tolist(), strict=True):
            # Too small to be seen at this density: as a whole pixel it would be larger than it is.
            if r * self.density > 0.35:
                cv2.circle(paint, (cx, cy), round(r * self.density * 16), (*c, 255.0), -1, cv2.LINE_8, shift=4)
        self.colour[rows, columns] = paint[..., :3].astype(np.float32) / 255
        self.alpha[rows, columns] = paint[..., 3].astype(np.float32) / 255

    def _window(self, pixels: NDArray[np.floating], margin: float) -> tuple[slice, slice]:
        """Rows and columns of the canvas that hold the points, (N, 2) x, y in pixels, and a margin about them."""
        low = np.maximum(np.floor(pixels.min(0) - margin), 0).astype(int)
        high = np.maximum(np.ceil(pixels.max(0) + margin), low).astype(int)
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    def foliage(
        self, rng: np.random.Generator, x: float, y: float, rx: float, ry: float, stops: Sequence[str], clumps: int
    ) -> None:
        """A crown of leaves, light where the sun falls (upper left)."""
        a, r = rng.uniform(0, 2 * np.pi, clumps), np.sqrt(rng.uniform(0, 1, clumps))
        u, v = r * np.cos(a), r * np.sin(a)
        order = np.argsort(-(v + 0.6 * u) + rng.normal(0, 0.4, clumps))
        u, v = u[order], v[order]
        lit = np.clip(0.5 - 0.32 * v - 0.22 * u + rng.normal(0, 0.15, clumps), 0, 1)
        radii = rng.uniform(0.10, 0.22, clumps) * min(rx, ry)
        self.dots(np.stack([x + u * rx, y + v * ry], 1), radii, ramp(lit[None], *stops)[0])

    def premultiplied(self) -> NDArray[np.uint8]:
        """(H, W, 4) uint8, colour times alpha."""
        rgba = np.dstack([self.colour * self.alpha[..., None], self.alpha])
        return np.round(np.clip(rgba, 0, 1) * 255).astype(np.uint8)
