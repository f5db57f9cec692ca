"""The validation set is measured as `vidstyle evaluate` measures."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from benchmarks.films import texture, write
from benchmarks.quality import ratio
from benchmarks.study import evaluated
from benchmarks.validation import BUILT_IN, KEYS, PAINTINGS, Rulers, Source, Style, mean, means, measured, styles
from vidstyle.imaging.flow import DisFlow
from vidstyle.metrics.fidelity import StyleDistance
from vidstyle.metrics.warp_error import motion
from vidstyle.models.vgg import VGG
from vidstyle.styles import gallery


def panning(count: int) -> Source:
    # Large soft shapes: the benchmarks' fine texture changes so much in 3 px that each frame would count as a cut.
    wide = next(iter(texture(128, 96, 1)))[:24, :32]
    tile = np.asarray(cv2.resize(wide, (128, 96), interpolation=cv2.INTER_CUBIC), np.uint8)
    frames = np.stack([np.roll(tile, 2 * i, 1) for i in range(count)])
    flow = DisFlow()
    return Source("texture", frames, tuple(motion(flow, a, b) for a, b in pairwise(frames)))


def test_the_set_has_ten_styles_of_each_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert set(BUILT_IN) <= set(gallery.names())
    assert len(set(BUILT_IN)) == len(set(PAINTINGS)) == 10
    (tmp_path / "style").mkdir()
    for name in PAINTINGS[:3]:
        cv2.imwrite(str(tmp_path / "style" / name), np.full((400, 500, 3), 90, np.uint8))
    monkeypatch.setenv("VIDSTYLE_DATA", str(tmp_path))
    found = styles(2)
    assert [s.kind for s in found] == ["paintings", "paintings", "built-in", "built-in"]
    assert all(min(s.picture.shape[:2]) == 384 for s in found)
    monkeypatch.setenv("VIDSTYLE_DATA", str(tmp_path / "missing"))
    assert {s.kind for s in styles(10)} == {"built-in"}


def test_numbers_are_those_of_evaluate(tmp_path: Path) -> None:
    source = panning(5)
    noise = np.random.default_rng(0).integers(-20, 21, source.frames.shape)
    film = np.clip(source.frames.astype(int) // 2 + 60 + noise, 0, 255).astype(np.uint8)
    write(tmp_path / "source.mkv", source.frames, Fraction(25), codec="ffv1")
    write(tmp_path / "film.mkv", film, Fraction(25), codec="ffv1")
    wanted = evaluated(tmp_path / "film.mkv", tmp_path / "source.mkv")
    found = measured(film, source, None)
    for key in ("E_1", "ssim", "flicker"):
        assert found[key] == pytest.approx(wanted[key], rel=1e-6), json.dumps(wanted)
    assert found["style_distance"] is None
    assert found["patch_distance"] is None
    ruler = Rulers(None).get(Style("itself", "", source.frames[0]), source.short_side)
    assert measured(source.frames[:1], Source("one", source.frames[:1], ()), ruler)["patch_distance"] == 0


def test_halves_of_a_style_are_measured_against_each_other() -> None:
    torch.manual_seed(0)
    rulers = Rulers(None)
    quarter = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    alike, unlike = np.tile(quarter, (2, 2, 1)), np.tile(quarter, (2, 2, 1))
    unlike[:, 40:] //= 4
    assert rulers.halves(Style("alike", "", alike), 64) is None
    rulers.network = VGG("vgg16")
    assert rulers.halves(Style("alike", "", alike), 64) == 0
    found = rulers.halves(Style("unlike", "", unlike), 64)
    assert found is not None
    assert found > 0
    halves = StyleDistance(rulers.network, unlike[:, :40], 40)(unlike[:, 40:])
    assert found == pytest.approx(halves / 2)  # top and bottom are alike


def test_a_cut_is_no_pair() -> None:
    source = panning(3)
    blind = Source(source.name, source.frames, (None, source.motions[1]))
    jump = source.frames.copy()
    jump[0] = 255 - jump[0]
    steady, jumping = measured(source.frames, blind, None)["E_1"], measured(jump, blind, None)["E_1"]
    assert steady is not None
    assert steady == jumping
    assert measured(jump, source, None)["E_1"] != jumping


def test_means_leave_out_what_is_missing() -> None:
    assert mean([1.0, None, 3.0]) == 2.0
    assert mean([None]) is None
    rows: list[dict[str, Any]] = [dict.fromkeys(KEYS, 1.0), dict.fromkeys(KEYS, 2.0) | {"ssim": None}]
    assert means(rows) == dict.fromkeys(KEYS, 1.5) | {"ssim": 1.0}


def test_a_ratio_needs_both() -> None:
    assert ratio({"a": 1.0, "b": None, "c": 1.0}, {"a": 4.0, "b": 1.0, "c": 0.0}) == {"a": 0.25, "b": None, "c": None}
