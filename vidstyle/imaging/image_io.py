"""Pictures in and out: upright, sRGB, with alpha where it is asked for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from vidstyle.core.errors import UsageError
from vidstyle.core.files import atomic_output
from vidstyle.imaging.image_tags import ImageTags, xmp_options
from vidstyle.imaging.open_image import opened_image
from vidstyle.imaging.resize import with_short_side

LARGE = 40_000_000
"""Pixels beyond which a picture that is read at a smaller size is reduced by a whole number before anything is copied."""
_REDUCIBLE = ("L", "LA", "RGB", "RGBA", "CMYK")
"""Modes whose samples can be averaged as they are stored."""


def read_image(path: Path, *, short_side: int | None = None, alpha: bool = False) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 3) uint8 sRGB; with `alpha` as (H, W, 4), opaque where it has no transparency.

    EXIF orientation is applied, an embedded ICC profile is converted to sRGB, transparency is laid over white (without
    `alpha`), 16-bit grey is scaled to 8 bits. With `short_side` the picture is resized (Lanczos, aspect kept) so that its
    shorter side has that many pixels.

    Raises InputError when the file is missing or no readable picture.
    """
    with opened_image(Path(path)) as image:
        if short_side is not None:
            image.draft("RGB", (2 * short_side, 2 * short_side))  # JPEG decodes faster at a fraction of its size
        profile = image.info.get("icc_profile")
        ImageOps.exif_transpose(image, in_place=True)
        upright: Image.Image = image
        factor = 1 if short_side is None else min(image.size) // (2 * short_side)
        if factor > 1 and image.width * image.height > LARGE and image.mode in _REDUCIBLE:
            upright = image.reduce(factor)  # before anything is copied: a scan of 150 million pixels is 600 MB
        opacity = upright.convert("RGBA").getchannel("A") if alpha and upright.has_transparency_data else None
        rgb = _to_srgb(upright.convert("RGB") if opacity else _flatten(upright), profile)
        if alpha:
            rgb.putalpha(opacity or 255)
    pixels = np.asarray(rgb, dtype=np.uint8)
    return pixels.copy() if short_side is None else with_short_side(pixels, short_side)


def has_transparency(path: Path) -> bool:
    """Whether a picture that can be read has an alpha channel or a transparent colour."""
    with opened_image(path) as image:
        return image.has_transparency_data


def picture_format(path: Path) -> str:
    """Pillow's name of the format that a suffix means. Raises UsageError where it is none that we write."""
    format_ = Image.registered_extensions().get(path.suffix.lower())
    if format_ is None or format_ not in Image.SAVE:
        raise UsageError(f"{path}: {path.suffix or 'a name without suffix'} is no picture format; use .png or .jpg.")
    return format_


def holds_transparency(path: Path) -> bool:
    """Whether a picture of this name keeps its alpha. Raises UsageError where it is no picture's name."""
    return picture_format(path) in ("PNG", "WEBP", "TIFF", "AVIF")


def write_image(
    path: Path, image: NDArray[np.uint8], tags: ImageTags | None = None, *, xmp: bytes | None = None
) -> None:
    """Write (H, W, 3) uint8 sRGB, or (H, W, 4) with alpha, in the format of the suffix; the file appears only when complete.

    Args:
        tags: what the file is to say besides, as far as its format can.
        xmp: a packet to put in, where the format has a place for it (not in BMP and GIF).

    Raises UsageError for a suffix that is no picture format, InputError when the place cannot be written to.
    """
    path = Path(path)
    format_ = picture_format(path)
    options: dict[str, Any] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}.get(format_, {})
    if tags is not None:
        options |= tags.options(format_, (image.shape[1], image.shape[0]))
    if xmp is not None:
        options |= xmp_options(format_, xmp, options.get("exif", b""))
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format=format_, **options)
    with atomic_output(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def _flatten(image: Image.Image) -> Image.Image:
    """RGB, or CMYK where the profile still has to be applied; transparency over white."""
    if image.mode.startswith("I") or image.mode == "F":
        samples = np.asarray(image, dtype=np.float64)
        top = 65535.0 if samples.max() > 255 else 255.0
        return Image.fromarray(np.clip(samples / top * 255 + 0.5, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGB", "CMYK"):
        return image
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile of another colour space or a broken one: the samples are taken as sRGB
    return image.convert("RGB")
