"""One request for a style: words to pictures, read once, to codes. What the result is to look like, whatever film it is for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.styles.keyframes import Keyframes, read_keyframes
from vidstyle.styles.masks import Mask, read_mask, stretched
from vidstyle.styles.resolve import StyleSpec, is_built_in, normalised, parse
from vidstyle.styles.source import EncodedStyle, Style, StyleLike, read_notes, read_source, style_image_of

if TYPE_CHECKING:
    from vidstyle.engines.base import Engine
    from vidstyle.models.style_code import StyleCode


@dataclass(frozen=True)
class StyleRequest:
    """Styles and how they are applied; good for any number of films."""

    styles: tuple[Style, ...]
    """One blend; or, with a mask, one style (black: the source itself) or two (white and black); or those of the keyframes."""
    strength: float = 1.0
    preserve_color: str | bool = False
    """False, "luma", "local" or "match" (`RunOptions`)."""
    stabilize: float = 0.0
    mask: Mask | None = None
    """(H, W), of the mask's own size until `at_size`."""
    regions: tuple[Path, ...] = ()
    """Masks, still or moving, of the last of `styles`, one each; later ones lie over earlier ones, all over the blend of the
    styles before."""
    keep: tuple[Path, ...] = ()
    """Masks where the source itself is seen."""
    keyframes: Keyframes | None = None
    per_shot: bool = False
    """The styles take turns with the film's shots, which become the keyframes once they are found."""

    @property
    def mixes_two(self) -> bool:
        """The mask chooses between two styles, not between a style and the source."""
        return self.mask is not None and self.keyframes is None and not self.per_shot and len(self.styles) == 2

    @property
    def notes(self) -> list[str]:
        """What the user should know of how the styles were read, each sentence once."""
        return list(dict.fromkeys(note for style in self.styles for note in style.notes))

    def at_size(self, size: tuple[int, int]) -> StyleRequest:
        """The same for frames of one size (width, height): the mask has it."""
        return self if self.mask is None else replace(self, mask=stretched(self.mask, size))

    def codes(self, engine: Engine) -> list[StyleCode]:
        """The codes that frames are styled with: of each style where a mask or keyframes choose among them, else of the blend.

        Raises:
            UsageError: a compiled style of another model.
        """
        if self.keyframes is not None or self.mixes_two:
            codes = [style.source.code(engine) for style in self.styles]
            if self.keyframes is not None:
                _refuse_deep(self.styles, codes, "used in keyframes")
            return codes
        ground = len(self.styles) - len(self.regions)
        codes = [encode(self.styles[:ground], engine)]
        return [*codes, *(style.source.code(engine) for style in self.styles[ground:])]

    def encoded(self, engine: Engine) -> StyleRequest:
        """The same with codes in the place of pictures and files, for machines that have neither; a blend is one style then.

        Raises:
            UsageError: as `codes`.
        """
        codes = self.codes(engine)
        styles = self.styles if len(codes) == len(self.styles) else (Style("a blend", EncodedStyle.of(codes[0])),)
        made = [replace(style, source=EncodedStyle.of(code)) for style, code in zip(styles, codes, strict=True)]
        return replace(self, styles=tuple(made))

    def fingerprint(self) -> dict[str, Any]:
        """What of this changes bytes, as JSON values."""
        keys = self.keyframes
        return {
            "styles": [style.digest() for style in self.styles],
            "strength": float(self.strength),
            "preserve_color": self.preserve_color,
            "stabilize": float(self.stabilize),
            "mask": None if self.mask is None else hashlib.sha256(self.mask.tobytes()).hexdigest(),
            "regions": [_digest(path) for path in self.regions],
            "keep": [_digest(path) for path in self.keep],
            "keyframes": None
            if keys is None
            else [
                keys.times.tolist(),
                keys.weights.tolist(),
                keys.strengths.tolist(),
                *([list(keys.easings)] if keys.easings else []),
                *([{"detail": list(keys.details)}] if keys.details else []),
            ],
        }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode(styles: Sequence[Style], engine: Engine) -> StyleCode:
    """The code of a blend. Raises UsageError for a compiled style of another model."""
    codes = [style.source.code(engine) for style in styles]
    if len(codes) == 1:
        return codes[0]
    from vidstyle.models.attention import blend

    _refuse_deep(styles, codes, "blended")
    return blend(codes, [style.weight for style in styles])


def _refuse_deep(styles: Sequence[Style], codes: Sequence[StyleCode], what: str) -> None:
    """Raise UsageError for styles whose codes change the network's weights."""
    for style, code in zip(styles, codes, strict=True):
        if code.change is not None:
            raise UsageError(f"{style.name}: is deeply fitted and cannot be {what}; fit it without --deep.")


def read_request(
    styles: StyleLike | Sequence[StyleLike],
    *,
    style_size: int = 384,
    mask: Path | None = None,
    keyframes: Path | None = None,
    strength: float = 1.0,
    preserve_color: str | bool = False,
    stabilize: float = 0.0,
) -> StyleRequest:
    """Read the pictures and files that a request is made from.

    Args:
        styles: one or several, whose shares are scaled to sum to 1; none with keyframes.
        style_size: short side of style pictures, in pixels.
        mask, keyframes: their files.
        strength, preserve_color, stabilize: as in `RunOptions`.

    Raises:
        UsageError: no style, an unknown name, a bad weight, or combinations that mean nothing.
        InputError: a file that cannot be read.
    """
    texts = _listed(styles)
    keys = None
    if keyframes is not None:
        if texts:
            raise UsageError("--keyframes names its styles itself; leave --style out, or --keyframes.")
        keys = read_keyframes(keyframes)
        read = [_style(ref, style_size) for ref in keys.refs]
    else:
        read = _read_styles(texts, size=style_size)
    if mask is not None and keys is None and len(read) > 1:
        if len(read) > 2:
            raise UsageError(
                "--mask chooses between two styles at most: the first --style for white, the second for black."
            )
        if read[0].weight != read[1].weight:
            raise UsageError("--mask says where each of the two styles is; leave their weights out.")
        if preserve_color == "match":
            raise UsageError("--preserve-color match does not go with two styles and a --mask; use luma or local.")
    picture = None if mask is None else read_mask(mask)
    return StyleRequest(tuple(read), strength, preserve_color, stabilize, picture, keyframes=keys)


def read_per_shot(request: StyleRequest, refs: Sequence[str], mask: Path | None) -> StyleRequest:
    """A request of a blend as one of styles that take turns with the shots.

    Args:
        refs: the styles as they were written.
        mask: its file; black is the source itself.

    Raises:
        UsageError: a style with a weight.
        InputError: a mask that cannot be read.
    """
    for ref in refs:
        if parse(ref).weight != 1:
            raise UsageError(f"--style-per-shot {ref}: each style has its shots to itself; leave the weight out.")
    return replace(request, per_shot=True, mask=None if mask is None else read_mask(mask))


def read_style(ref: str, *, size: int) -> Style:
    """One style for itself. Raises as `read_request`."""
    return _read_styles([ref], size=size)[0]


def _read_styles(given: Sequence[StyleLike], *, size: int) -> list[Style]:
    """Read each style; shares are scaled to sum to 1. Raises as `read_request`."""
    specs: list[tuple[StyleSpec | NDArray[np.uint8], float]] = []
    for each in given:
        if isinstance(each, np.ndarray):
            specs.append((each, 1.0))
        elif isinstance(each, str | Path):
            # A path is a file, also where a built-in style has its name.
            text = each if isinstance(each, str) else f".{os.sep}{each}" if is_built_in(str(each)) else str(each)
            spec = parse(text) if isinstance(each, str) else StyleSpec(text)
            specs.append((spec, spec.weight))
        else:
            raise UsageError(f"a style must be a name, a path or a picture, not {type(each).__name__}.")
    shares = normalised([weight for _, weight in specs])
    return [
        Style("an array", style_image_of(spec, size=size), share)
        if isinstance(spec, np.ndarray)
        else _style(spec.ref, size, share)
        for (spec, _), share in zip(specs, shares, strict=True)
    ]


def _listed(styles: StyleLike | Sequence[StyleLike]) -> list[StyleLike]:
    if isinstance(styles, str | Path | np.ndarray):
        return [styles]
    if not isinstance(styles, Sequence):
        raise UsageError(f"styles must be a name, a path, a picture or a list of them, not {type(styles).__name__}.")
    return list(styles)


def _style(ref: str, size: int, weight: float = 1.0) -> Style:
    return Style(ref, read_source(ref, size=size), weight, read_notes(ref, size=size))
