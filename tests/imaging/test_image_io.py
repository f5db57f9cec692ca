from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.image_io import read_image, write_image

RNG = np.random.default_rng(3)
PICTURE = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".ppm"])
def test_lossless_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, PICTURE)
    assert np.array_equal(read_image(path), PICTURE)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_round_trip_is_close(tmp_path: Path, suffix: str) -> None:
    soft = np.kron(PICTURE[:4, :5], np.ones((16, 16, 1), np.uint8))
    path = tmp_path / f"a{suffix}"
    write_image(path, soft)
    assert np.abs(read_image(path).astype(int) - soft).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    """Stored rows and columns as the EXIF specification numbers them."""
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](PICTURE)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a.png"
    stored.save(path, exif=exif)
    assert np.array_equal(read_image(path), PICTURE)


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (255, 0, 0, 255)
    rgba[0, 1] = (255, 0, 0, 0)
    rgba[1, 0] = (0, 0, 0, 128)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image[0].tolist() == [[255, 0, 0], [255, 255, 255]]
    assert np.abs(image[1, 0].astype(int) - 127).max() <= 1
    palette = Image.fromarray(np.zeros((2, 2), np.uint8), mode="P")
    palette.putpalette([10, 20, 30] * 256)
    palette.save(tmp_path / "p.png", transparency=0)
    assert (read_image(tmp_path / "p.png") == 255).all()


def test_grey_and_sixteen_bits(tmp_path: Path) -> None:
    ramp = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert np.array_equal(read_image(tmp_path / "deep.png")[..., 1], (ramp // 257).astype(np.uint8))
    Image.fromarray(PICTURE[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_image(tmp_path / "grey.png"), np.repeat(PICTURE[..., :1], 3, axis=2))


def test_icc_profile_is_applied_and_a_broken_one_ignored(tmp_path: Path) -> None:
    lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    Image.fromarray(PICTURE).save(tmp_path / "srgb.png", icc_profile=lab_like.tobytes())
    assert np.abs(read_image(tmp_path / "srgb.png").astype(int) - PICTURE).max() <= 2
    Image.fromarray(PICTURE).save(tmp_path / "broken.png", icc_profile=b"no profile at all")
    assert np.array_equal(read_image(tmp_path / "broken.png"), PICTURE)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    Image.new("CMYK", (32, 32), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg")[16, 16].astype(int) - (255, 0, 0)).max() <= 12


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 64))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_short_side(tmp_path: Path, width: int, height: int, side: int) -> None:
    path = tmp_path / "a.png"
    write_image(path, np.full((height, width, 3), (10, 120, 250), np.uint8))
    image = read_image(path, short_side=side)
    assert min(image.shape[:2]) == side
    assert image.shape[0] * width == pytest.approx(image.shape[1] * height, abs=max(width, height))
    assert (image == (10, 120, 250)).all()


def test_short_side_of_a_large_jpeg(tmp_path: Path) -> None:
    y, x = np.mgrid[0:800, 0:1200]
    smooth = np.stack([x * 255 // 1200, y * 255 // 800, (x + y) * 255 // 2000], -1).astype(np.uint8)
    write_image(tmp_path / "a.jpg", smooth)
    image = read_image(tmp_path / "a.jpg", short_side=64)
    assert image.shape == (64, 96, 3)
    want = np.asarray(Image.fromarray(smooth).resize((96, 64), Image.Resampling.LANCZOS), int)
    assert np.abs(image.astype(int) - want).mean() < 2


@pytest.mark.parametrize(
    "contents", [b"text, not a picture", b"\x89PNG\r\n\x1a\n", b"", b"\xff\xd8\xff\xe0" + bytes(50)]
)
def test_what_is_no_picture_gets_one_sentence(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(contents)
    with pytest.raises(InputError, match=r"a\.png") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_cut_off_picture(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (200, 200, 3)).astype(np.uint8)).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue()[:5000])
    with pytest.raises(InputError, match="not a picture that can be read"):
        read_image(tmp_path / "a.png")


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(InputError, match="is a folder"):
        read_image(tmp_path)


def test_writing_is_atomic_and_refuses_what_is_no_picture(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_image(tmp_path / "a.png", PICTURE)
    finally:
        os.umask(old)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o644
    with pytest.raises(UsageError, match="no picture format"):
        write_image(tmp_path / "a.xyz", PICTURE)
    with pytest.raises(InputError, match="does not exist"):
        write_image(tmp_path / "no" / "a.png", PICTURE)
