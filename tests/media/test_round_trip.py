"""A film through reader and writer with nothing in between: every matrix and range keeps its colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.colours import MATRICES, ciede2000, film, lab, scene
from vidstyle.imaging.detail_yuv import add_detail
from vidstyle.imaging.yuv import YUV420
from vidstyle.media.input.planar_reader import PlaneSizes, holds_planes
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.output.writer import EncodeSettings, VideoWriter


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_colour_difference_against_the_published_table(
    a: tuple[float, ...], b: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(np.array(a, float), np.array(b, float)) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("range_", ["limited", "full"])
@pytest.mark.parametrize("matrix", MATRICES)
def test_no_colour_shift(tmp_path: Path, matrix: str, range_: str, pix_fmt: str) -> None:
    picture = scene()
    info = probe(film(tmp_path / "in.mkv", picture, matrix, range_, pix_fmt))
    assert (info.colour.matrix, info.colour.range) == (matrix, range_)
    frames = list(read_frames(info))
    part = tmp_path / "part"
    settings = EncodeSettings(crf=0)
    with VideoWriter(part, width=128, height=96, time_base=info.time_base, settings=settings) as writer:
        for read in frames:
            writer.write(read)
    for before, after in zip(frames, read_frames(probe(part)), strict=True):
        frame, copy = before.data, after.data
        assert ciede2000(lab(picture), lab(frame)).mean() < 1
        assert ciede2000(lab(frame), lab(copy)).mean() < 1
        weights = np.array([0.2126, 0.7152, 0.0722])
        error = np.mean(((frame.astype(float) - copy) @ weights) ** 2)
        assert 10 * np.log10(255**2 / error) > 45


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("range_", ["limited", "full"])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "smpte240m", "fcc"])
def test_no_colour_shift_on_planes(tmp_path: Path, matrix: str, range_: str, pix_fmt: str) -> None:
    """A painting that is the shrunk frame itself, carried to full size, is the frame."""
    picture = scene()
    info = probe(film(tmp_path / "in.mkv", picture, matrix, range_, pix_fmt))
    assert holds_planes(info)
    part, depth = tmp_path / "part", 10 if "10" in pix_fmt else 8
    settings = EncodeSettings(crf=0, bit_depth=depth)
    with VideoWriter(part, width=128, height=96, time_base=info.time_base, settings=settings) as writer:
        for read in read_frames(info, planes=PlaneSizes((128, 96), (72, 54))):
            assert isinstance(read.full, YUV420)
            assert read.guide is not None
            full = add_detail(read.data, read.guide, read.full, full_range=range_ == "full", depth=depth)
            writer.write(replace(read, full=full, guide=None))
    for before, after in zip(read_frames(info), read_frames(probe(part)), strict=True):
        assert ciede2000(lab(before.data), lab(after.data)).mean() < 1
