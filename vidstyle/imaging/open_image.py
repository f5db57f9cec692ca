"""Opening a picture file: what cannot be read is refused in our own words, before it takes memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from vidstyle.core.errors import InputError
from vidstyle.core.files import cause, check_readable

_MAX_PIXELS = 150_000_000
"""Larger pictures are refused: decoded they are 450 MB and more. Below the size at which Pillow itself refuses."""

_FOREIGN = (
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (4, b"JXL ", "a JPEG XL picture"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyp", "a HEIC picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript drawing"),
    (0, b"gimp xcf", "a GIMP file"),
    (0, b"\x1f\x8b", "a compressed file"),
)
"""Beginnings of files that people take for pictures and Pillow does not read (HEIC, JPEG XL), or not all of (Photoshop)."""


@contextmanager
def opened_image(path: Path) -> Iterator[Image.Image]:
    """A picture, its header read.

    Raises:
        InputError: one sentence, also where reading its samples fails within the context.
    """
    check_readable(path, kind="picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of large pictures (we have a limit) and odd metadata
            with Image.open(path) as image:
                if image.width * image.height > _MAX_PIXELS:
                    raise Image.DecompressionBombError
                yield image
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{path}: has more than {_MAX_PIXELS // 10**6} million pixels; make it smaller and try again."
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        if kind := _foreign(path):
            raise InputError(f"{path}: is {kind}, which is not read here; convert it to JPEG or PNG.") from error
        raise InputError(f"{path}: is not a picture that can be read ({_why(error)}); check the file.") from error


def is_animated(path: Path) -> bool:
    """Whether a picture file holds several pictures that are shown one after the other."""
    with opened_image(path) as image:
        return getattr(image, "n_frames", 1) > 1 and image.format in ("GIF", "WEBP", "PNG", "AVIF")


def _foreign(path: Path) -> str | None:
    """What a file is that people take for a picture, by its first bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError:
        return None
    if b"<svg" in head:
        return "an SVG drawing"
    return next((kind for at, mark, kind in _FOREIGN if head[at:].startswith(mark)), None)


def _why(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "of no known format"
    if isinstance(error, OSError) and error.errno:
        return cause(error)
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
