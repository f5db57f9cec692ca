from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ClipMaker
from vidstyle.core.errors import InputError
from vidstyle.media.input.probe import probe
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.metrics.geometry import common_geometry
from vidstyle.metrics.pairing import Counts, MatchedFrames, Timed, match, side_by_side, zipped

NOTHING = np.zeros((1, 1, 3), np.uint8)


def timed(times: Iterable[float]) -> Iterator[Timed]:
    return iter([Timed(t, NOTHING) for t in times])


@given(gaps=st.lists(st.floats(0.02, 0.5), min_size=1, max_size=30), data=st.data())
def test_jitter_and_lost_frames_do_not_mislead(gaps: list[float], data: st.DataObject) -> None:
    times = np.cumsum(gaps) - gaps[0]
    kept = sorted(data.draw(st.sets(st.integers(0, len(times) - 1), min_size=1)))
    jitter = data.draw(st.lists(st.floats(-0.005, 0.005), min_size=len(kept), max_size=len(kept)))
    counts = Counts()
    found = list(match(timed(times), timed([times[k] + j for k, j in zip(kept, jitter, strict=True)]), 0.01, counts))
    assert [a.seconds for a, _ in found] == [times[k] for k in kept]
    assert (counts.source, counts.styled, counts.matched) == (len(times), len(kept), len(kept))


def test_frames_at_other_times_have_no_partner() -> None:
    counts = Counts()
    found = list(match(timed([0, 1, 2]), timed([0, 0.5, 1, 2, 3]), 0.1, counts))
    assert [(a.seconds, b.seconds) for a, b in found] == [(0, 0), (1, 1), (2, 2)]
    assert counts == Counts(3, 5, 3)


def test_order_ignores_times() -> None:
    counts = Counts()
    found = list(zipped(timed([0, 1, 2]), timed([0, 7]), counts))
    assert [(a.seconds, b.seconds) for a, b in found] == [(0, 0), (1, 7)]
    assert counts == Counts(3, 2, 2)


def read(source: Path, styled: Path, **how: Any) -> tuple[list[MatchedFrames], Counts]:
    a, b = probe(source), probe(styled)
    counts = Counts()
    return list(side_by_side(a, b, common_geometry(a, b), counts, **how)), counts


EXACT: dict[str, Any] = {"codec": "ffv1", "pix_fmt": "bgr0"}


def test_a_film_that_starts_late_meets_its_source(make_clip: ClipMaker) -> None:
    source = make_clip("a.mkv", **EXACT, pts=[540, 580, 640, 700], time_base=Fraction(1, 1000))
    styled = make_clip("b.mkv", **EXACT, pts=[0, 40, 100, 160], time_base=Fraction(1, 1000))
    pairs, counts = read(source, styled)
    assert counts == Counts(4, 4, 4)
    for n, pair in enumerate(pairs):
        np.testing.assert_array_equal(pair.source, make_clip.pattern(n, 64, 48))
        np.testing.assert_array_equal(pair.styled, pair.source)


def test_excerpt(make_clip: ClipMaker) -> None:
    source = make_clip("a.mkv", **EXACT, frames=10)
    styled = make_clip("b.mkv", **EXACT, frames=4, draw=lambda n, w, h: make_clip.pattern(n + 5, w, h))
    pairs, _ = read(source, styled, skip=0.2)
    assert len(pairs) == 4
    assert all((p.source == p.styled).all() for p in pairs)


def test_even_padding_is_cropped(make_clip: ClipMaker) -> None:
    source = make_clip("a.mkv", **EXACT, width=33, height=21, frames=2)
    styled = make_clip(
        "b.mkv",
        **EXACT,
        width=34,
        height=22,
        frames=2,
        draw=lambda n, w, h: np.pad(make_clip.pattern(n, 33, 21), ((0, 1), (0, 1), (0, 0))),
    )
    pairs, _ = read(source, styled)
    assert pairs[0].styled.shape == (21, 33, 3)
    assert all((p.source == p.styled).all() for p in pairs)


@given(width=st.integers(64, 4000), height=st.integers(64, 4000), side=st.integers(64, 1000))
def test_any_scaling_to_even_sizes_is_accepted(source_info: VideoInfo, width: int, height: int, side: int) -> None:
    scale = side / max(width, height)
    small = [max(16, round(n * scale / 2) * 2) for n in (width, height)]
    if min(n * scale for n in (width, height)) < 16:
        return
    a = replace(source_info, width=width, height=height)
    geometry = common_geometry(a, replace(source_info, width=small[0], height=small[1]))
    assert abs(geometry.width - small[0]) <= 1
    frame = np.zeros((8, 8, 3), np.uint8)
    if geometry.resize:
        assert geometry.source(frame).shape == (small[1], small[0], 3)


@pytest.fixture(scope="module")
def source_info(tmp_path_factory: pytest.TempPathFactory) -> VideoInfo:
    import av

    path = tmp_path_factory.mktemp("one") / "one.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        out.mux(stream.encode())
    return probe(path)


@pytest.mark.parametrize("size", [(48, 64), (64, 64), (128, 48), (640, 360)])
def test_other_shapes_are_refused(source_info: VideoInfo, size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="not the shape of"):
        common_geometry(source_info, replace(source_info, width=size[0], height=size[1]))


def test_oblong_pixels_made_square(source_info: VideoInfo) -> None:
    source = replace(source_info, width=720, height=576, sample_aspect_ratio=Fraction(64, 45))
    assert common_geometry(source, replace(source_info, width=1024, height=576)).resize
    assert not common_geometry(source, replace(source, width=720, height=576)).resize
