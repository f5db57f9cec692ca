"""Whose the files are that come in the package beside its code, and under what terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

LICENCE = "Apache-2.0"
"""Of the code, and of whatever here is our own."""
_PHOTOS = "styles/fit/photos"


@dataclass(frozen=True)
class Credit:
    """Of one file of the package, or of several alike."""

    file: str
    """Path below the package; "*" stands for any name."""
    what: str
    by: str
    licence: str


_OWN = (
    Credit(
        "weights/compact.safetensors",
        "the model `compact`; the pictures that it was trained on are in weights/MODEL_CARD.md",
        "vidstyle",
        LICENCE,
    ),
    Credit(
        "weights/vgg16_relu4_1.safetensors",
        "the loss network: VGG-16 to conv4_1, changed as weights/VGG16_ATTRIBUTION.md says",
        "Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford",
        "CC-BY-4.0",
    ),
    Credit("weights/*.md", "about the weights", "vidstyle", LICENCE),
    Credit("styles/pictures/*.webp", "the built-in styles, painted by pipelines/gallery", "vidstyle", LICENCE),
    Credit(f"{_PHOTOS}/CREDITS.md", "about the photos", "vidstyle", LICENCE),
    Credit("studio/page/*", "the page of `vidstyle studio`", "vidstyle", LICENCE),
    Credit("metrics/report/page.html", "the page of `vidstyle evaluate --html`", "vidstyle", LICENCE),
    Credit("py.typed", "a mark for type checkers", "vidstyle", LICENCE),
)


def credits_of_files() -> list[Credit]:
    """All files of the package that are no Python source; the photos as their CREDITS.md has them."""
    text = files("vidstyle").joinpath(_PHOTOS, "CREDITS.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")] for row in re.findall(r"^\| *(.+?) *\|$", text, re.MULTILINE)]
    photos = [Credit(f"{_PHOTOS}/{name}.webp", what, by, terms) for name, what, by, terms in rows[2:]]
    return [*_OWN, *photos]
