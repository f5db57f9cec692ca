"""What styles are fitted on: crops of the photos that come with the package (photos/CREDITS.md), or of a film's frames."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vidstyle.imaging.tensors import unit_range

SIDE = 176
"""Of a crop, pixels; a multiple of the model's stride."""
REACH = 6
"""Pixels more on each side that a crop is cut with, for moving it."""
_SHOWN = (0.4, 0.7)
"""Share of a picture's short side that a crop shows: about what it would be of a frame that is painted, so that things are as
large in it as there. Crops that show all of a picture are denser, and fitted styles then miss their statistics on frames."""

GRAIN, _SPOT = 0.012, 4
"""Deviation of the noise, of the range of values; size of its spots, pixels."""

Picture = NDArray[np.uint8]


def photos() -> list[Picture]:
    """The photos that ship, (H, W, 3) uint8 each, in the order of their names."""
    folder = resources.files("vidstyle.styles.fit") / "photos"
    found = []
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".webp"):
            with entry.open("rb") as stream, Image.open(stream) as picture:
                found.append(np.array(picture.convert("RGB")))
    return found


def crop(pictures: Sequence[Picture], rng: np.random.Generator, side: int = SIDE) -> Tensor:
    """A random crop of a random picture at a random size, mirrored half of the time.

    Returns:
        (1, 3, side + REACH, side + REACH) float32 in [0, 1].
    """
    picture = pictures[int(rng.integers(len(pictures)))]
    whole = side + REACH
    height, width = picture.shape[:2]
    scale = whole / (min(height, width) * rng.uniform(*_SHOWN))
    size = max(whole, round(width * scale)), max(whole, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = int(rng.integers(size[0] - whole + 1)), int(rng.integers(size[1] - whole + 1))
    piece = cv2.resize(picture, size, interpolation=method)[top : top + whole, left : left + whole]
    return as_tensor(np.asarray(piece[:, ::-1] if rng.integers(2) else piece, np.uint8))


def grain(crops: Tensor, rng: np.random.Generator) -> Tensor:
    """Crops with noise as film grain and compression leave it, half of it in single pixels and half in spots of four: a film's
    frames differ by it where nothing moves.

    Args:
        crops: (B, 3, H, W) in [0, 1].
    """
    batch, _, height, width = crops.shape
    fine = rng.standard_normal(crops.shape, np.float32)
    coarse = rng.standard_normal((batch, 3, -(-height // _SPOT), -(-width // _SPOT)), np.float32)
    spots = F.interpolate(torch.from_numpy(coarse), scale_factor=float(_SPOT), mode="bilinear")[..., :height, :width]
    noise = torch.from_numpy(fine) + 2 * spots  # linear between spots leaves about half the deviation
    return (crops + GRAIN / 1.7 * noise.to(crops.device)).clamp(0, 1)


def as_tensor(picture: Picture) -> Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) float32 in [0, 1]."""
    return unit_range(picture)[None]
