"""Synthetic films whose motion is known exactly: a smooth endless picture, seen through a moving window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.conftest import Draw

H, W = 48, 64
Grid = NDArray[np.floating[Any]]


def picture(x: Grid, y: Grid, seed: int = 0) -> Grid:
    """(3, ...) in about [0.2, 0.8]: a sum of waves no shorter than 16 px, so that bilinear sampling errs by little."""
    rng = np.random.default_rng(seed)
    out = np.full((3, *x.shape), 0.5)
    for _ in range(8):
        fx, fy = rng.uniform(-1, 1, 2) / 16
        for c in range(3):
            out[c] += 0.05 * rng.uniform(0.3, 1) * np.sin(2 * np.pi * (fx * x + fy * y) + rng.uniform(0, 7))
    return out


def grid(h: int = H, w: int = W) -> tuple[Grid, Grid]:
    y, x = np.mgrid[:h, :w].astype(np.float64)
    return x, y


@dataclass(frozen=True)
class Affine:
    """x' = A (x - centre) + centre + shift: the motion of every pixel from one frame to the next."""

    matrix: Grid
    shift: tuple[float, float] = (0.0, 0.0)

    def flow(self) -> Tensor:
        x, y = grid()
        p = np.stack([x - W / 2, y - H / 2])
        q = np.tensordot(self.matrix, p, 1) + np.array(self.shift)[:, None, None]
        return torch.from_numpy(q - p).float()

    def inverse(self) -> Affine:
        back = np.linalg.inv(self.matrix)
        dx, dy = -back @ np.array(self.shift)
        return Affine(back, (dx, dy))

    def frames(self) -> tuple[Tensor, Tensor]:
        """The first frame, and the second: what it shows at x was at inverse(x)."""
        x, y = grid()
        u, v = self.inverse().flow().double().numpy()
        return tuple(torch.from_numpy(picture(*p)).float() for p in ((x, y), (x + u, y + v)))  # type: ignore[return-value]

    def inside(self) -> Tensor:
        """Pixels of the first frame that stay in the picture."""
        x, y = grid()
        u, v = self.flow().double().numpy()
        return torch.from_numpy((x + u >= 0) & (x + u <= W - 1) & (y + v >= 0) & (y + v <= H - 1))


def turn(degrees: float, zoom: float = 1.0) -> Grid:
    c, s = zoom * np.cos(np.radians(degrees)), zoom * np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


MOTIONS: dict[str, Affine] = {
    "translation": Affine(np.eye(2), (5, -3)),
    "sub-pixel translation": Affine(np.eye(2), (2.37, 0.81)),
    "rotation": Affine(turn(2.5), (0, 0)),
    "zoom in": Affine(turn(0, 1.04)),
    "zoom out, turning": Affine(turn(-1.5, 0.97), (1.3, 0)),
}


@pytest.fixture(params=list(MOTIONS))
def affine(request: pytest.FixtureRequest) -> Affine:
    return MOTIONS[request.param]


@dataclass(frozen=True)
class Occluder:
    """A square before a moving background, each with its own exact translation (x, y in whole pixels)."""

    background: tuple[int, int] = (-3, 2)
    square: tuple[int, int] = (7, 4)
    left: int = 18
    top: int = 12
    side: int = 14

    def mask(self, t: int) -> NDArray[np.bool_]:
        x, y = grid()
        left, top = self.left + t * self.square[0], self.top + t * self.square[1]
        return (x >= left) & (x < left + self.side) & (y >= top) & (y < top + self.side)

    def frame(self, t: int) -> Tensor:
        x, y = grid()
        back = picture(x - t * self.background[0], y - t * self.background[1], seed=1)
        front = picture(x - t * self.square[0], y - t * self.square[1], seed=2)
        return torch.from_numpy(np.where(self.mask(t), front, back)).float()

    def flow(self, t: int, sign: int = 1) -> Tensor:
        """From frame t to frame t + sign."""
        u = np.where(self.mask(t), self.square[0], self.background[0])
        v = np.where(self.mask(t), self.square[1], self.background[1])
        return torch.from_numpy(sign * np.stack([u, v]).astype(np.float32))

    def hidden(self) -> NDArray[np.bool_]:
        """Pixels of frame 0 that frame 1 does not show: covered by the square, or gone from the picture."""
        x, y = grid()
        u, v = self.flow(0).numpy()
        px, py = (x + u).astype(int), (y + v).astype(int)
        gone = (px < 0) | (px >= W) | (py < 0) | (py >= H)
        covered = self.mask(1)[py.clip(0, H - 1), px.clip(0, W - 1)] & ~self.mask(0)
        return gone | covered


def to_uint8(frame: Tensor) -> NDArray[np.uint8]:
    """(3, H, W) in [0, 1] -> (H, W, 3) uint8."""
    return (frame.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


@pytest.fixture
def moving_film() -> Draw:
    """`draw` for make_clip: the smooth picture, moving by (2, 1) px a frame, whatever the size."""

    def draw(index: int, width: int, height: int) -> NDArray[np.uint8]:
        x, y = grid(height, width)
        return to_uint8(torch.from_numpy(picture(x - 2 * index, y - index)).float())

    return draw


@pytest.fixture
def occluder() -> Occluder:
    return Occluder()
