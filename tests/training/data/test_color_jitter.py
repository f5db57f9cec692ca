"""Changes of colour: each by hand, each a function of the picture's own generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import kornia
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.training.data.batches import Folders, draw_pictures
from vidstyle.training.data.color_jitter import jitter, recolour
from vidstyle.training.data.images import ImageFolder, Name
from vidstyle.training.data.rng import StepRandomness
from vidstyle.training.recipe import Colour, Stage

GREY = torch.tensor([0.299, 0.587, 0.114])


class Fixed:
    """A generator that draws what it was told: brightness, contrast, saturation, hue, in [-1, 1]."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def uniform(self, low: float, high: float, size: int) -> NDArray[np.float64]:
        assert (low, high, size) == (-1, 1, 4)
        return np.array(self.values)


def one(colour: Colour, draws: Sequence[tuple[float, ...]], x: torch.Tensor) -> torch.Tensor:
    return recolour(x, colour, [Fixed(*d) for d in draws])  # type: ignore[misc]


@pytest.fixture
def two() -> torch.Tensor:
    return 0.2 + 0.4 * torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_brightness_multiplies_each_picture_by_its_own_factor(two: torch.Tensor) -> None:
    out = one(Colour(brightness=0.5), [(1, 0, 0, 0), (-1, 0, 0, 0)], two)
    torch.testing.assert_close(out, two * torch.tensor([1.5, 0.5])[:, None, None, None])


def test_contrast_spreads_around_the_mean_grey(two: torch.Tensor) -> None:
    out = one(Colour(contrast=0.2), [(0, 1, 0, 0), (0, -1, 0, 0)], two)
    mean = torch.einsum("bchw,c->bhw", two, GREY).mean((1, 2))[:, None, None, None]
    factor = torch.tensor([1.2, 0.8])[:, None, None, None]
    torch.testing.assert_close(out, mean + factor * (two - mean))


def test_saturation_spreads_around_each_pixels_grey(two: torch.Tensor) -> None:
    out = one(Colour(saturation=1.0), [(0, 0, -1, 0), (0, 0, 0.1, 0)], two)
    grey = torch.einsum("bchw,c->bhw", two, GREY)[:, None]
    torch.testing.assert_close(out[0], grey[0].expand(3, 8, 8))
    torch.testing.assert_close(out[1], grey[1] + 1.1 * (two[1] - grey[1]))


def test_a_third_of_a_turn_moves_red_to_green(two: torch.Tensor) -> None:
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 0.5
    out = one(Colour(hue=0.5), [(0, 0, 0, 2 / 3)], red)
    torch.testing.assert_close(out, red[:, [1, 0, 2]], rtol=0, atol=1e-5)


def test_nothing_asked_for_is_nothing_done(two: torch.Tensor) -> None:
    assert one(Colour(), [(1, 1, 1, 1)] * 2, two) is two


@pytest.mark.parametrize("variants", [0, 2])
def test_a_batch_is_a_function_of_seed_and_step_whoever_draws_it(images: ImageFolder, variants: int) -> None:
    colour = Colour(brightness=0.3, contrast=0.3, saturation=0.5, hue=0.1)
    stage = Stage(
        kind="style", steps=1, crop=64, batch=4, variants=variants, local_attention="uniform", content_colour=colour,
        style_colour=colour,
    )  # fmt: skip
    half = replace(stage, batch=2)
    folders = Folders(images, images)
    whole = draw_pictures(stage, folders, StepRandomness(1, 0, 5))
    parts = [draw_pictures(half, folders, StepRandomness(1, 0, 5, first)) for first in (0, 2)]
    for a, b in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(a.pixels, torch.cat([p.pixels for p in b]))
        assert a.names == b[0].names + b[1].names
        assert 0 <= float(a.pixels.min()) <= float(a.pixels.max()) <= 1
    plain = draw_pictures(replace(stage, content_colour=Colour()), folders, StepRandomness(1, 0, 5))
    assert torch.equal(plain[1].pixels, whole[1].pixels)  # photos left alone, paintings drawn as before
    assert not torch.equal(plain[0].pixels, whole[0].pixels)
    other = draw_pictures(stage, folders, StepRandomness(1, 0, 6))
    assert not torch.equal(other[0].pixels, whole[0].pixels)


def test_a_name_stands_for_the_same_pixels_at_every_step(images: ImageFolder) -> None:
    colour = Colour(brightness=0.3, saturation=0.5)
    stage = Stage(kind="style", steps=1, crop=64, variants=2, local_attention="uniform", style_colour=colour)
    seen: dict[Name, torch.Tensor] = {}
    again = 0
    for step in range(12):
        for pictures in draw_pictures(stage, Folders(images, images), StepRandomness(1, step % 3, step)):
            for name, pixels in zip(pictures.names, pictures.pixels, strict=True):
                assert name
                again += name in seen
                assert torch.equal(seen.setdefault(name, pixels), pixels)
    assert again > 50
    assert {name.variant for name in seen} == {0, 1}
    assert len({pixels.numpy().tobytes() for pixels in seen.values()}) == len(seen)


def test_all_of_it_is_kornias() -> None:
    x = torch.rand(4, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    x[0, :, :4], x[1] = 0.5, x[1].round()  # greys, and values that tie
    by = torch.tensor([[1.2, 0.8, 1.3, 0.5], [0.7, 1.2, 0.2, -2.0], [1, 1, 1, 3.1], [1.1, 1.4, 0.9, 0]])
    brighter = kornia.enhance.adjust_brightness_accumulative(x, by[:, 0])
    contrasty = kornia.enhance.adjust_contrast_with_mean_subtraction(brighter, by[:, 1])
    colourful = kornia.enhance.adjust_saturation_with_gray_subtraction(contrasty, by[:, 2])
    expected = kornia.enhance.adjust_hue(colourful, by[:, 3])
    torch.testing.assert_close(jitter(x, by, (True, True, True, True)), expected, rtol=0, atol=1e-5)
