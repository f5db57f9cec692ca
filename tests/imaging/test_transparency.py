"""Hidden pixels: whatever colour they have, it must not count."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.imaging.transparency import covered, seen

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)


def rgba(alpha: np.ndarray, hidden: int = 255) -> np.ndarray:
    colours = RGB.copy()
    colours[alpha < 128] = hidden
    return np.dstack([colours, alpha.astype(np.uint8)])


def test_a_box_of_visible_pixels_is_cut_out() -> None:
    alpha = np.zeros((20, 30))
    alpha[3:17, 5:25] = 255
    found = seen(rgba(alpha))
    assert found is not None
    assert np.array_equal(found, RGB[3:17, 5:25])


def test_holes_are_mirrored_at_their_edge() -> None:
    alpha = np.full((20, 30), 255)
    alpha[:, 12:14] = 0
    found = covered(rgba(alpha))
    assert np.array_equal(found[:, 12], RGB[:, 10])  # the mirror image at column 11
    assert np.array_equal(found[:, 13], RGB[:, 15])
    assert np.array_equal(found[:, :12], RGB[:, :12])


@given(st.integers(0, 2**32), st.sampled_from([0.02, 0.5, 0.98]))
def test_what_is_hidden_says_nothing(seed: int, share: float) -> None:
    alpha = np.where(np.random.default_rng(seed).random((20, 30)) < share, 255, 0)
    white, black = covered(rgba(alpha, 255)), covered(rgba(alpha, 0))
    if alpha.any():
        assert np.array_equal(white, black)
        assert np.array_equal(white[alpha > 0], RGB[alpha > 0])
        colours = {tuple(x) for x in RGB[alpha > 0]}
        assert all(tuple(x) in colours for x in white.reshape(-1, 3))


def test_glass_everywhere_is_seen_and_nothing_is_not() -> None:
    glass = np.dstack([RGB, np.full((20, 30), 90, np.uint8)])
    assert np.array_equal(np.asarray(seen(glass)), RGB)
    assert seen(np.dstack([RGB, np.zeros((20, 30), np.uint8)])) is None
