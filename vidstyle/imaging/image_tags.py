"""What a picture file says besides its samples, and a copy of it should say too: EXIF, dots an inch, a colour profile."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from vidstyle.imaging.open_image import opened_image

_HOLD_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
_HOLD_DPI = ("JPEG", "PNG", "TIFF", "BMP")
_HOLD_PROFILE = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
# Where XMP packets lie: ISO 16684-3.
_PNG_KEYWORD = "XML:com.adobe.xmp"
_TIFF_TAG = 700
_SIGNATURE = 8
"""Bytes before a PNG's first chunk."""


@dataclass(frozen=True)
class ImageTags:
    """Of one file."""

    exif: Image.Exif | None = None
    """Without orientation and thumbnail, which are those of the samples as they were stored."""
    dpi: tuple[float, float] | None = None
    profile: bool = False
    """It has a colour profile. Its samples are converted to sRGB when they are read, so a copy gets the profile of sRGB."""

    def options(self, format_: str, size: tuple[int, int]) -> dict[str, Any]:
        """Arguments of `Image.save` for a copy of `size` (width, height) in one of Pillow's formats."""
        found: dict[str, Any] = {}
        if self.exif is not None and format_ in _HOLD_EXIF:
            found["exif"] = _sized(self.exif, size)
        if self.dpi is not None and format_ in _HOLD_DPI:
            found["dpi"] = self.dpi
        if self.profile and format_ in _HOLD_PROFILE:
            found["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        return found

    def lost_in(self, format_: str) -> list[str]:
        """What a copy in this format cannot say, in words."""
        in_exif = self.exif is not None and format_ in _HOLD_EXIF  # which has a place for the dots, too
        lost = (
            ("camera data (EXIF)", self.exif is not None and format_ not in _HOLD_EXIF),
            ("dots an inch", self.dpi is not None and format_ not in _HOLD_DPI and not in_exif),
            ("colour profile", self.profile and format_ not in _HOLD_PROFILE),
        )
        return [what for what, is_lost in lost if is_lost]


def read_tags(path: Path) -> ImageTags:
    """The tags of a picture. What is damaged counts as absent. Raises InputError where it is no picture that can be opened."""
    with opened_image(path) as image:
        dpi = image.info.get("dpi")
        exif: Image.Exif | None = None
        with suppress(Exception):  # of metadata that any program may have written, in any way
            exif = _portable(image)
        sound = isinstance(dpi, tuple) and len(dpi) == 2 and all(0 < float(x) < 1e6 for x in dpi)
        resolution = (float(dpi[0]), float(dpi[1])) if sound and dpi is not None else None
        return ImageTags(exif, resolution, bool(image.info.get("icc_profile")))


def xmp_options(format_: str, packet: bytes, exif: bytes = b"") -> dict[str, Any]:
    """Arguments of `Image.save` that put a packet into a file of one of Pillow's formats; none where it has no place for it.

    Args:
        exif: what goes into the file besides: in a TIFF they share one directory.
    """
    if format_ in ("JPEG", "WEBP", "AVIF"):
        return {"xmp": packet}
    if format_ == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt(_PNG_KEYWORD, packet.decode())
        return {"pnginfo": text}
    if format_ == "TIFF":
        tags = Image.Exif()
        if exif:
            tags.load(exif)
        tags[_TIFF_TAG] = packet
        return {"exif": tags.tobytes()}
    return {}


def png_with_xmp(png: bytes, packet: bytes) -> bytes:
    """A PNG file with a packet put in behind its header; its samples stay as they are."""
    (length,) = struct.unpack_from(">I", png, _SIGNATURE)
    end = _SIGNATURE + 12 + length
    body = b"iTXt" + _PNG_KEYWORD.encode() + b"\0\0\0\0\0" + packet
    return png[:end] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + png[end:]


def _portable(image: Image.Image) -> Image.Exif | None:
    """The EXIF that holds for another file, too: of TIFF's tags those that are not about how its samples are stored."""
    given = image.getexif()
    own = image.format == "TIFF"
    kept = Image.Exif()
    for tag, value in given.items():
        if tag in _DESCRIPTIVE or (not own and tag not in (*_OF_THE_FILE, *_POINTERS)):
            kept[tag] = value
    for pointer in _POINTERS:
        if ifd := given.get_ifd(pointer):
            kept.get_ifd(pointer).update(ifd)
    has_more = any(kept.get_ifd(pointer) for pointer in _POINTERS)
    return kept if len(kept) or has_more else None


def _sized(exif: Image.Exif, size: tuple[int, int]) -> bytes:
    """The EXIF as bytes, with the copy's size where the original had one."""
    detail = exif.get_ifd(ExifTags.IFD.Exif)
    for tag, side in zip((ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight), size, strict=True):
        if tag in detail:
            detail[tag] = side
    return exif.tobytes()


_POINTERS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_OF_THE_FILE = (
    ExifTags.Base.Orientation,
    ExifTags.Base.ImageWidth,
    ExifTags.Base.ImageLength,
    ExifTags.Base.BitsPerSample,
    ExifTags.Base.Compression,
    ExifTags.Base.PhotometricInterpretation,
    ExifTags.Base.JpegIFOffset,
    ExifTags.Base.JpegIFByteCount,
)
_DESCRIPTIVE = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
