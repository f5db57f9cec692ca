"""A picture file as `stylize_image` takes it: samples, transparency and tags, and what of them its output cannot keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging.image_io import has_transparency, holds_transparency, picture_format, read_image
from vidstyle.imaging.image_tags import ImageTags, read_tags
from vidstyle.imaging.open_image import is_animated
from vidstyle.imaging.transparency import covered


@dataclass(frozen=True)
class Picture:
    """An input as it is styled."""

    rgb: NDArray[np.uint8]
    """(H, W, 3) uint8 sRGB."""
    alpha: NDArray[np.uint8] | None
    """(H, W) uint8; None where it has none, or the output cannot keep it."""
    tags: ImageTags
    notes: tuple[str, ...]


def read_picture(source: Path, output: Path) -> Picture:
    """A picture for an output of this name. Raises InputError, and UsageError where that is no picture's name."""
    tags, notes = read_tags(source), []
    transparent = has_transparency(source)
    keep = transparent and holds_transparency(output)
    pixels = read_image(source, alpha=keep)
    if is_animated(source):
        notes.append(f"{source}: is animated; its first picture is styled. `vidstyle run` makes a film of all.")
    if transparent and not keep:
        notes.append(f"{output}: a {output.suffix} holds no transparency; the picture is laid over white.")
    if lost := tags.lost_in(picture_format(output)):
        notes.append(f"{output}: a {output.suffix} cannot hold its {' and '.join(lost)}; left out.")
    alpha = np.ascontiguousarray(pixels[..., 3]) if keep else None
    if alpha is None or (alpha == 255).all():
        return Picture(np.ascontiguousarray(pixels[..., :3]), alpha, tags, tuple(notes))
    # What is hidden has any colour at all: the network must not see it.
    return Picture(covered(pixels), alpha, tags, tuple(notes))
