"""Style pictures as people have them: cut out, endless, enormous, animated, in formats that nothing here reads."""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vidstyle.core.errors import InputError
from vidstyle.imaging.image_io import read_image
from vidstyle.styles.painting import MOST_PIXELS, notes, read_painting, reading_size

RNG = np.random.default_rng(0)
PICTURE = np.kron(RNG.integers(0, 256, (8, 10, 3)), np.ones((8, 8, 1))).astype(np.uint8)  # 64 x 80


def save(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array).save(path)
    return path


def test_an_opaque_picture_is_read_as_before(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", PICTURE)
    assert np.array_equal(read_painting(path, 48), read_image(path, short_side=48))
    assert notes(path, 48) == []


@pytest.mark.parametrize("hidden", [0, 255])
def test_only_what_can_be_seen_is_style(tmp_path: Path, hidden: int) -> None:
    half = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    half[:, 40:] = (hidden, hidden, hidden, 0)
    alone = read_painting(save(tmp_path / "alone.png", PICTURE[:, :40]), 48)
    for name in ("half.png", "half.webp"):
        Image.fromarray(half).save(tmp_path / name, lossless=True)
        assert np.array_equal(read_painting(tmp_path / name, 48), alone)
    save(tmp_path / "nothing.png", half * np.array([1, 1, 1, 0], np.uint8))
    with pytest.raises(InputError, match="transparent everywhere"):
        read_painting(tmp_path / "nothing.png", 48)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(16, 4096))
def test_area_is_bounded_and_proportions_are_kept(width: int, height: int, short_side: int) -> None:
    size = reading_size(width, height, short_side)
    if size is None:
        assert max(width, height) / min(width, height) > 1000
        return
    assert min(size) <= short_side
    assert size[0] * size[1] <= 1.1 * MOST_PIXELS
    assert size[0] / size[1] == pytest.approx(width / height, rel=0.04)


@pytest.mark.parametrize(("width", "height"), [(1400, 10), (4000, 3), (3, 4000), (2600, 100)])
def test_long_and_thin(tmp_path: Path, width: int, height: int) -> None:
    path = save(tmp_path / "scroll.png", np.zeros((height, width, 3), np.uint8))
    style = read_painting(path, 384)
    assert style.shape[0] * style.shape[1] < 1.1 * MOST_PIXELS
    (note,) = notes(path, 384)
    assert f"it is read at {style.shape[1]}x{style.shape[0]}" in note
    assert notes(path, 16) == []


def test_a_thread_of_a_picture_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "thread.png", np.zeros((1, 60_000, 3), np.uint8))
    with pytest.raises(InputError, match="too long and thin to be a style"):
        read_painting(path, 384)


def png(path: Path, width: int, height: int) -> Path:
    """A grey PNG of one bit a pixel, however large."""

    def part(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1 + (width + 7) // 8)) for _ in range(height)) + packer.flush()
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", rows) + part(b"IEND", b""))
    return path


@pytest.mark.parametrize(("width", "height"), [(13000, 12000), (13500, 13500), (40000, 40000)])
def test_the_limit_on_pixels_is_ours_and_silent(tmp_path: Path, width: int, height: int) -> None:
    """Pillow warns beyond 89 million pixels and refuses beyond 179 in its own words; the last header is only a header."""
    path = png(tmp_path / "big.png", width, height if width < 20000 else 1)
    if width > 20000:
        data = bytearray(path.read_bytes())
        data[20:24] = height.to_bytes(4, "big")
        data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
        path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"big\.png: has more than 150 million pixels; make it smaller"):
            read_painting(path, 384)


def test_a_large_picture_gives_no_warning(tmp_path: Path) -> None:
    path = png(tmp_path / "large.png", 10000, 9000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_painting(path, 32).shape == (32, 36, 3)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.heic", b"\x00\x00\x00\x18ftypheic" + bytes(40), "is a HEIC picture, which is not read here"),
        ("a.jpg", b"\x00\x00\x00\x18ftypmif1" + bytes(40), "is a HEIC picture"),  # a phone's, renamed
        ("a.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing"),
        ("a.psd", b"8BPS\x00\x01" + bytes(40), "is a Photoshop file"),
        ("a.jxl", b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(40), "is a JPEG XL picture"),
        ("b.jxl", b"\xff\x0a" + bytes(40), "is a JPEG XL picture"),
        ("a.pdf", b"%PDF-1.4\n", "is a PDF document"),
    ],
)
def test_formats_that_are_not_read_name_the_way_out(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=words) as refused:
        read_painting(tmp_path / name, 48)
    assert str(refused.value).endswith("convert it to JPEG or PNG.")


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_the_first_picture_of_an_animation(tmp_path: Path, suffix: str) -> None:
    path, more = tmp_path / f"a.{suffix}", [Image.fromarray(255 - PICTURE)]
    Image.fromarray(PICTURE).save(path, save_all=True, append_images=more, duration=80, lossless=True)
    assert notes(path, 48) == [f"{path}: is animated; its first picture is the style."]
    assert np.abs(read_painting(path, 64).astype(int) - PICTURE).mean() < 12  # a GIF has 256 colours
