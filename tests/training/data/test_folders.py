"""Folders of images: broken ones are counted, crops are squares of their side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.core.errors import InputError
from vidstyle.imaging.resize import resize_short
from vidstyle.training.data.crop_boxes import draw_crop_box
from vidstyle.training.data.folders import cut, load_folder
from vidstyle.training.data.images import ImageFolder


def test_a_folder_counts_what_it_cannot_read(images: ImageFolder) -> None:
    assert len(images.images) == 4
    assert images.broken == 1
    assert all(i.dtype == np.uint8 for i in images.images)
    assert len(images.digest) == 64


def test_large_pictures_are_shrunk_in_memory(pictures: Path) -> None:
    small = load_folder(pictures, longest_short_side=64)
    assert [min(i.shape[:2]) for i in small.images] == [64] * 4


def test_no_folder_and_no_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        load_folder(tmp_path / "missing")
    with pytest.raises(InputError, match="no readable picture"):
        load_folder(tmp_path)


@given(
    h=st.integers(64, 200), w=st.integers(64, 200), side=st.integers(32, 96), low=st.floats(1, 2), seed=st.integers(0, 99)
)  # fmt: skip
def test_a_crop_is_always_a_square_of_its_side(h: int, w: int, side: int, low: float, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 255, (h, w, 3), dtype=np.uint8)
    box = draw_crop_box(0, image.shape, side, (low, low + 0.5), np.random.default_rng(seed))
    assert cut(image, box, side).shape == (side, side, 3)
    assert resize_short(image, min(box.size)).shape[:2] == box.size
    assert side <= min(box.size) <= max(side, min(h, w))


def test_crops_are_not_enlarged_where_the_picture_is_large_enough() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    assert resize_short(image, 50).shape[:2] == (50, 150)
    assert resize_short(image, 100) is image
