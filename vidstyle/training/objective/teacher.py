"""A frozen copy of the network as its own teacher: what it paints, averaged over positions of the pixel grid.

A network that subsamples paints a frame that has moved by a pixel a little differently; none of its pictures is the right one,
and their mean is what a picture that follows the frame would have to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from vidstyle.losses.sharpness import band_energies
from vidstyle.models.checkpoint import StyleModel, build
from vidstyle.models.compact import STRIDE
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.recipe import FrozenTeacher

MARGIN = 8
"""Pixels at a window's border that are not compared: what lies beyond it, no position of the others has to invent."""


@dataclass(frozen=True)
class Lesson:
    """Of a batch."""

    mean: Tensor
    """(B, 3, R, R) pictures, averaged."""
    bands: Tensor
    """(B, BANDS): energies of single pictures, averaged; the mean's own would allow blur."""
    corner: int
    """Pixels from the content's left and upper border to `mean`."""

    def cut(self, x: Tensor) -> Tensor:
        """The same part of pictures of the whole content."""
        side = self.mean.shape[2]
        return x[:, :, self.corner : self.corner + side, self.corner : self.corner + side]


def frozen_copy(net: StyleModel, settings: FrozenTeacher) -> StyleModel:
    """The network as it is, with what the settings say of its configuration."""
    config = cast(Any, net).config.to_dict()
    copy = build(net.architecture, {**config, **settings.config})
    copy.load_state_dict(net.state_dict())
    copy.to(next(net.parameters()).device).to(memory_format=torch.channels_last)
    return copy.requires_grad_(False).eval()


@torch.no_grad()
def averaged(
    teacher: StyleModel, content: Tensor, style: Tensor, settings: FrozenTeacher, draw: StepRandomness
) -> Lesson:
    """What the teacher paints, on the part of the content that windows at all positions show.

    Args:
        content, style: (B, 3, S, S) in [0, 1].
        draw: the positions are those of its step, the same for all pictures.
    """
    reach = settings.reach
    side = (content.shape[2] - reach + 1) // STRIDE * STRIDE
    corner = reach - 1 + MARGIN
    kept = side - MARGIN - corner
    rng = draw.rng(Purpose.POSITION)
    count = min(settings.positions, reach * reach)
    code = teacher.encode_style(style)
    pictures, bands = [], []
    for place in rng.choice(reach * reach, count, replace=False):
        y, x = divmod(int(place), reach)
        window = content[:, :, y : y + side, x : x + side].contiguous(memory_format=torch.channels_last)
        seen = teacher(window, code).float()[:, :, corner - y : corner - y + kept, corner - x : corner - x + kept]
        pictures.append(seen)
        bands.append(band_energies(seen))
    return Lesson(torch.stack(pictures).mean(0), torch.stack(bands).mean(0), corner)
