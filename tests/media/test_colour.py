"""YUV and RGB: every matrix and range against the equations of the standards, computed here in float64."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.media.colour import ColourTags, from_rgb, resolve_tags, to_rgb

# Kr, Kb of ITU-R BT.601, BT.709, BT.2020, SMPTE 240M and FCC 73.682.
KR_KB = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "smpte240m": (0.212, 0.087),
    "fcc": (0.30, 0.11),
}
CELL, CELLS = 16, 12
SIDE = CELL * CELLS


def reference_rgb(yuv: NDArray[np.uint8], matrix: str, range_: str) -> NDArray[np.float64]:
    kr, kb = KR_KB[matrix]
    y, u, v = (yuv[..., i].astype(np.float64) - (0, 128, 128)[i] for i in range(3))
    if range_ == "limited":
        y, u, v = (y - 16) * 255 / 219, u * 255 / 224, v * 255 / 224
    r, b = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    return np.clip(np.stack([r, (y - kr * r - kb * b) / (1 - kr - kb), b], -1), 0, 255)


def reference_yuv(rgb: NDArray[np.uint8], matrix: str, range_: str) -> NDArray[np.float64]:
    kr, kb = KR_KB[matrix]
    r, g, b = (rgb[..., i].astype(np.float64) for i in range(3))
    y = kr * r + (1 - kr - kb) * g + kb * b
    yuv = np.stack([y, (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))], -1)
    scale, offset = ((219, 224, 224), (16, 128, 128)) if range_ == "limited" else ((255, 255, 255), (0, 128, 128))
    return np.clip(yuv * np.array(scale) / 255 + np.array(offset), 0, 255)


def patches(low: int, high: int) -> NDArray[np.uint8]:
    """(CELLS, CELLS, 3) random flat colours: inside a cell chroma subsampling changes nothing."""
    return np.random.default_rng(7).integers(low, high, (CELLS, CELLS, 3)).astype(np.uint8)


def magnify(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(np.repeat(colours, CELL, 0), CELL, 1)


def plane(frame: av.VideoFrame, index: int) -> NDArray[np.uint8]:
    p = frame.planes[index]
    return np.frombuffer(bytes(p), np.uint8).reshape(p.height, p.line_size)[:, : p.width]


def yuv_frame(colours: NDArray[np.uint8], pix_fmt: str) -> av.VideoFrame:
    frame = av.VideoFrame(SIDE, SIDE, pix_fmt)
    full = magnify(colours)
    for index, p in enumerate(frame.planes):
        step_y, step_x = SIDE // p.height, SIDE // p.width
        rows = np.zeros((p.height, p.line_size), np.uint8)
        rows[:, : p.width] = full[::step_y, ::step_x, index]
        p.update(rows.tobytes())
    return frame


@pytest.mark.parametrize(
    ("pix_fmt", "range_"),
    [(p, r) for p in ("yuv420p", "yuv422p", "yuv444p") for r in ("limited", "full")] + [("yuvj420p", "full")],
)
@pytest.mark.parametrize("matrix", KR_KB)
def test_decoding_honours_matrix_and_range(matrix: str, pix_fmt: str, range_: str) -> None:
    colours = patches(30, 225)
    frame = to_rgb(yuv_frame(colours, pix_fmt), ColourTags(matrix=matrix, range=range_), width=SIDE, height=SIDE)
    got = frame.to_ndarray()[CELL // 2 :: CELL, CELL // 2 :: CELL].astype(np.float64)
    assert np.abs(got - reference_rgb(colours, matrix, range_)).max() <= 0.55  # rounding to 8 bits, nothing else


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize("range_", ["limited", "full"])
@pytest.mark.parametrize("matrix", KR_KB)
def test_encoding_honours_matrix_and_range(matrix: str, range_: str, pix_fmt: str) -> None:
    colours = patches(5, 250)
    source = av.VideoFrame.from_ndarray(magnify(colours), format="rgb24")
    frame = from_rgb(source, pix_fmt, ColourTags(matrix=matrix, range=range_))
    want = reference_yuv(colours, matrix, range_)
    # libswscale cuts full-range chroma off instead of rounding it; what we write is always limited range.
    bound = 0.6 if range_ == "limited" else 1.1
    for index in range(3):
        samples = plane(frame, index)
        step = CELL * samples.shape[0] // SIDE
        got = samples[step // 2 :: step, step // 2 :: step].astype(np.float64)
        assert np.abs(got - want[..., index]).max() <= bound


def test_matrices_differ_where_they_must() -> None:
    """The test above would pass with one matrix for all if the colours were grey; they are not."""
    frame = yuv_frame(patches(30, 225), "yuv444p")
    images = [
        to_rgb(frame, ColourTags(matrix=m), width=SIDE, height=SIDE).to_ndarray().astype(int)
        for m in ("bt601", "bt709", "bt2020")
    ]
    assert min(np.abs(a - b).max() for i, a in enumerate(images) for b in images[:i]) >= 3


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [(640, 480, "bt601"), (1278, 718, "bt601"), (1280, 544, "bt709"), (960, 720, "bt709"), (3840, 2160, "bt709")],
)
def test_unsaid_matrix_follows_the_size(width: int, height: int, matrix: str) -> None:
    tags = resolve_tags(2, 0, 2, 2, pix_fmt="yuv420p", width=width, height=height)
    assert (tags.matrix, tags.range, tags.guessed) == (matrix, "limited", True)


def test_tags_of_the_stream_win() -> None:
    tags = resolve_tags(9, 2, 9, 16, pix_fmt="yuv420p10le", width=320, height=180)
    assert tags == ColourTags("bt2020", "full", "bt2020", "pq", guessed=False)
    assert tags.hdr
    assert resolve_tags(2, 0, 2, 2, pix_fmt="yuvj420p", width=64, height=48).range == "full"
    assert resolve_tags(2, 0, 2, 2, pix_fmt="bgra", width=64, height=48).matrix == "rgb"
