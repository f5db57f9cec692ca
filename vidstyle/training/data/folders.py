"""Folders of images: read once, cropped by a rule of (seed, step) alone.

Because a batch is a function of the step, a resumed training sees what an uninterrupted one would have seen, and nothing of a
random state has to be saved.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.imaging.resize import resize_short
from vidstyle.media.paths import PICTURES
from vidstyle.training.data.crop_boxes import CropBox
from vidstyle.training.data.images import ImageFolder


def load_folder(path: Path, *, longest_short_side: int = 512, smallest: int = 64) -> ImageFolder:
    """Decode every picture below `path`, shrinking those whose short side is longer than `longest_short_side`.

    Raises:
        InputError: no folder, or no readable picture in it.
    """
    if not path.is_dir():
        raise InputError(f"{path}: not a folder of pictures.")
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in PICTURES and f.is_file())
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


def cut(image: NDArray[np.uint8], box: CropBox, side: int) -> NDArray[np.uint8]:
    """The square of `side` pixels that a box says, (side, side, 3) uint8; its angle must be 0."""
    (top, left), short = box.corner, min(box.size)
    out = resize_short(image, short)[top : top + side, left : left + side]
    return out[:, ::-1] if box.flip else out
