"""Training pictures: batches, names of fixed crops, what is set aside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vidstyle.training.data.images import ImageFolder, Name, batch, square
from vidstyle.training.data.rng import Purpose


def test_a_batch_is_its_crops_in_order(images: ImageFolder) -> None:
    crops = [square(i, 64) for i in images.images]
    pixels = batch(crops)
    assert pixels.shape == (4, 3, 64, 64)
    assert pixels.dtype == torch.float32
    assert torch.equal((pixels * 255).round().byte().permute(0, 2, 3, 1), torch.from_numpy(np.stack(crops)))


def test_a_named_crop_is_the_same_whenever_it_is_drawn_and_another_for_another_name() -> None:
    drawn = [Name(Purpose.STYLE, 3, 1).rng(7).random() for _ in range(2)]
    assert drawn[0] == drawn[1]
    others = (Name(Purpose.CONTENT, 3, 1), Name(Purpose.STYLE, 2, 1), Name(Purpose.STYLE, 3, 0))
    assert len({drawn[0], *(n.rng(7).random() for n in others), Name(Purpose.STYLE, 3, 1).rng(8).random()}) == 5


def test_pictures_set_aside_are_not_trained_on() -> None:
    numbered = tuple(np.full((64, 64, 3), i, np.uint8) for i in range(20))
    folder = ImageFolder(Path("numbers"), numbered, 0, "")
    rest, aside = folder.set_aside(4)
    assert [int(x[0, 0, 0]) for x in aside] == [2, 8, 12, 18]
    assert {int(x[0, 0, 0]) for x in rest.images} == set(range(20)) - {2, 8, 12, 18}
    assert len(folder.set_aside(50)[1]) == 5  # never more than a quarter
    assert folder.set_aside(0) == (folder, ())


def test_the_middle_square_keeps_its_bytes_at_its_own_size_and_its_colours_at_others() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 100, 3), dtype=np.uint8)
    assert np.array_equal(square(image, 64), image[:, 18:82])
    flat = np.full((90, 70, 3), (10, 100, 250), np.uint8)
    for side in (32, 70, 128):
        assert square(flat, side).shape == (side, side, 3)
        assert (square(flat, side) == flat[0, 0]).all()
