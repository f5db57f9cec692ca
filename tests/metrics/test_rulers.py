"""Rulers say why they cannot measure, and measure what they are made for."""

from __future__ import annotations

import numpy as np
import pytest

from vidstyle.metrics.rulers import STYLE_KEYS, Ruler, rulers
from vidstyle.models.vgg import VGG

STYLE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def test_a_reason_for_each_that_is_missing() -> None:
    """Without weights patches are measured all the same; with weights that end early all but the deepest layer."""
    without = {r.key: r.why_not(40) for r in rulers(STYLE, "no weights")}
    assert without == {"style_distance": "no weights", "gram_relu5_1": "no weights", "patch_distance": ""}
    early = {r.key: r.why_not(40) for r in rulers(STYLE, VGG(depth=4))}
    assert "end at relu4_1" in early["gram_relu5_1"]
    assert (early["style_distance"], early["patch_distance"]) == ("", "")
    assert tuple(r.key for r in rulers(STYLE, VGG())) == STYLE_KEYS


def test_each_at_its_smallest_size() -> None:
    for ruler in rulers(STYLE, VGG()):
        side = ruler.least_side
        assert ruler.measure(side)(STYLE[:side, :side]) >= 0
        assert f"less than {side}" in ruler.why_not(side - 1)
        with pytest.raises(ValueError, match=f"less than {side}"):
            ruler.measure(side - 1)


def test_a_reason_is_not_a_measure() -> None:
    with pytest.raises(ValueError, match="none here"):
        Ruler("patch_distance", 1, "none here").measure(100)
