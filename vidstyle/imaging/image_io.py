"""Pictures in and out: upright, sRGB, without alpha."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import atomic_output, check_readable
from vidstyle.imaging.resize import with_short_side

# Beyond this a picture is taken for a decompression bomb (Pillow's own limit only warns).
_MAX_PIXELS = 200_000_000


def read_image(path: Path, *, short_side: int | None = None, alpha: bool = False) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 3) uint8 sRGB; with `alpha` as (H, W, 4), opaque where it has no transparency.

    EXIF orientation is applied, an embedded ICC profile is converted to sRGB, transparency is laid over white (without
    `alpha`), 16-bit grey is scaled to 8 bits. With `short_side` the picture is resized (Lanczos, aspect kept) so that its
    shorter side has that many pixels.

    Raises InputError when the file is missing or no readable picture.
    """
    path = Path(path)
    check_readable(path)
    try:
        with Image.open(path) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise InputError(f"{path}: has more than {_MAX_PIXELS // 10**6} million pixels; make it smaller first.")
            if short_side is not None:
                image.draft("RGB", (2 * short_side, 2 * short_side))  # JPEG decodes faster at a fraction of its size
            upright = ImageOps.exif_transpose(image)
            profile = image.info.get("icc_profile")
            opacity = upright.convert("RGBA").getchannel("A") if alpha and upright.has_transparency_data else None
            rgb = _to_srgb(upright.convert("RGB") if opacity else _flatten(upright), profile)
            if alpha:
                rgb.putalpha(opacity or 255)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: is not a picture that can be read ({_first_line(error)}); check the file."
        ) from error
    pixels = np.asarray(rgb, dtype=np.uint8)
    return pixels.copy() if short_side is None else with_short_side(pixels, short_side)


def has_transparency(path: Path) -> bool:
    """Whether a picture that can be read has an alpha channel or a transparent colour."""
    with Image.open(path) as image:
        return image.has_transparency_data


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) uint8 sRGB under `path`, in the format of its suffix; the file appears only when complete.

    Raises UsageError for a suffix that is no picture format, InputError when the place cannot be written to.
    """
    path = Path(path)
    format_ = Image.registered_extensions().get(path.suffix.lower())
    if format_ is None or format_ not in Image.SAVE:
        raise UsageError(f"{path}: {path.suffix or 'a name without suffix'} is no picture format; use .png or .jpg.")
    options = {"quality": 95, "subsampling": 0} if format_ == "JPEG" else {"quality": 95} if format_ == "WEBP" else {}
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


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120].replace("\n", " ")
