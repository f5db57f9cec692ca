"""Pictures to train with: folders of images, held decoded in memory, cropped by a rule of (seed, step) alone.

Because a batch is a function of the step, a resumed training sees what an uninterrupted one would have seen, and nothing of a
random state has to be saved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.core.errors import InputError
from vidstyle.metrics.geometry import resize_short
from vidstyle.training.data.rng import Of

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class ImageFolder:
    """The readable pictures below a folder."""

    path: Path
    images: tuple[NDArray[np.uint8], ...]
    """Each (H, W, 3) uint8 RGB."""
    broken: int
    """Files with a picture's suffix that could not be read, or are smaller than the limit."""
    digest: str
    """SHA-256 over the sorted names and sizes: says which data a model has seen."""

    def set_aside(self, count: int) -> tuple[ImageFolder, tuple[NDArray[np.uint8], ...]]:
        """The folder without `count` pictures (at most a quarter of it), spread evenly, and those pictures."""
        n = len(self.images)
        count = min(count, n // 4)
        picks = {round((i + 0.5) * n / count) for i in range(count)} if count else set()
        rest = tuple(x for i, x in enumerate(self.images) if i not in picks)
        return replace(self, images=rest), tuple(self.images[i] for i in sorted(picks))


@dataclass(frozen=True)
class Name:
    """Of a picture's fixed crop."""

    what: Of
    """Which chance it is of: photos and paintings are numbered alike."""
    picture: int
    variant: int

    def rng(self, seed: int) -> np.random.Generator:
        """Decides what the crop is, whenever it is drawn."""
        return np.random.default_rng([seed, self.what, self.picture, self.variant])


@dataclass(frozen=True)
class Pictures:
    """Crops of a batch."""

    pixels: Tensor
    """(B, 3, S, S) float32 in [0, 1], channels-last."""
    names: tuple[Name | None, ...]
    """Of fixed crops; None for what is seen only once."""


def load_folder(path: Path, *, longest_short_side: int = 512, smallest: int = 64) -> ImageFolder:
    """Decode every picture below `path`, shrinking those whose short side is longer than `longest_short_side`.

    Raises:
        InputError: no folder, or no readable picture in it.
    """
    if not path.is_dir():
        raise InputError(f"{path}: not a folder of pictures.")
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    images, broken, digest = [], 0, hashlib.sha256()
    for file in files:
        raw = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if raw is None or min(raw.shape[:2]) < smallest:
            broken += 1
            continue
        digest.update(f"{file.name}:{file.stat().st_size}\n".encode())
        rgb = np.asarray(cv2.cvtColor(raw, cv2.COLOR_BGR2RGB), np.uint8)
        images.append(resize_short(rgb, min(longest_short_side, *raw.shape[:2])))
    if not images:
        raise InputError(
            f"{path}: no readable picture ({broken} broken or tiny); give a folder of JPEG, PNG or WebP files."
        )
    return ImageFolder(path, tuple(images), broken, digest.hexdigest())


def crop(image: NDArray[np.uint8], side: int, zoom: tuple[float, float], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A random square, maybe flipped; the short side is first drawn from `zoom` times `side`, at most the picture's own."""
    native = max(side, min(image.shape[:2]))
    low, high = (min(native, max(side, round(z * side))) for z in zoom)
    image = resize_short(image, int(rng.integers(low, high + 1)))
    h, w = image.shape[:2]
    top, left = int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1))
    out = image[top : top + side, left : left + side]
    return out[:, ::-1] if rng.random() < 0.5 else out


def square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle of a picture, shrunk or enlarged to (side, side, 3)."""
    image = resize_short(image, side)
    top, left = ((n - side) // 2 for n in image.shape[:2])
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def batch(crops: Sequence[NDArray[np.uint8]]) -> Tensor:
    """(B, 3, S, S) float32 in [0, 1], channels-last, of (S, S, 3) uint8 each."""
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float().div_(255)
