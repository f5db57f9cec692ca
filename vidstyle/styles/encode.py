"""From `--style` words to one StyleCode."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.styles.code_cache import style_code
from vidstyle.styles.resolve import normalised, parse, resolve

if TYPE_CHECKING:
    from vidstyle.engines.base import Engine
    from vidstyle.models.attention import StyleCode


@dataclass(frozen=True)
class Style:
    """A style that has been read, and its share."""

    name: str
    source: NDArray[np.uint8] | Path
    """A picture (H, W, 3) uint8, or the file of a compiled code."""
    weight: float
    """Shares of a blend sum to 1."""

    def digest(self) -> str:
        """SHA-256 of what the code is made from, and its share."""
        data = (
            self.source.read_bytes() if isinstance(self.source, Path) else np.ascontiguousarray(self.source).tobytes()
        )
        shape = () if isinstance(self.source, Path) else self.source.shape
        return hashlib.sha256(f"{shape} {self.weight!r} ".encode() + data).hexdigest()


def read_styles(texts: Sequence[str], *, size: int) -> list[Style]:
    """Read each "ART" or "ART:WEIGHT"; shares are scaled to sum to 1.

    Args:
        size: short side of pictures, in pixels.

    Raises:
        UsageError: no style, an unknown name, a bad weight.
        InputError: a picture that cannot be read.
    """
    specs = [parse(text) for text in texts]
    shares = normalised(specs)
    return [Style(s.ref, resolve(s.ref, size=size), w) for s, w in zip(specs, shares, strict=True)]


def encode_styles(styles: Sequence[Style], engine: Engine, model: str | Path) -> StyleCode:
    """The code of a blend. Raises UsageError for a compiled code of another model."""
    from vidstyle.models.attention import blend
    from vidstyle.models.checkpoint import load_code, model_digest

    codes = []
    for style in styles:
        if isinstance(style.source, Path):
            code, made_for = load_code(style.source)
            if made_for != model_digest(model):
                raise UsageError(f"{style.name}: was compiled for another model than {model}; compile it again.")
            codes.append(code)
        else:
            codes.append(style_code(style.source, engine, model))
    return codes[0] if len(codes) == 1 else blend(codes, [s.weight for s in styles])
