"""What `--style` may say: a built-in name, a picture file or a compiled code, each with a weight."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.core.errors import InputError, UsageError
from vidstyle.styles import gallery

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CODE_SUFFIX = ".safetensors"
STYLE_SIZE = 384
"""Short side at which style pictures are read unless something else is asked for, pixels."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)


@dataclass(frozen=True)
class StyleSpec:
    """One `--style` of a command."""

    ref: str
    """A built-in name, or the path of a picture or of a compiled code."""
    weight: float = 1.0
    """Its share of the blend before normalisation, finite and above 0."""


def parse(text: str) -> StyleSpec:
    """Read "REF" or "REF:WEIGHT".

    The weight is what follows the last colon if that is a number; other colons belong to the name (drive letters, file
    names). A file whose whole name is `text` wins over the weight.

    Raises:
        UsageError: no name, or a weight that is not finite and above 0.
    """
    ref, colon, tail = text.rpartition(":")
    tail = tail.strip()
    if _DECIMAL_COMMA.fullmatch(tail) and not _there(text):
        raise UsageError(f"--style {text}: write the weight with a point, {ref}:{tail.replace(',', '.')}.")
    if not colon or (tail and not _NUMBER.fullmatch(tail)) or _there(text):
        ref, weight = text, 1.0
    elif not tail:
        raise UsageError(
            f"--style {text}: the weight after the colon is missing; write {ref}:0.5, or leave the colon out."
        )
    else:
        weight = float(tail)
    if not ref.strip():
        raise UsageError(
            f"--style {text!r} names no style; give a built-in name (see: vidstyle styles) or a picture file."
        )
    if not (math.isfinite(weight) and weight > 0):
        raise UsageError(f"--style {text}: the weight must be a finite number above 0, not {tail}.")
    return StyleSpec(ref, weight)


def normalised(weights: Sequence[float]) -> list[float]:
    """The weights of a blend, in order, summing to 1 (to 1e-12).

    Raises:
        UsageError: no style at all, or a weight that is not finite and above 0.
    """
    if not weights:
        raise UsageError("no style given; add --style NAME (see: vidstyle styles) or --style picture.jpg.")
    if not all(math.isfinite(w) and w > 0 for w in weights):
        raise UsageError(f"weights of styles must be finite numbers above 0, not {', '.join(map(str, weights))}.")
    # The largest first becomes 1, so that no sum overflows.
    shares = [w / max(weights) for w in weights]
    total = math.fsum(shares)
    return [s / total for s in shares]


def resolve(ref: str, *, size: int = STYLE_SIZE) -> NDArray[np.uint8] | Path:
    """The style that a reference means.

    A built-in name wins over a file of the same name; write ./NAME for the file.

    Args:
        ref: a built-in name (case and "_" for "-" forgiven), a picture file or a compiled code.
        size: short side of the picture that is returned, in pixels.

    Returns:
        (H, W, 3) uint8 sRGB; or the path of a compiled code (.safetensors), whose size was fixed when it was compiled.

    Raises:
        UsageError: a name that is neither built in nor a file.
        InputError: a file that is missing, a folder or not readable as a picture.
    """
    place = located(ref)
    if isinstance(place, Path) and place.suffix.lower() == CODE_SUFFIX:
        return place
    from vidstyle.imaging.resize import with_short_side
    from vidstyle.styles.painting import read_painting

    return read_painting(place, size) if isinstance(place, Path) else with_short_side(gallery.load(place), size)


def located(ref: str) -> str | Path:
    """The built-in name or the file that a reference means; nothing is read, so a wrong one is told at once. Raises as
    `resolve`."""
    name = _built_in(ref)
    if name in gallery.DESCRIPTIONS:
        return name
    if "://" in ref:
        raise InputError(f"{ref}: addresses are not read; save the picture in a file and name that.")
    if ref == "-":
        raise InputError("-: a style is not read from standard input; save the picture in a file and name that.")
    path = Path(ref).expanduser()
    if _there(path):
        if path.is_dir():
            raise InputError(f"{ref}: a folder, not a style; name one picture in it.")
        return path
    if _looks_like_file(ref):
        raise InputError(f"{ref}: no such file; check the path, or use a built-in style (see: vidstyle styles).")
    near = difflib.get_close_matches(name, gallery.names(), n=3, cutoff=0.4) or gallery.names()
    raise UsageError(
        f"{ref}: no built-in style or file of this name; nearest are {', '.join(near)} (see: vidstyle styles)."
    )


def file_of(ref: str) -> Path | None:
    """The file that a reference means; None where it means a built-in style, or nothing that is there."""
    path = Path(ref).expanduser()
    return None if _built_in(ref) in gallery.DESCRIPTIONS or not path.is_file() else path


def is_built_in(ref: str) -> bool:
    """Whether a reference is the name of a built-in style."""
    return _built_in(ref) in gallery.DESCRIPTIONS


def _built_in(ref: str) -> str:
    return ref.strip().lower().replace("_", "-").replace(" ", "-")


def _looks_like_file(ref: str) -> bool:
    """Whether a reference has a folder or a suffix in it: then it was meant as a path."""
    return any(mark in ref for mark in "/\\.~")


def _there(path: str | Path) -> bool:
    """Whether there is such a file or folder; none has a name that the system refuses."""
    try:
        return Path(path).exists()
    except OSError:  # too long a name
        return False
