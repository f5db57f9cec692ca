"""What a picture has besides its samples: alpha, EXIF, dots an inch, a colour profile. Kept where the output can, else said."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from vidstyle.core.provenance import XMP
from vidstyle.pipeline.images import stylize_images
from vidstyle.pipeline.plan.run_options import RunOptions

RNG = np.random.default_rng(1)
PICTURE = np.kron(RNG.integers(0, 256, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)  # 48 x 64


@pytest.fixture
def style(tiny_model: Path) -> Any:
    options = RunOptions(model=tiny_model, style_size=32, engine="torch", device="cpu", overwrite=True)

    def call(source: Path, output: Path) -> list[str]:
        said: list[str] = []
        for _, _, error in stylize_images([(source, output)], "mosaic", options=options, say=said.append):
            if error is not None:
                raise error
        return said

    return call


def camera() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Maker", "M 1"
    exif[ExifTags.Base.Copyright] = "(c) somebody"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:05:06 07:08:09"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] = 64
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return exif


@pytest.mark.parametrize("source", ["a.jpg", "a.png", "a.tiff", "a.webp"])
@pytest.mark.parametrize("output", ["o.jpg", "o.png", "o.tiff", "o.webp"])
def test_camera_data_goes_along(style: Any, tmp_path: Path, source: str, output: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    dpi: dict[str, Any] = {} if source.endswith("webp") else {"dpi": (240, 240)}
    Image.fromarray(PICTURE).save(tmp_path / source, exif=camera().tobytes(), icc_profile=profile, **dpi)
    assert style(tmp_path / source, tmp_path / output) == []
    with Image.open(tmp_path / output) as made:
        assert made.size == (48, 64)  # upright
        exif = made.getexif()
        assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Copyright]) == ("Maker", "(c) somebody")
        assert exif.get(ExifTags.Base.Orientation, 1) == 1
        detail = exif.get_ifd(ExifTags.IFD.Exif)
        assert detail[ExifTags.Base.DateTimeOriginal] == "2024:05:06 07:08:09"
        assert detail[ExifTags.Base.ExifImageWidth] == 48
        assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
        made.load()
        assert made.info["xmp"].strip(b"\0") == XMP
        assert ImageCms.getProfileDescription(io.BytesIO(made.info["icc_profile"])).startswith("sRGB")
        if dpi and not output.endswith("webp"):
            assert made.info["dpi"] == pytest.approx((240, 240), abs=0.1)


def test_what_the_output_cannot_keep_is_said(style: Any, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.jpg", exif=camera(), dpi=(240, 240))
    (sentence,) = style(tmp_path / "a.jpg", tmp_path / "o.bmp")
    assert sentence.endswith("o.bmp: a .bmp cannot hold its camera data (EXIF); left out.")
    Image.fromarray(PICTURE).save(tmp_path / "plain.png")
    assert style(tmp_path / "plain.png", tmp_path / "o.bmp") == []


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_alpha_is_kept_and_what_it_hides_does_not_count(style: Any, tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((48, 64), np.uint8)
    alpha[:, :30] = 255
    made = []
    for hidden in (0, 255):
        picture = np.dstack([PICTURE, alpha])
        picture[alpha == 0, :3] = hidden
        Image.fromarray(picture).save(tmp_path / "a.png")
        assert style(tmp_path / "a.png", tmp_path / f"o.{suffix}") == []
        with Image.open(tmp_path / f"o.{suffix}") as image:
            assert image.mode == "RGBA"
            made.append(np.asarray(image))
    assert np.array_equal(made[0][..., 3], alpha)
    assert np.array_equal(made[0][alpha > 0], made[1][alpha > 0])


def test_alpha_that_cannot_be_kept_lies_on_white_and_is_said(style: Any, tmp_path: Path) -> None:
    Image.fromarray(np.dstack([PICTURE, PICTURE[..., 0]])).save(tmp_path / "a.png")
    (sentence,) = style(tmp_path / "a.png", tmp_path / "o.jpg")
    assert "a .jpg holds no transparency; the picture is laid over white" in sentence


def test_an_animation_is_said(style: Any, tmp_path: Path) -> None:
    image = Image.fromarray(PICTURE)
    image.save(tmp_path / "a.webp", save_all=True, append_images=[Image.fromarray(255 - PICTURE)], duration=50)
    (sentence,) = style(tmp_path / "a.webp", tmp_path / "o.png")
    assert "is animated; its first picture is styled" in sentence


@pytest.mark.parametrize("exif", [b"Exif\0\0rubbish", b"", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"])
def test_damaged_camera_data_harms_nothing(style: Any, tmp_path: Path, exif: bytes) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.jpg", exif=exif)
    style(tmp_path / "a.jpg", tmp_path / "o.jpg")
    with Image.open(tmp_path / "o.jpg") as made:
        assert made.size == (64, 48)
