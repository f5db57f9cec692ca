"""A training small enough for a test: a few noisy pictures, a VGG of random weights, a network of few channels."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.models.vgg import VGG
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.folders import load_folder
from vidstyle.training.data.images import ImageFolder


@pytest.fixture(autouse=True)
def small_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    """Previews, and the pictures that int8 ranges are measured on whenever a model is saved: most of a short training."""
    monkeypatch.setattr("vidstyle.training.trainer.PREVIEW_SIDE", 64)
    monkeypatch.setattr("vidstyle.training.calibration.SIDE", 64)
    monkeypatch.setattr("vidstyle.training.calibration.PAIRS", 4)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four pictures, a broken one and a text file."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i, (h, w) in enumerate(((70, 90), (100, 64), (80, 80), (64, 120))):
        small = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{i}.png"), cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    (folder / "notes.txt").write_text("hello")
    return folder


@pytest.fixture(scope="session")
def images(pictures: Path) -> ImageFolder:
    return load_folder(pictures)


@pytest.fixture(scope="session")
def clips(images: ImageFolder) -> ClipFolder:
    """One clip of four frames: a camera that moves a pixel a frame over a picture."""
    picture = images.images[1]
    frames = [np.ascontiguousarray(picture[i : i + 96]) for i in range(4)]
    return ClipFolder((Path("clips"),), (tuple(pairwise(frames)),), 0, 0, "0" * 64)


@pytest.fixture
def vgg() -> VGG:
    """A loss network of few channels: what is tested is the loop around it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VGG("vgg16", widths=(8, 16, 24, 32, 32))
