"""Validation: fixed pictures, motions and pairs of frames that are never trained on, with the metrics of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.imaging.flow import DisFlow
from vidstyle.imaging.resize import resize_short
from vidstyle.imaging.tensors import to_image, unit_range
from vidstyle.metrics.fidelity import StyleDistance, content_ssim
from vidstyle.metrics.warp_error import FlowMotion, motion, warp_error
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.style_code import StyleCode
from vidstyle.models.vgg import VGG
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.images import square
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.data.synthetic_motion import disturb, inside, random_grid, warp
from vidstyle.training.recipe import Scoring

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class ValidationPair:
    """Two frames and the way from the first to the second; (S, S, 3) uint8 or, of clips, (H, W, 3)."""

    first: Picture
    second: Picture
    moved: FlowMotion


class Validation:
    """Measures a network; the same pictures every time. What does not depend on it is measured once, when first needed.

    Args:
        scoring: how many pictures of which size, and what makes one model better than another.
        content: (H, W, 3) uint8 each.
        style: (H, W, 3) uint8 each.
        clips: films of which up to eight pairs of frames are measured too.
        vgg: ruler of the style distance, in any precision.
    """

    def __init__(
        self, scoring: Scoring, content: Sequence[Picture], style: Sequence[Picture], clips: ClipFolder | None, vgg: VGG
    ) -> None:
        self._scoring, self._vgg, self._clips = scoring, vgg, clips
        self.contents = [square(c, scoring.side) for c in content]
        self.styles = [square(s, scoring.side) for s in style]
        self._precision = next(vgg.parameters()).dtype
        self._device = next(vgg.parameters()).device

    @cached_property
    def _rulers(self) -> list[StyleDistance]:
        return [StyleDistance(self._vgg, s, self._scoring.side, self._device) for s in self.styles]

    @cached_property
    def _far(self) -> float:
        """Style distance of the photos as they are."""
        return fmean(ruler(c) for ruler, c in product(self._rulers, self.contents))

    @cached_property
    def _pairs(self) -> dict[str, list[ValidationPair]]:
        real = _real_pairs(self._clips, self._scoring.side) if self._clips else []
        return {"moved": [_moved(c, i) for i, c in enumerate(self.contents)], "1": real}

    def _cast(self) -> torch.autocast:
        return torch.autocast(self._device.type, self._precision, enabled=self._precision != torch.float32)

    @torch.inference_mode()
    def __call__(self, net: StyleModel) -> dict[str, float]:
        """Measure `net`.

        Returns:
            val_style: style distance (docs/metrics.md), mean over contents x styles; val_ssim: content SSIM, likewise;
            val_E_moved: warp error under known motion and a camera's noise; val_E_1: of consecutive frames, where there are
            clips; each warp error with the sources' own beside it; val_score: lower is better, see `Scoring`.
        """
        codes = [net.encode_style(_tensor(s, self._device)) for s in self.styles]
        painted = {
            (i, j): self._paint(net, c, codes[j]) for i, c in enumerate(self.contents) for j in range(len(codes))
        }
        with self._cast():
            style, unstyled = fmean(self._rulers[j](out) for (_, j), out in painted.items()), self._far
        ssim = fmean(content_ssim(self.contents[i], out) or 0.0 for (i, _), out in painted.items())
        found = {"val_style": style, "val_style_source": unstyled, "val_ssim": ssim}
        for name, pairs in self._pairs.items():
            errors = [self._errors(net, p, codes[n % len(codes)]) for n, p in enumerate(pairs)]
            seen = [e for e in errors if e is not None]
            if seen:
                found[f"val_E_{name}"], found[f"val_E_{name}_source"] = (fmean(x) for x in zip(*seen, strict=True))
        return {**found, "val_score": score(found, self._scoring)}

    def _paint(self, net: StyleModel, picture: Picture, code: StyleCode) -> Picture:
        out = net(_tensor(picture, self._device), code)
        return to_image(out[0])

    def _errors(self, net: StyleModel, pair: ValidationPair, code: StyleCode) -> tuple[float, float] | None:
        """Warp error of the film and of the source; None where too little is visible."""
        painted = [unit_range(self._paint(net, f, code)) for f in (pair.first, pair.second)]
        error = warp_error(painted[0], painted[1], pair.moved)
        source = warp_error(unit_range(pair.first), unit_range(pair.second), pair.moved)
        return None if error is None or source is None else (error, source)


def score(found: Mapping[str, float], scoring: Scoring) -> float:
    """style * val_style / val_style_source + ssim * (1 - val_ssim) + warp * val_E / val_E_source; lower is better.

    E is that of real frames where there are any. A grey film has no warp error, but the style distance and SSIM of one.
    """
    name = "val_E_1" if "val_E_1" in found else "val_E_moved"
    steadiness = found[name] / max(found[f"{name}_source"], 1e-5) if name in found else 0.0
    return (
        scoring.style * found["val_style"] / max(found["val_style_source"], 1e-6)
        + scoring.ssim * (1 - found["val_ssim"])
        + scoring.warp * steadiness
    )


def _tensor(picture: Picture, device: torch.device) -> Tensor:
    return unit_range(picture)[None].to(device, memory_format=torch.channels_last)


def _moved(picture: Picture, number: int) -> ValidationPair:
    """A picture seen by a camera that has moved, and the picture itself: the motion between them is known exactly."""
    camera = [StepRandomness(0, 0, 0).generator(Purpose.MOTION, number)]
    side = picture.shape[0]
    grid = random_grid(side, camera)
    seen = disturb(warp(unit_range(picture)[None], grid), camera)[0]
    first = to_image(seen)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    flow = ((grid[0] + 1) * side - 1) / 2 - torch.stack([x, y], -1)
    return ValidationPair(first, picture, FlowMotion(flow.permute(2, 0, 1).contiguous(), inside(grid)[0, 0].bool()))


def _real_pairs(folder: ClipFolder, side: int, most: int = 8) -> list[ValidationPair]:
    """The middle pair of each of `most` clips, spread over the folder."""
    picks = np.linspace(0, len(folder.clips) - 1, min(most, len(folder.clips))).round().astype(int)
    flow, pairs = DisFlow(), []
    for clip in (folder.clips[i] for i in picks):
        first, second = (resize_short(f, side) for f in clip[len(clip) // 2])
        pairs.append(ValidationPair(first, second, motion(flow, first, second)))
    return pairs
