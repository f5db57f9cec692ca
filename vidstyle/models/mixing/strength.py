"""How much of a style: the code between a frame's own and the style's, or past it."""

from __future__ import annotations

import torch
from torch import Tensor

from vidstyle.models.attention import blend
from vidstyle.models.mixing.extrapolation import past
from vidstyle.models.style_code import StyleCode


def at_strength(
    code: StyleCode, own: StyleCode, strength: float | Tensor, *, beyond: bool, colour: int | None = None
) -> StyleCode:
    """A code at a strength a.

    Args:
        code: of the style.
        own: of the frame itself.
        strength: a, a number or (B,): in [0, 1], and a * code + (1 - a) * own is meant; or where `beyond`, at least 1.
        beyond: carried on past the style (`extrapolation.past`). Said, not looked up: in a graph a strength has no value.
        colour: as of `past`.
    """
    a = torch.as_tensor(strength, dtype=torch.float32, device=next(iter(own.named().values())).device)
    return past(code, own, a - 1, colour=colour) if beyond else blend([code, own], [a, 1 - a])
