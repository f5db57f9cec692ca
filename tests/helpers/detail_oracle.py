"""Detail transfer written out in float64 numpy, and pictures to try it on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.detail import EPS, LIMIT, RADIUS

Picture = NDArray[np.uint8]
Exact = NDArray[np.float64]


def cubic(t: Exact) -> Exact:
    """The kernel of bicubic interpolation (Keys, a = -0.75)."""
    t, a = np.abs(t), -0.75
    near = (a + 2) * t**3 - (a + 3) * t**2 + 1
    far = a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def tent(t: Exact) -> Exact:
    return np.maximum(0, 1 - np.abs(t))


def weights(few: int, many: int, *, linear: bool) -> Exact:
    """(many, few) interpolation along one side: pixel centres at halves, borders repeated."""
    place = (np.arange(many) + 0.5) * few / many - 0.5
    taps = np.floor(place).astype(int)[:, None] + np.arange(-1, 3)
    share = (tent if linear else cubic)(place[:, None] - taps)
    out = np.zeros((many, few))
    np.add.at(out, (np.repeat(np.arange(many), 4), np.clip(taps, 0, few - 1).ravel()), share.ravel())
    return out


def enlarged(plane: Exact, shape: tuple[int, int], *, linear: bool = False) -> Exact:
    rows = weights(plane.shape[0], shape[0], linear=linear)
    columns = weights(plane.shape[1], shape[1], linear=linear)
    return rows @ plane @ columns.T


def boxed(plane: Exact, radius: int = RADIUS) -> Exact:
    padded = np.pad(plane, radius, mode="edge")
    side = range(2 * radius + 1)
    height, width = plane.shape
    return np.mean([padded[i : i + height, j : j + width] for i in side for j in side], axis=0)


def slope(guide: Exact, channel: Exact, eps: float = EPS) -> Exact:
    covariance = boxed(guide * channel) - boxed(guide) * boxed(channel)
    variance = boxed(guide * guide) - boxed(guide) ** 2
    return boxed(np.clip(covariance / (variance + eps), -LIMIT, LIMIT))


def rgb_oracle(painting: Picture, shrunk: Picture, source: Picture, detail: float) -> Exact:
    """The formula of `imaging.detail`, in levels of 255; clamped, not rounded."""
    row = np.array([0.2126, 0.7152, 0.0722])
    shape = source.shape[:2]
    low, high = shrunk @ row / 255, source @ row / 255
    band = high - enlarged(low, shape)
    planes = []
    for i in range(3):
        channel = painting[..., i] / 255
        a = enlarged(slope(low, channel), shape, linear=True)
        planes.append(enlarged(channel, shape) + detail * a * band)
    return np.clip(np.dstack(planes), 0, 1) * 255


def halved(plane: Exact) -> Exact:
    """Mean of each four samples, an odd last column or row counted twice."""
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    return even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).mean(axis=(1, 3))


def yuv_oracle(
    painting: Picture, low: Exact, high: Exact, detail: float, *, direct: bool
) -> tuple[Exact, Exact, Exact]:
    """The same on BT.709 planes, clamped to limited range, in levels of 255, not rounded.

    Args:
        low, high: luma of the shrunk and of the full frame, in [0, 1].
        direct: chroma is enlarged to half size at once.
    """
    matrix = np.array([[0.2126, 0.7152, 0.0722], [-0.2126, -0.7152, 0.9278], [0.7874, -0.7152, -0.0722]])
    matrix[1] /= 2 * 0.9278
    matrix[2] /= 2 * 0.7874
    y, u, v = np.moveaxis(painting @ matrix.T / 255, -1, 0)
    shape = high.shape
    half = (-(-shape[0] // 2), -(-shape[1] // 2))
    band = high - enlarged(low, shape)
    luma = enlarged(y, shape) + detail * enlarged(slope(low, y), shape, linear=True) * band
    chroma = []
    for c in (u, v):
        plain = enlarged(c, half) if direct else halved(enlarged(c, shape))
        chroma.append(plain + detail * enlarged(slope(low, c), half, linear=True) * halved(band))
    return (
        np.clip(16 + 219 * luma, 16, 235),
        np.clip(128 + 224 * chroma[0], 16, 240),
        np.clip(128 + 224 * chroma[1], 16, 240),
    )


def scene(width: int, height: int, seed: int = 0) -> Picture:
    """A smooth picture with edges and grain."""
    noise = np.random.default_rng(seed)
    coarse = noise.uniform(0, 255, (max(2, height // 12), max(2, width // 12), 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    smooth[:, width // 2 :] += 60
    return np.clip(smooth + noise.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def shrunk_by_area(picture: Picture, width: int, height: int) -> Picture:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def painted(picture: Picture) -> Picture:
    """Something that follows a picture in part: other colours, blotches of its own."""
    blotches = scene(picture.shape[1], picture.shape[0], seed=7).astype(np.int32)
    return np.clip(255 - picture[..., [1, 2, 0]].astype(np.int32) // 2 + blotches // 3 - 60, 0, 255).astype(np.uint8)
