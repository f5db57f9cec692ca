"""Pictures to train with, decoded and held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.imaging.tensors import tensor_of
from vidstyle.training.data.rng import Purpose


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


def set_aside(
    content: ImageFolder, style: ImageFolder, count: int
) -> tuple[ImageFolder, ImageFolder, tuple[NDArray[np.uint8], ...], tuple[NDArray[np.uint8], ...]]:
    """Photos and paintings without `count` of each, and those. Of fewer than four photos or paintings none can be spared, and
    then none of the others either: they would never be looked at."""
    (photos, unseen_photos), (paintings, unseen_paintings) = content.set_aside(count), style.set_aside(count)
    if unseen_photos and unseen_paintings:
        return photos, paintings, unseen_photos, unseen_paintings
    return content, style, (), ()


@dataclass(frozen=True)
class Name:
    """Of a picture's fixed crop."""

    what: Purpose
    """Which chance it is of: photos and paintings are numbered alike."""
    picture: int
    variant: int

    def rng(self, seed: int) -> np.random.Generator:
        """Decides what the crop is, whenever it is drawn."""
        return np.random.default_rng([seed, self.what, self.picture, self.variant])


@dataclass(frozen=True)
class ImageBatch:
    """Crops of a batch."""

    pixels: Tensor
    """(B, 3, S, S) float32 in [0, 1], channels-last."""
    names: tuple[Name | None, ...]
    """Of fixed crops; None for what is seen only once."""


def square(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The middle of a picture, shrunk or enlarged (bilinear, antialiased) to (side, side, 3)."""
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    middle = np.ascontiguousarray(image[top : top + short, left : left + short])
    if short == side:
        return middle
    planes = tensor_of(middle).permute(2, 0, 1)[None].float()
    resized = F.interpolate(planes, (side, side), mode="bilinear", antialias=True)
    return np.asarray(resized[0].round().byte().permute(1, 2, 0).contiguous(), np.uint8)


def batch(crops: Sequence[NDArray[np.uint8]]) -> Tensor:
    """(B, 3, S, S) float32 in [0, 1], channels-last, of (S, S, 3) uint8 each."""
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float().div_(255)
