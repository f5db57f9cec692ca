"""Planes reach the encoder sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.imaging.yuv import YUV420
from vidstyle.media.output.planar_writer import planar_frame, takes_planes


def planes(width: int, height: int, depth: int) -> YUV420:
    random = np.random.default_rng(0)
    kind: Any = np.uint8 if depth == 8 else np.uint16

    def plane(w: int, h: int) -> NDArray[Any]:
        return random.integers(0, 1 << depth, (h, w)).astype(kind)

    half = (-(-width // 2), -(-height // 2))
    return YUV420(plane(width, height), plane(*half), plane(*half), depth)


@pytest.mark.parametrize(("pix_fmt", "depth"), [("yuv420p", 8), ("nv12", 8), ("yuv420p10le", 10), ("p010le", 10)])
@pytest.mark.parametrize("size", [(64, 48), (61, 48), (64, 47), (61, 47)])
def test_every_sample_arrives(pix_fmt: str, depth: int, size: tuple[int, int]) -> None:
    given = planes(*size, depth)
    pad = (size[1] % 2, size[0] % 2)
    frame = planar_frame(given, pix_fmt, pad)
    assert (frame.width, frame.height, frame.format.name) == (size[0] + pad[1], size[1] + pad[0], pix_fmt)
    assert takes_planes(pix_fmt) == depth
    if pix_fmt in ("nv12", "p010le"):
        frame = frame.reformat(format="yuv420p" if depth == 8 else "yuv420p10le")
    kind = np.uint8 if depth == 8 else np.uint16
    for target, plane in zip(frame.planes, (given.y, given.u, given.v), strict=True):
        there = np.frombuffer(memoryview(target), kind).reshape(target.height, -1)[:, : target.width]
        expected = np.pad(plane, [(0, a - b) for a, b in zip(there.shape, plane.shape, strict=True)], mode="edge")
        assert np.array_equal(there, expected)


def test_other_formats_take_no_planes() -> None:
    assert takes_planes("yuv422p10le") is None
    assert takes_planes("bgr0") is None
    assert takes_planes("yuva420p") is None
