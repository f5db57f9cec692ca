"""Training pictures: broken ones are counted, crops are squares, a batch is a function of its generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.core.errors import InputError
from vidstyle.metrics.geometry import resize_short
from vidstyle.training.data.images import ImageFolder, Name, batch, crop, load_folder
from vidstyle.training.data.rng import Of


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


def test_a_batch_is_its_crops_in_order(images: ImageFolder) -> None:
    crops = [crop(i, 64, (1.0, 1.5), np.random.default_rng(0)) for i in images.images]
    pixels = batch(crops)
    assert pixels.shape == (4, 3, 64, 64)
    assert pixels.dtype == torch.float32
    assert torch.equal((pixels * 255).round().byte().permute(0, 2, 3, 1), torch.from_numpy(np.stack(crops)))


def test_a_named_crop_is_the_same_whenever_it_is_drawn_and_another_for_another_name() -> None:
    drawn = [Name(Of.STYLE, 3, 1).rng(7).random() for _ in range(2)]
    assert drawn[0] == drawn[1]
    others = (Name(Of.CONTENT, 3, 1), Name(Of.STYLE, 2, 1), Name(Of.STYLE, 3, 0))
    assert len({drawn[0], *(n.rng(7).random() for n in others), Name(Of.STYLE, 3, 1).rng(8).random()}) == 5


def test_pictures_set_aside_are_not_trained_on() -> None:
    numbered = tuple(np.full((64, 64, 3), i, np.uint8) for i in range(20))
    folder = ImageFolder(Path("numbers"), numbered, 0, "")
    rest, aside = folder.set_aside(4)
    assert [int(x[0, 0, 0]) for x in aside] == [2, 8, 12, 18]
    assert {int(x[0, 0, 0]) for x in rest.images} == set(range(20)) - {2, 8, 12, 18}
    assert len(folder.set_aside(50)[1]) == 5  # never more than a quarter
    assert folder.set_aside(0) == (folder, ())
