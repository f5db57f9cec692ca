"""Frames and batches of them: the same pictures and times either way, without a copy where none is needed."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.imaging.frame import Frame, FrameBatch

BASE = Fraction(1, 90_000)


def frames(count: int, *, alpha: bool = False, segment: int = 3) -> list[Frame]:
    pixels = np.random.default_rng(count).integers(0, 256, (count, 6, 8, 4), dtype=np.uint8)
    return [
        Frame(pixels[i, ..., :3], 7 * i, 7, BASE, pixels[i, ..., 3] if alpha else None, segment) for i in range(count)
    ]


def same(one: Frame, other: Frame) -> bool:
    alphas = one.alpha is None and other.alpha is None
    if one.alpha is not None and other.alpha is not None:
        alphas = np.array_equal(one.alpha, other.alpha)
    times = (one.pts, one.duration, one.time_base, one.segment) == (
        other.pts,
        other.duration,
        other.time_base,
        other.segment,
    )
    return times and alphas and np.array_equal(one.data, other.data)


@given(count=st.integers(1, 7), alpha=st.booleans(), bounds=st.tuples(st.integers(-8, 8), st.integers(-8, 8)))
def test_a_batch_holds_what_it_was_made_of(count: int, alpha: bool, bounds: tuple[int, int]) -> None:
    given_ = frames(count, alpha=alpha)
    batch = FrameBatch.of(iter(given_))
    assert len(batch) == count
    assert all(same(a, b) for a, b in zip(given_, batch, strict=True))
    part, expected = batch[bounds[0] : bounds[1]], given_[bounds[0] : bounds[1]]
    assert (len(part), part.segment) == (len(expected), 3)
    assert all(same(a, b) for a, b in zip(expected, part, strict=True))
    assert same(batch[-1], given_[-1])


def test_indices_slices_and_batches_of_one_are_no_copies() -> None:
    batch = FrameBatch.of(frames(4))
    assert np.shares_memory(batch[2].data, batch.data)
    assert np.shares_memory(batch[1:3].data, batch.data)
    (frame,) = frames(1)
    assert np.shares_memory(FrameBatch.of([frame]).data, frame.data)


def test_replace_keeps_the_rest() -> None:
    (frame,) = frames(1)
    later = replace(frame, pts=9)
    assert (later.pts, later.duration, later.seconds) == (9, 7, Fraction(9, 90_000))
    batch = FrameBatch.of(frames(2))
    black = replace(batch, data=np.zeros_like(batch.data))
    assert [f.pts for f in black] == [0, 7]


def test_an_index_past_the_end_is_an_error() -> None:
    with pytest.raises(IndexError):
        FrameBatch.of(frames(2))[2]


def test_what_does_not_fit_is_refused() -> None:
    data, alpha = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), np.uint8)
    with pytest.raises(ValueError, match="data must be"):
        Frame(data[..., 0], 0, 1, BASE)
    with pytest.raises(ValueError, match="uint16"):
        Frame(data.astype(np.uint16), 0, 1, BASE)
    with pytest.raises(ValueError, match="alpha must be"):
        Frame(data, 0, 1, BASE, alpha)
    with pytest.raises(ValueError, match="at least one"):
        FrameBatch.of([])
    with pytest.raises(ValueError, match="2 frames need"):
        FrameBatch(np.zeros((2, 4, 4, 3), np.uint8), np.zeros(1, np.int64), np.zeros(2, np.int64), BASE)


def test_repr_shows_shapes_not_pixels() -> None:
    assert repr(frames(1, alpha=True)[0]) == "Frame((6, 8, 3), alpha, pts=0, duration=7, segment=3)"
    assert repr(FrameBatch.of(frames(2))) == "FrameBatch((2, 6, 8, 3), pts=[0, 7], segment=3)"
