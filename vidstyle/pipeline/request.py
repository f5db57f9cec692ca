"""What the picture is to look like: styles, mask, keyframes and the rest, read before any model is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vidstyle.core.errors import UsageError
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.styles.encode import Style, read_styles
from vidstyle.styles.keyframes import Keyframes, read_keyframes
from vidstyle.styles.masks import Mask, read_mask
from vidstyle.styles.resolve import resolve


@dataclass(frozen=True)
class Look:
    """Everything about the picture except the model."""

    styles: tuple[Style, ...]
    """One blend; or, with a mask, one style (black: the source itself) or two (white and black); or those of the keyframes."""
    strength: float
    preserve_color: bool
    stabilize: float
    mask: Mask | None
    """Of the film's size; of two styles, of the size at which they are painted."""
    keyframes: Keyframes | None

    @property
    def mixes_two(self) -> bool:
        """The mask chooses between two styles, not between a style and the source."""
        return self.mask is not None and self.keyframes is None and len(self.styles) == 2

    def fingerprint(self) -> dict[str, Any]:
        """What of this changes bytes, as JSON values."""
        keys = self.keyframes
        return {
            "styles": [style.digest() for style in self.styles],
            "strength": float(self.strength),
            "preserve_color": self.preserve_color,
            "stabilize": float(self.stabilize),
            "mask": None if self.mask is None else hashlib.sha256(self.mask.tobytes()).hexdigest(),
            "keyframes": None
            if keys is None
            else [keys.times.tolist(), keys.weights.tolist(), keys.strengths.tolist()],
        }


def read_look(
    styles: str | Sequence[str], options: RunOptions, size: tuple[int, int], paint_size: tuple[int, int] | None = None
) -> Look:
    """Read the pictures and files that a look is made from.

    Args:
        styles: "ART" or "ART:WEIGHT" each; none with keyframes.
        size: width and height of the film's frames.
        paint_size: width and height at which they are painted; None: that size.

    Raises:
        UsageError: combinations that mean nothing.
        InputError: a file that cannot be read.
    """
    texts = [styles] if isinstance(styles, str) else list(styles)
    keyframes = None
    if options.keyframes is not None:
        if texts:
            raise UsageError("--keyframes names its styles itself; leave --style out, or --keyframes.")
        keyframes = read_keyframes(options.keyframes)
        read = [Style(ref, resolve(ref, size=options.style_size), 1.0) for ref in keyframes.refs]
    else:
        read = read_styles(texts, size=options.style_size)
    if options.mask is not None and keyframes is None and len(read) > 1:
        if len(read) > 2:
            raise UsageError(
                "--mask chooses between two styles at most: the first --style for white, the second for black."
            )
        if read[0].weight != read[1].weight:
            raise UsageError("--mask says where each of the two styles is; leave their weights out.")
    mixes_two = keyframes is None and len(read) == 2
    mask_size = paint_size if mixes_two and paint_size is not None else size
    return Look(
        styles=tuple(read),
        strength=options.strength,
        preserve_color=options.preserve_color,
        stabilize=options.stabilize,
        mask=None if options.mask is None else read_mask(options.mask, mask_size),
        keyframes=keyframes,
    )
