"""Whole films of known motion, noise and cuts through the whole measurement."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import ClipMaker, Draw
from vidstyle.core.errors import InputError
from vidstyle.imaging.flow import DisFlow
from vidstyle.media.input.probe import probe
from vidstyle.metrics.evaluation import Evaluation, Options, evaluate
from vidstyle.metrics.report.html import render
from vidstyle.metrics.report.summary import summary
from vidstyle.metrics.rulers import STYLE_KEYS, Ruler

EXACT: dict[str, Any] = {"codec": "ffv1", "pix_fmt": "bgr0", "width": 96, "height": 72}
KEYS = {
    *("E_1", "E_10", "flicker", "ssim", "ms_ssim", "visible", "flow", "frames", "source", "why", *STYLE_KEYS),
    *("flashes", "red_flashes"),
}


def measure(source: Path, film: Path, gaps: tuple[int, ...] = (1, 3), **options: Any) -> Evaluation:
    return evaluate(probe(source), probe(film), DisFlow(), options=Options(gaps, **options))


@pytest.fixture
def still_film(moving_film: Draw) -> Draw:
    return lambda n, w, h: moving_film(0, w, h)


def noisy(draw: Draw, sigma: float) -> Draw:
    def noise(n: int, w: int, h: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng(n)
        return np.clip(np.rint(draw(n, w, h) + 255 * sigma * rng.standard_normal((h, w, 3))), 0, 255).astype(np.uint8)

    return noise


def test_the_source_itself_is_the_noise_floor(make_clip: ClipMaker, moving_film: Draw) -> None:
    clip = make_clip("a.mkv", frames=5, draw=moving_film, **EXACT)
    out = summary(measure(clip, clip))
    assert out["E_1"] == out["source"]["E_1"]
    assert out["E_1"] < 2e-5
    assert out["ssim"] == pytest.approx(1)
    assert out["visible"] > 0.8
    assert out["frames"] == 5


def test_noise_on_a_moving_film_is_measured(make_clip: ClipMaker, moving_film: Draw) -> None:
    sigma = 0.04
    source = make_clip("a.mkv", frames=4, draw=moving_film, **EXACT)
    film = make_clip("b.mkv", frames=4, draw=noisy(moving_film, sigma), **EXACT)
    out = summary(measure(source, film))
    # Bilinear sampling of estimated, not quite whole flow averages some of the noise of the second frame away.
    assert sigma**2 * 1.2 < out["E_1"] <= 2 * sigma**2 * 1.05
    assert out["E_1"] > 50 * out["source"]["E_1"]


def test_noise_on_a_still_film_is_exact(make_clip: ClipMaker, still_film: Draw) -> None:
    sigma = 0.04
    source = make_clip("a.mkv", frames=4, draw=still_film, **EXACT)
    film = make_clip("b.mkv", frames=4, draw=noisy(still_film, sigma), **EXACT)
    out = summary(measure(source, film))
    assert out["E_1"] == pytest.approx(2 * sigma**2, rel=0.05)
    assert out["E_10"] is None
    assert "--gap 10" in out["why"]["E_10"]
    assert out["E_3"] == pytest.approx(2 * sigma**2, rel=0.05)
    # |difference of two normals| has mean 2 sigma / sqrt(pi).
    assert out["flicker"] == pytest.approx(2 * sigma / np.sqrt(np.pi), rel=0.05)
    assert out["source"]["flicker"] == 0


def test_a_grey_film_is_told_from_a_good_one(make_clip: ClipMaker, moving_film: Draw) -> None:
    source = make_clip("a.mkv", frames=3, draw=moving_film, **EXACT)
    film = make_clip("b.mkv", frames=3, draw=lambda n, w, h: np.full((h, w, 3), 128, np.uint8), **EXACT)
    out = summary(measure(source, film, gaps=(1, 10)))
    assert out["E_1"] < 1e-10
    assert "empty picture wins" in out["why"]["E_1"]
    assert "3 matched frames" in out["why"]["E_10"]


def test_no_pair_leads_across_a_cut(make_clip: ClipMaker, moving_film: Draw) -> None:
    def two_scenes(n: int, w: int, h: int) -> NDArray[np.uint8]:
        frame = moving_film(n, w, h)
        return frame if n < 5 else 255 - np.roll(frame[::-1], 1, axis=2) // 2

    clip = make_clip("a.mkv", frames=9, draw=two_scenes, **EXACT)
    table = measure(clip, clip).table
    assert np.flatnonzero(table["cut"]).tolist() == [5]
    assert np.flatnonzero(np.isnan(table["E_1"])).tolist() == [4, 8]
    assert np.flatnonzero(np.isnan(table["E_3"])).tolist() == [2, 3, 4, 6, 7, 8]
    assert np.isnan(table["flicker"][4])


def test_fast_motion_is_no_cut(make_clip: ClipMaker) -> None:
    clip = make_clip("a.mkv", frames=12, **EXACT)
    assert not measure(clip, clip, gaps=(1,)).table["cut"].any()


def test_textureless_source_is_said_to_be(make_clip: ClipMaker) -> None:
    clip = make_clip("a.mkv", frames=3, draw=lambda n, w, h: np.full((h, w, 3), 128, np.uint8), **EXACT)
    out = summary(measure(clip, clip))
    assert out["visible"] == 1
    assert "only 0% of the source has texture" in out["why"]["visible"]


def test_unequal_counts_are_told(make_clip: ClipMaker, moving_film: Draw) -> None:
    source = make_clip("a.mkv", frames=6, draw=moving_film, **EXACT)
    film = make_clip("b.mkv", frames=4, draw=moving_film, **EXACT)
    out = summary(measure(source, film))
    assert "the source has 6 frames, the film 4; 4 pairs" in out["why"]["frames"]


def test_one_frame_gives_what_can_be_had(make_clip: ClipMaker, moving_film: Draw) -> None:
    clip = make_clip("a.mkv", frames=1, draw=moving_film, **EXACT)
    result = measure(clip, clip, gaps=(1, 10))
    out = summary(result)
    assert (out["E_1"], out["E_10"], out["flicker"], out["visible"]) == (None,) * 4
    assert {"E_1", "E_10", "flicker", "visible", "style_distance"} <= set(out["why"])
    assert out["ssim"] == pytest.approx(1)
    assert "no pair of frames" in render(result, out)


def test_a_film_of_few_pixels_has_no_style_distance(make_clip: ClipMaker) -> None:
    clip = make_clip("a.mkv", frames=2, **EXACT | {"width": 24, "height": 8})
    out = summary(
        evaluate(
            probe(clip),
            probe(clip),
            DisFlow(),
            rulers=[Ruler("style_distance", 9, lambda short_side: pytest.fail("was made"))],
        )
    )
    assert out["style_distance"] is None
    assert "less than 9 pixels" in out["why"]["style_distance"]


def test_keys_are_the_contract_and_every_null_has_a_reason(make_clip: ClipMaker, moving_film: Draw) -> None:
    clip = make_clip("a.mkv", frames=3, draw=moving_film, **EXACT)
    out = summary(measure(clip, clip, gaps=(1, 10)))
    assert set(out) == KEYS
    assert set(out["source"]) == {"E_1", "E_10", "flicker", "flashes", "red_flashes", *STYLE_KEYS}
    assert {k for k, v in out.items() if v is None} <= set(out["why"])
    json.dumps(out, allow_nan=False)


def test_worst_moment_is_found(make_clip: ClipMaker, still_film: Draw) -> None:
    def flash(n: int, w: int, h: int) -> NDArray[np.uint8]:
        return np.clip(still_film(n, w, h).astype(int) + 40 * (n == 13), 0, 255).astype(np.uint8)

    source = make_clip("a.mkv", frames=20, draw=still_film, **EXACT)
    film = make_clip("b.mkv", frames=20, draw=flash, **EXACT)
    result = measure(source, film, gaps=(1,))
    assert result.worst.moments[0].index in (12, 13)
    assert result.worst_flicker.moments[0].index in (12, 13)
    assert result.worst.moments[0].value == pytest.approx((40 / 255) ** 2, rel=1e-3)
    indices = sorted(m.index for m in result.worst.moments)
    assert all(b - a >= 5 for a, b in pairwise(indices))


def test_shapes_that_do_not_match_are_refused(make_clip: ClipMaker) -> None:
    a, b = make_clip("a.mkv", width=96, height=72, frames=2), make_clip("b.mkv", width=96, height=48, frames=2)
    with pytest.raises(InputError, match="their pixels cannot be matched"):
        measure(a, b)


def test_memory_does_not_grow_with_length(make_clip: ClipMaker, moving_film: Draw) -> None:
    def peak(frames: int) -> int:
        clip = make_clip(f"{frames}.mkv", frames=frames, draw=moving_film, **EXACT)
        tracemalloc.start()
        try:
            measure(clip, clip, gaps=(1, 2))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # what is imported and cached the first time does not count
    short, long = peak(30), peak(70)  # flashes are counted within the last second, 25 frames
    # 40 more frames of both films would be 40 x 2 x 96 x 72 x 3 bytes, 1.7 MB; their numbers are 40 x 150 bytes.
    assert long - short < 200_000


def test_a_film_that_flashes_is_told_of(make_clip: ClipMaker, moving_film: Draw) -> None:
    """Twelve frames per second, every other one black: eleven changes within the second that the film lasts."""
    source = make_clip("a.mkv", frames=12, rate=12, draw=moving_film, **EXACT)
    film = make_clip("b.mkv", frames=12, rate=12, draw=lambda n, w, h: moving_film(n, w, h) * (n % 2), **EXACT)
    result = measure(source, film)
    out = summary(result)
    assert (out["flashes"], out["red_flashes"]) == (5.5, 0)
    assert out["source"]["flashes"] < 1
    assert "must be warned of this film" in out["why"]["flashes"]
    assert "its source does not" in out["why"]["flashes"]
    assert "red_flashes" not in out["why"]
    assert "so must they of its source (5.5)" in summary(measure(film, film))["why"]["flashes"]
    assert "must be warned" in render(result, out)
