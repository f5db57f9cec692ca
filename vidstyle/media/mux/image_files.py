"""Output as numbered pictures: lossless segments in, one file a frame out."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from vidstyle.core.errors import InputError
from vidstyle.core.files import umask, write_failure
from vidstyle.core.provenance import XMP
from vidstyle.imaging.image_io import write_image
from vidstyle.imaging.image_tags import png_with_xmp
from vidstyle.media.container import open_source, packets
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.paths import NumberedName, numbers_of


def write_image_sequence(
    parts: Sequence[Path],
    info: VideoInfo,
    output: Path,
    *,
    start: int | None = None,
    stop: int | None = None,
    scratch: Path | None = None,
) -> list[str]:
    """Write the frames of `parts` (PNG in NUT) as `output`: with the numbers of the pictures that they were made from, those of
    a video file from 1 on.

    All are written into a private folder in `scratch` (None: beside them) first and then renamed, so that none is ever
    half-written. What is there under those names is replaced. Where the film goes to its end, pictures of the same name with
    higher numbers, left from a longer film, are removed.

    Args:
        start, stop: cut of the source, in ticks.

    Returns warnings, one sentence for each stream of the source that is left out.

    Raises InputError where the place cannot be written to; nothing is left then.
    """
    name = NumberedName.parse(output.absolute())
    assert name is not None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=scratch or name.folder))
        try:
            numbers = iter(numbers_of(info.pictures)[max(0, start or 0) :] if info.pictures else count(1))
            written = []
            for data in _pictures(parts):
                written.append(next(numbers))
                _write(temporary / name.path(written[-1]).name, data)
            for number in written:
                (temporary / name.path(number).name).replace(name.path(number))
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        for number, path in name.existing():
            if stop is None and number > max(written, default=0):
                path.unlink()
    except OSError as error:
        raise InputError(f"{output}: {write_failure(error, output.absolute())}.") from error
    others = [s for s in info.streams if s.index != info.stream_index]
    return [f"{output}: pictures cannot hold {s}; it is left out." for s in others]


def _pictures(parts: Sequence[Path]) -> Iterator[bytes]:
    """The PNG file of each frame: the packets of the segments are just that."""
    for part in parts:
        with open_source(part) as container:
            for packet in packets(container, container.streams.video[0]):
                yield bytes(packet)


def _write(path: Path, png: bytes) -> None:
    if path.suffix.lower() != ".png":
        with Image.open(io.BytesIO(png)) as image:
            write_image(path, np.asarray(image.convert("RGB")), xmp=XMP)
        return
    with path.open("wb") as file:
        file.write(png_with_xmp(png, XMP))
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o666 & ~umask())
