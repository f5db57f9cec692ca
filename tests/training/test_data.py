"""Training pictures: broken ones are counted, crops are squares, a batch is a function of its generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import InputError
from vidstyle.training.data import ImageFolder, batch, crop, load_folder, resize_short


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
    out = crop(image, side, (low, low + 0.5), np.random.default_rng(seed))
    assert out.shape == (side, side, 3)


def test_crops_are_not_enlarged_where_the_picture_is_large_enough() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    assert resize_short(image, 50).shape[:2] == (50, 150)
    assert resize_short(image, 100) is image


def test_the_same_generators_give_the_same_batch(images: ImageFolder) -> None:
    a, b, c = (batch(images, 64, (1.0, 1.5), [np.random.default_rng([s, i]) for i in range(3)]) for s in (1, 1, 2))
    assert a.shape == (3, 3, 64, 64)
    assert a.dtype == torch.float32
    assert 0 <= float(a.min()) <= float(a.max()) <= 1
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_pictures_set_aside_are_not_trained_on() -> None:
    numbered = tuple(np.full((64, 64, 3), i, np.uint8) for i in range(20))
    folder = ImageFolder(Path("numbers"), numbered, 0, "")
    rest, aside = folder.set_aside(4)
    assert [int(x[0, 0, 0]) for x in aside] == [2, 8, 12, 18]
    assert {int(x[0, 0, 0]) for x in rest.images} == set(range(20)) - {2, 8, 12, 18}
    assert len(folder.set_aside(50)[1]) == 5  # never more than a quarter
    assert folder.set_aside(0) == (folder, ())
