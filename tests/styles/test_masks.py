"""Masks: exact at black and white, a rounded mean between, any picture at any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidstyle.core.errors import InputError
from vidstyle.styles.masks import mix, read_mask, stretched


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_mix_is_the_rounded_mean(seed: int, n: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 256, (2, n, height, width, 3), dtype=np.uint8)
    mask = rng.choice(np.array([0, 255, 1, 128, 200], np.uint8), (height, width))
    share = mask[..., None] / 255.0
    out = mix(a, b, mask)
    assert np.abs(out - (a * share + b * (1 - share))).max() <= 0.5 + 1e-9
    np.testing.assert_array_equal(out[:, mask == 255], a[:, mask == 255])
    np.testing.assert_array_equal(out[:, mask == 0], b[:, mask == 0])


def test_reading(tmp_path: Path) -> None:
    halves = np.zeros((40, 60), np.uint8)
    halves[:, 30:] = 255
    for name, picture in (("grey.png", halves), ("colour.png", np.repeat(halves[..., None], 3, -1))):
        Image.fromarray(picture).save(tmp_path / name)
        for width, height in ((60, 40), (30, 20), (20, 60)):
            mask = stretched(read_mask(tmp_path / name), (width, height))
            assert mask.shape == (height, width)
            assert (mask[:, : width // 2] == 0).all()
            assert (mask[:, width // 2 :] == 255).all()
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    clear.save(tmp_path / "clear.png")
    assert (read_mask(tmp_path / "clear.png") == 0).all()
    cut_out = Image.new("LA", (4, 4), (255, 0))
    cut_out.paste((255, 255), (0, 0, 2, 4))
    cut_out.paste((200, 51), (2, 0, 3, 4))
    cut_out.save(tmp_path / "cut.png")
    assert read_mask(tmp_path / "cut.png").tolist() == [[255, 255, 40, 0]] * 4


def test_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png: no such file"):
        read_mask(tmp_path / "gone.png")
