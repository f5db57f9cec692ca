"""The built-in styles: pictures of our own making, painted by `pipelines/gallery/` and shipped as small WebP files."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DESCRIPTIONS: dict[str, str] = {
    "starry-strokes": "night valley in swirling impasto strokes",
    "sunset-oil": "sun over the sea, laid on thick with the knife",
    "stained-glass": "sunrise and irises in leaded glass",
    "woodcut-waves": "breaking waves cut in wood, printed in few inks",
    "pointillism": "river bank in dots of pure colour",
    "mosaic": "bird, sun and sea in stone tesserae",
    "ink-hatching": "mountain village, cross-hatched in ink on toned paper",
    "watercolour": "lake and flowers in wet washes on rough paper",
    "geometric": "circles, wedges and grids of early abstraction",
    "cubist": "still life broken into shaded facets",
    "art-nouveau": "poppies and whiplash stems on gold",
    "risograph": "city and mountains in misregistered halftone inks",
}
"""One line a style, in the order in which `vidstyle styles` shows them."""


def names() -> list[str]:
    """Names of the built-in styles, in gallery order."""
    return list(DESCRIPTIONS)


def load(name: str) -> NDArray[np.uint8]:
    """A built-in style's picture.

    Args:
        name: one of `names()`.

    Returns:
        (H, W, 3) uint8 sRGB, both sides at least 512.

    Raises:
        KeyError: `name` is not a built-in style (`resolve` reports it to the user).
    """
    import numpy as np
    from PIL import Image
    from PIL.WebPImagePlugin import WebPImageFile

    if name not in DESCRIPTIONS:
        raise KeyError(name)
    file = files(__package__).joinpath("pictures", f"{name}.webp")
    # Its plugin is imported by name: for a format that is not there yet Pillow looks through all its plugins (80 ms).
    with file.open("rb") as stream, Image.open(stream, formats=(WebPImageFile.format,)) as picture:
        return np.array(picture.convert("RGB"))
