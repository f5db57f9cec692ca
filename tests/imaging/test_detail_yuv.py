"""Detail transfer on planes: against float64, against the form in RGB, ranges, depths, odd sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.helpers.detail_oracle import Picture, painted, rgb_oracle, scene, shrunk_by_area, yuv_oracle
from vidstyle.imaging.detail_yuv import add_detail
from vidstyle.imaging.yuv import YUV420, rgb_to_yuv


def planes_of(picture: Picture, *, full: bool = False, depth: int = 8) -> YUV420:
    """The luma of a picture as a film holds it, with chroma that must not matter."""
    height, width = picture.shape[:2]
    unit = (1 << depth) - 1
    levels = (unit, 0) if full else (219 << depth - 8, 16 << depth - 8)
    kind: type[np.uint8] | type[np.uint16] = np.uint8 if depth == 8 else np.uint16
    luma = np.rint(rgb_to_yuv(picture)[0] * levels[0] + levels[1]).astype(kind)
    chroma: NDArray[Any] = np.random.default_rng(0).integers(0, unit, (-(-height // 2), -(-width // 2))).astype(kind)
    return YUV420(luma, chroma, chroma, depth)


def in_units(planes: YUV420, *, full: bool = False) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    step = 2.0 ** (planes.depth - 8)
    return planes.y / ((1 << planes.depth) - 1) if full else (planes.y / step - 16) / 219


@settings(max_examples=30, deadline=None)
@given(
    width=st.integers(2, 40),
    height=st.integers(2, 40),
    more=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    detail=st.sampled_from([0.0, 0.3, 1.0]),
    full=st.booleans(),
    depths=st.sampled_from([(8, 8), (8, 10), (10, 8), (10, 10)]),
)
def test_the_formula_in_float64(
    width: int, height: int, more: tuple[int, int], detail: float, full: bool, depths: tuple[int, int]
) -> None:
    size = (width + more[0], height + more[1])
    picture = scene(*size)
    shrunk = shrunk_by_area(picture, width, height)
    source, low = planes_of(picture, full=full, depth=depths[0]), planes_of(shrunk, full=full, depth=depths[0])
    painting = painted(shrunk)
    out = add_detail(painting, low.y, source, detail, full_range=full, depth=depths[1])
    half = (-(-size[0] // 2), -(-size[1] // 2))
    direct = size == (2 * half[0], 2 * half[1]) and half[0] >= width and half[1] >= height
    expected = yuv_oracle(painting, in_units(low, full=full), in_units(source, full=full), detail, direct=direct)
    for plane, exact in zip((out.y, out.u, out.v), expected, strict=True):
        assert plane.shape == exact.shape
        step = 2.0 ** (depths[1] - 8)
        assert np.abs(plane - exact * step).max() <= 0.5 + 0.1 * step


@pytest.mark.parametrize("size", [(160, 90), (161, 91), (120, 68)])
def test_detail_0_is_plain_enlargement(size: tuple[int, int]) -> None:
    picture = scene(*size)
    shrunk = shrunk_by_area(picture, 80, 45)
    painting = painted(shrunk)
    source = planes_of(picture)
    out = add_detail(painting, planes_of(shrunk).y, source, 0)
    other = add_detail(painting, np.zeros((45, 80), np.uint8), planes_of(255 - picture), 0)
    for plane, same in zip((out.y, out.u, out.v), (other.y, other.u, other.v), strict=True):
        assert np.array_equal(plane, same)  # nothing of the frame is in it


def test_within_a_level_of_the_form_in_rgb() -> None:
    """On colours that both can hold, at full size in luma, at half size in chroma."""
    picture = scene(320, 180)
    shrunk = shrunk_by_area(picture, 136, 76)
    painting = np.asarray(64 + painted(shrunk) // 2, np.uint8)  # nothing is clamped, which the two do in other places
    out = add_detail(painting, planes_of(shrunk).y, planes_of(picture))
    y, u, v = rgb_to_yuv(np.asarray(np.rint(rgb_oracle(painting, shrunk, picture, 1)), np.uint8))
    assert np.abs(out.y - (16 + 219 * y)).mean() < 0.5
    assert np.abs(out.y - (16 + 219 * y)).max() < 2
    for plane, exact in ((out.u, u), (out.v, v)):
        coarse = 128 + 224 * exact.reshape(90, 2, 160, 2).mean(axis=(1, 3))
        assert np.abs(plane - coarse).mean() < 0.6


def test_ten_bits_keep_what_eight_lose() -> None:
    """A ramp of a quarter of a level a pixel below the network's eight bits arrives in a 10-bit result."""
    ramp = (400 + np.arange(128) // 2 % 3).astype(np.uint16)  # steps of one in 1023, gone when the frame is shrunk
    grey = np.full((32, 64), 512, np.uint16)
    source = YUV420(np.tile(ramp, (64, 1)), grey, grey, 10)
    noise = np.random.default_rng(0).integers(0, 40, (16, 32)).astype(np.uint16)
    low = 385 + noise
    painting = np.repeat(np.rint((low / 4 - 16) / 219 * 255).astype(np.uint8)[..., None], 3, axis=2)
    deep = add_detail(painting, low, source, depth=10)
    assert np.unique(deep.y % 4).size == 4


def test_planes_are_checked() -> None:
    y, c = np.zeros((9, 7), np.uint8), np.zeros((5, 4), np.uint8)
    assert YUV420(y, c, c).depth == 8
    with pytest.raises(ValueError, match="chroma"):
        YUV420(y, c[1:], c)
    with pytest.raises(ValueError, match="10 bits"):
        YUV420(y, c, c, 10)
