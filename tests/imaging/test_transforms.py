"""Sizes, transparency and colour around the model, against arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.core.errors import InputError
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.transforms import LUMA, on_black, pixel_aspect, resized, target_size, with_colour_of

sides = st.integers(16, 5000)


@given(width=sides, height=sides, max_side=st.integers(16, 4000))
def test_max_side(width: int, height: int, max_side: int) -> None:
    try:
        w, h = target_size(width, height, max_side=max_side)
    except InputError:
        assert min(width, height) * max_side / max(width, height) < 17
        return
    if max(width, height) <= max_side:
        assert (w, h) == (width, height)
        return
    assert max(w, h) <= max_side
    assert max(w, h) >= max_side - 1
    scale = max_side / max(width, height)
    assert abs(w - width * scale) <= 1.001
    assert abs(h - height * scale) <= 1.001


def test_too_small() -> None:
    with pytest.raises(InputError, match="15x400; both sides must be at least 16"):
        target_size(15, 400)
    assert target_size(15, 400, size=(32, 64)) == (32, 64)


@given(source=st.tuples(sides, sides), target=st.tuples(sides, sides), aspect=st.fractions(Fraction(1, 3), 3))
def test_shape_on_screen_stays(source: tuple[int, int], target: tuple[int, int], aspect: Fraction) -> None:
    new = pixel_aspect(aspect, source, target)
    assert new * target[0] / target[1] == aspect * source[0] / source[1]


def frame(data: np.ndarray, alpha: np.ndarray | None = None) -> Frame:
    return Frame(data, 7, 1, Fraction(1, 25), alpha)


def test_halving_averages() -> None:
    data = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    small = resized(frame(data, data[..., 0]), (24, 16))
    mean = data.reshape(16, 2, 24, 2, 3).astype(float).mean((1, 3))
    assert small.pts == 7
    assert np.abs(small.data - mean).max() <= 0.5001
    assert small.alpha is not None
    assert np.abs(small.alpha - mean[..., 0]).max() <= 0.5001


def test_same_size_is_the_same_frame() -> None:
    whole = frame(np.zeros((16, 20, 3), np.uint8))
    assert resized(whole, (20, 16)) is whole


def test_on_black() -> None:
    values = np.arange(256, dtype=np.uint8)
    data = np.broadcast_to(values[:, None, None], (256, 256, 3))
    alpha = np.broadcast_to(values[None, :], (256, 256))
    expected = np.rint(values[:, None].astype(float) * values[None, :] / 255)
    laid = on_black(frame(data, alpha))
    np.testing.assert_array_equal(laid.data[..., 1], expected)
    assert laid.alpha is None
    assert on_black(laid) is laid


def test_colour_of_the_source_luma_of_the_result() -> None:
    rng = np.random.default_rng(1)
    # Far enough from black and white that nothing is clamped.
    source = rng.integers(90, 166, (2, 16, 24, 3), dtype=np.uint8)
    styled = rng.integers(90, 166, (2, 16, 24, 3), dtype=np.uint8)
    out = with_colour_of(source, styled).astype(float)
    assert np.abs(out @ LUMA - styled @ LUMA).max() <= 0.51
    before = source.astype(float)
    chroma, wanted = (x - (x @ LUMA)[..., None] for x in (out, before))
    assert np.abs(chroma - wanted).max() <= 1.01


def test_own_colour_changes_nothing() -> None:
    frames = np.random.default_rng(2).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(with_colour_of(frames, frames), frames)


def test_local_luma_keeps_what_is_bright_and_takes_the_strokes() -> None:
    """A painting that is the film, darker by a third, with strokes: the strokes alone arrive, and chroma stays the film's."""
    ramp = np.linspace(90, 160, 120)[None, :, None]
    source = np.repeat(np.repeat(ramp, 120, 0), 3, 2).astype(np.uint8) + np.array([20, 0, 5], np.uint8)
    strokes = np.where(np.arange(120) % 4 < 2, 12, -12)[:, None, None]
    styled = np.clip(source * 0.67 + strokes, 0, 255).astype(np.uint8)
    out = with_colour_of(source[None], styled[None], local=True)[0].astype(float)
    middle = np.s_[20:-20, 20:-20]
    np.testing.assert_allclose(out[middle].mean(), source[middle].mean(), atol=1.5)
    np.testing.assert_allclose((out - source)[middle], np.broadcast_to(strokes, out.shape)[middle], atol=4)
    np.testing.assert_allclose(out[..., 0] - out[..., 2], source[..., 0].astype(float) - source[..., 2], atol=1)
    plain = with_colour_of(source[None], styled[None])[0]
    assert plain[middle].mean() < source[middle].mean() - 20
