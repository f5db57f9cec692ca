"""Films read in planes: the samples are the decoder's, the small copy is the frame seen small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from vidstyle.media.colour import ColourTags, to_rgb
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.picture import picture
from vidstyle.media.input.planar_reader import as_the_video, full_planes, holds_planes, small_copy
from vidstyle.media.input.probe import probe
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.orientation import orient


def smooth(width: int, height: int) -> NDArray[np.uint8]:
    """A picture without hard edges, all colours in it."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x / 9 + i) + np.cos(y / 7 + 2 * i) for i in range(3)]
    return np.asarray(np.rint(128 + 45 * np.dstack(waves)), np.uint8)


def decoded(width: int, height: int, pix_fmt: str, tags: ColourTags) -> av.VideoFrame:
    """A frame as a decoder gives it."""
    from vidstyle.media.colour import from_rgb

    return from_rgb(av.VideoFrame.from_ndarray(smooth(width, height), "rgb24"), pix_fmt, tags)


def samples(frame: av.VideoFrame, index: int) -> NDArray[Any]:
    kind = np.uint16 if "10" in frame.format.name else np.uint8
    plane = frame.planes[index]
    return np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)[:, : plane.width]


@pytest.fixture
def info(make_clip: Callable[..., Path]) -> VideoInfo:
    return probe(make_clip(width=64, height=48, frames=1))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv420p10le", "nv12", "p010le"])
@pytest.mark.parametrize("size", [(64, 48), (61, 47)])
def test_the_decoders_own_samples(info: VideoInfo, pix_fmt: str, size: tuple[int, int]) -> None:
    tags = ColourTags(matrix="bt601", range="full" if pix_fmt == "yuvj420p" else "limited")
    frame = decoded(*size, pix_fmt, tags)
    planes = full_planes(frame, replace(info, pix_fmt=pix_fmt, colour=tags), size)
    plain = {"nv12": "yuv420p", "p010le": "yuv420p10le"}.get(pix_fmt)
    expected = frame if plain is None else frame.reformat(format=plain)
    for index, plane in enumerate((planes.y, planes.u, planes.v)):
        assert np.array_equal(plane, samples(expected, index))
    assert planes.depth == (10 if "10" in pix_fmt else 8)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_planes_are_turned_as_pictures_are(info: VideoInfo, rotation: int, mirrored: bool) -> None:
    turned = replace(info, rotation=rotation, mirrored=mirrored)
    frame = decoded(64, 48, "yuv420p", info.colour)
    size = (48, 64) if rotation in (90, 270) else (64, 48)
    planes = full_planes(frame, turned, size)
    for index, plane in enumerate((planes.y, planes.u, planes.v)):
        assert np.array_equal(plane, orient(samples(frame, index), rotation, mirrored))
    rgb, luma = small_copy(frame, turned, (size[0] // 2, size[1] // 2))
    unturned, _ = small_copy(frame, info, (32, 24))
    assert np.array_equal(rgb, orient(unturned, rotation, mirrored))
    assert luma.shape == rgb.shape[:2]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv420p10le"])
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
def test_the_small_copy_is_the_picture_seen_small(info: VideoInfo, pix_fmt: str, matrix: str) -> None:
    tags = ColourTags(matrix=matrix, range="full" if pix_fmt == "yuvj420p" else "limited")
    film = replace(info, pix_fmt=pix_fmt, colour=tags)
    frame = decoded(160, 90, pix_fmt, tags)
    rgb, luma = small_copy(frame, film, (64, 36))
    picture = torch.from_numpy(to_rgb(frame, tags, width=160, height=90).to_ndarray()).permute(2, 0, 1)[None].double()
    exact = F.interpolate(picture, size=(36, 64), mode="bilinear", antialias=True)[0].permute(1, 2, 0).numpy()
    inside = (slice(2, -2), slice(2, -2))
    assert np.abs(rgb[inside] - exact[inside]).mean() < 0.8
    assert np.abs(rgb[inside] - exact[inside]).max() < 5
    assert luma.dtype == (np.uint16 if "10" in pix_fmt else np.uint8)


def test_another_size_is_scaled(info: VideoInfo) -> None:
    frame = decoded(160, 90, "yuv420p", info.colour)
    planes = full_planes(frame, info, (64, 48))
    assert planes.y.shape == (48, 64)
    assert planes.u.shape == (24, 32)
    assert abs(float(planes.y.mean()) - float(samples(frame, 0).mean())) < 0.5
    assert abs(float(planes.u.mean()) - float(samples(frame, 1).mean())) < 0.5


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv420p10le"])
def test_a_frame_of_another_shape_gets_bars(info: VideoInfo, pix_fmt: str) -> None:
    tags = ColourTags(range="full" if pix_fmt == "yuvj420p" else "limited")
    film, report = replace(info, pix_fmt=pix_fmt, colour=tags), ReadReport()
    same = decoded(64, 48, pix_fmt, tags)
    assert as_the_video(same, film, report) is same
    assert not report.warnings
    fitted = as_the_video(decoded(128, 48, pix_fmt, tags), film, report)
    assert (fitted.width, fitted.height) == (64, 48)
    assert "in proportion, with black bars" in report.warnings[0]
    rgb = to_rgb(fitted, tags, width=64, height=48).to_ndarray()
    assert rgb[:9].max() == rgb[-9:].max() == 0
    expected = picture(decoded(128, 48, pix_fmt, tags), film, ReadReport())
    assert np.abs(rgb[14:34].astype(int) - expected[14:34]).mean() < 2


def test_which_films_hold_planes(info: VideoInfo) -> None:
    assert holds_planes(info)
    assert holds_planes(replace(info, rotation=90, interlaced=True))
    assert not holds_planes(replace(info, pix_fmt="yuv444p"))
    assert not holds_planes(replace(info, has_alpha=True))
    assert not holds_planes(replace(info, crop=(1, 0, 0, 0)))
    assert not holds_planes(replace(info, colour=replace(info.colour, transfer="pq")))
    assert not holds_planes(replace(info, colour=replace(info.colour, primaries="bt2020")))
    assert not holds_planes(replace(info, colour=replace(info.colour, matrix="rgb")))
