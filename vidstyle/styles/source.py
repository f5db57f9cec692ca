"""What a style's code is made from: a painting, or a file that holds the code already. Read once, each knows its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.imaging.transparency import seen
from vidstyle.styles.code_cache import style_code
from vidstyle.styles.painting import fitted, notes
from vidstyle.styles.resolve import CODE_SUFFIX, STYLE_SIZE, file_of, resolve

if TYPE_CHECKING:
    from vidstyle.engines.base import Engine
    from vidstyle.models.style_code import StyleCode


StyleLike = str | Path | NDArray[np.uint8]
"""A built-in name, a picture's or a compiled style's file, both with ":WEIGHT" if they have one; a path, which has no weight; a
picture (H, W, 3) uint8 sRGB, or (H, W, 4) with alpha."""


class StyleSource(Protocol):
    """What becomes a code."""

    def content(self) -> tuple[tuple[int, ...], bytes]:
        """All that the code depends on, but for the model: the shape of a picture, and samples or a file's bytes."""
        ...

    def code(self, engine: Engine) -> StyleCode:
        """The code for the engine's model. Raises UsageError where there can be none."""
        ...


@dataclass(frozen=True, eq=False)
class StyleImage:
    """A picture, to be encoded by the engine."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) uint8 sRGB, at the size at which it is encoded."""

    def content(self) -> tuple[tuple[int, ...], bytes]:
        return self.pixels.shape, np.ascontiguousarray(self.pixels).tobytes()

    def code(self, engine: Engine) -> StyleCode:
        return style_code(self.pixels, engine)


@dataclass(frozen=True)
class CompiledStyle:
    """A file of `vidstyle styles compile`."""

    path: Path

    def content(self) -> tuple[tuple[int, ...], bytes]:
        return (), self.path.read_bytes()

    def code(self, engine: Engine) -> StyleCode:
        from vidstyle.models.model_files import read_style

        code = read_style(self.path).ready()
        if code.model != engine.model.digest:
            raise UsageError(f"{self.path}: was compiled for another model than {engine.model.name}; compile it again.")
        return code


@dataclass(frozen=True, eq=False)
class EncodedStyle:
    """A code that was made elsewhere: what other machines are handed instead of a picture. Holds NumPy's arrays."""

    encoded: StyleCode

    @classmethod
    def of(cls, code: StyleCode) -> EncodedStyle:
        """A code as it travels, without torch's tensors; what a deep fit changes of the weights goes along as it is."""
        return cls(code.map(np.asarray))

    def content(self) -> tuple[tuple[int, ...], bytes]:
        return (), b"".join(np.ascontiguousarray(value).tobytes() for value in self.encoded.named().values())

    def code(self, engine: Engine) -> StyleCode:
        # What has travelled may lie in memory that cannot be written to, which torch warns of.
        return self.encoded.map(np.array).ready()


@dataclass(frozen=True)
class Style:
    """A style that has been read, and its share."""

    name: str
    source: StyleSource
    weight: float = 1.0
    """Shares of a blend sum to 1."""
    notes: tuple[str, ...] = ()
    """What the user should know of how it was read, sentences."""

    def digest(self) -> str:
        """SHA-256 of what the code is made from, and its share."""
        shape, data = self.source.content()
        return hashlib.sha256(f"{shape} {self.weight!r} ".encode() + data).hexdigest()


def style_image_of(picture: NDArray[np.uint8], *, size: int) -> StyleImage:
    """An array as a style. Raises UsageError where it is none that can be one."""
    if picture.ndim != 3 or picture.shape[2] not in (3, 4) or picture.dtype != np.uint8 or not picture.size:
        raise UsageError(
            f"a style must be an array (H, W, 3) or (H, W, 4) of uint8, not {picture.shape} {picture.dtype}."
        )
    visible = seen(picture) if picture.shape[2] == 4 else picture
    if visible is None:
        raise UsageError("a style is transparent everywhere; give a picture on which something can be seen.")
    return StyleImage(fitted(visible, size))


def read_notes(ref: str, *, size: int) -> tuple[str, ...]:
    """What the user should know of how a reference that `read_source` has read is taken."""
    path = file_of(ref)
    if path is None:
        return ()
    if path.suffix.lower() != CODE_SUFFIX:
        return tuple(notes(path, size))
    if size == STYLE_SIZE:
        return ()
    return (f"{ref}: is compiled, so its size is settled; --style-size has no effect on it.",)


def read_source(ref: str, *, size: int) -> StyleSource:
    """What a reference means: a built-in name, a picture file or a compiled style.

    Args:
        size: short side of pictures, in pixels.

    Raises:
        UsageError: a name that is neither built in nor a file.
        InputError: a file that cannot be read.
    """
    found = resolve(ref, size=size)
    return CompiledStyle(found) if isinstance(found, Path) else StyleImage(found)
