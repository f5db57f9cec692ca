"""Cross-fades are blends of codes, exactly; strength is the blend with the frame's own code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the studio needs more packages: pip install '.[studio]'")
import torch

from vidstyle.engines.choose import make_engine
from vidstyle.models.attention import blend
from vidstyle.models.style_code import StyleCode
from vidstyle.studio.live.fader import SECONDS, Fader
from vidstyle.studio.processes.still import StillPainter


@pytest.fixture(scope="module")
def codes(tiny_model: Path) -> list[StyleCode]:
    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32")
    rng = np.random.default_rng(0)
    return [engine.encode_style(rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)) for _ in range(3)]


def same(a: StyleCode, b: StyleCode) -> None:
    for name, value in a.named().items():
        torch.testing.assert_close(value, b.named()[name], atol=1e-5, rtol=1e-4)


def test_a_change_of_style_takes_a_second(codes: list[StyleCode]) -> None:
    first, second, _ = codes
    fader = Fader(first)
    fader.change(10.0, style=second)
    same(fader.code(10.0), first)
    same(fader.code(10.0 + 0.3 * SECONDS), blend([first, second], [0.7, 0.3]))
    same(fader.code(10.0 + SECONDS), second)
    same(fader.code(99.0), second)


def test_a_change_in_the_middle_goes_on_from_there(codes: list[StyleCode]) -> None:
    first, second, third = codes
    fader = Fader(first)
    fader.change(0.0, style=second)
    fader.change(0.5, style=third)
    same(fader.code(0.5), blend([first, second], [0.5, 0.5]))
    same(fader.code(1.5), third)


def test_strength_waits_for_the_frames_own_code(codes: list[StyleCode]) -> None:
    style, own, _ = codes
    fader = Fader(style)
    before = fader.needs_own
    fader.change(0.0, strength=0.25)
    assert (before, fader.needs_own) == (False, True)
    same(fader.code(5.0), style)
    fader.own(own, 5.0)
    same(fader.code(6.0), blend([style, own], [0.25, 0.75]))
    fader.change(7.0, strength=1.0)
    same(fader.code(8.0), style)


def test_a_still_of_some_strength_is_what_the_engine_paints(tiny_model: Path, codes: list[StyleCode]) -> None:
    painter = StillPainter(str(tiny_model), "torch", "cpu")
    frame = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    for strength in (0.0, 0.3, 1.0):
        expected = painter.engine.stylize(frame[None], codes[0], strength=strength).astype(int)
        assert np.abs(painter.styled(frame, codes[0], strength).astype(int) - expected).max() <= 1
