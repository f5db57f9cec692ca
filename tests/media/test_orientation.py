from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.orientation import orient, parse_display_matrix

# Corner colours of a 2x2 picture: red green / blue white.
R, G, B, W = (220, 30, 30), (30, 220, 30), (30, 30, 220), (225, 225, 225)
UPRIGHT = np.array([[R, G], [B, W]], np.uint8)


@pytest.mark.parametrize(
    ("rotation", "mirrored", "corners"),
    [
        (0, False, [[R, G], [B, W]]),
        (90, False, [[B, R], [W, G]]),
        (180, False, [[W, B], [G, R]]),
        (270, False, [[G, W], [R, B]]),
        (0, True, [[G, R], [W, B]]),
        (90, True, [[W, G], [B, R]]),
    ],
)
def test_orient_turns_clockwise_after_mirroring(rotation: int, mirrored: bool, corners: list[object]) -> None:
    assert np.array_equal(orient(UPRIGHT, rotation, mirrored), np.array(corners, np.uint8))


@pytest.mark.parametrize("hflip", [False, True])
@pytest.mark.parametrize("vflip", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_all_eight_orientations_of_a_real_file(tmp_path: Path, degrees: int, vflip: bool, hflip: bool) -> None:
    """The frame lands where the matrix in the file sends it: (x, y) to (a x + c y, b x + d y)."""
    width, height = 64, 32
    stored = np.kron(UPRIGHT, np.ones((height // 2, width // 2, 1), np.uint8))
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.set_display_rotation(degrees, hflip=hflip, vflip=vflip)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(stored, format="rgb24")))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        data = next((bytes(d) for d in frame.side_data if d.type.name == "DISPLAYMATRIX"), None)  # type: ignore[attr-defined,arg-type]
    a, b, _, c, d, *_ = struct.unpack("=9i", data) if data else (1, 0, 0, 0, 1)
    ys, xs = np.mgrid[0:2, 0:2] * 2 - 1  # corner positions about the centre
    shown = np.empty_like(UPRIGHT)
    for y, x in zip(ys.flat, xs.flat, strict=True):
        to_x, to_y = np.sign(a * x + c * y), np.sign(b * x + d * y)
        shown[(to_y + 1) // 2, (to_x + 1) // 2] = UPRIGHT[(y + 1) // 2, (x + 1) // 2]

    info = probe(path)
    image = next(iter(read_frames(info))).data
    assert image.shape == (info.height, info.width, 3) == ((64, 32, 3) if degrees % 180 else (32, 64, 3))
    corners = image[info.height // 4 :: info.height // 2, info.width // 4 :: info.width // 2]
    assert np.abs(corners.astype(int) - shown).max() <= 4


def test_a_degenerate_matrix_turns_nothing() -> None:
    assert parse_display_matrix(struct.pack("=9i", *[0] * 9)) == (0, False)
