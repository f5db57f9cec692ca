"""The validation set: eight clips and ten paintings that no training has seen, ten built-in styles, and how it is measured.

Clips and paintings are set aside by name: training is given folders without them. Paintings are what people bring; the built-in
styles are drawn by programs for this project, flat, saturated, hard-edged. The default model has trained on these, since they
come with it: numbers of theirs are how it does its own repertoire, not what it makes of new pictures.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.films import Frames, clips, data_folder, first_frames, shortened
from vidstyle.imaging.flow import DisFlow
from vidstyle.imaging.resize import resize_short
from vidstyle.imaging.tensors import unit_range
from vidstyle.media.cuts import CutDetector
from vidstyle.metrics.evaluation import STYLE_EVERY
from vidstyle.metrics.fidelity import DeepGram, StyleDistance, content_ms_ssim, content_ssim
from vidstyle.metrics.flicker import flicker, still_pixels
from vidstyle.metrics.patches import PatchDistance
from vidstyle.metrics.warp_error import FlowMotion, motion, warp_error
from vidstyle.models.vgg import load_vgg
from vidstyle.styles.resolve import resolve

WIDTH = 512
PAINTINGS = (
    "artwall_22871.jpg",  # gilded altarpiece
    "baw_amedeo-modigliani-50.jpg",
    "baw_edvard-munch-23.jpg",
    "baw_gustav-klimt-98.jpg",
    "baw_kazimir-malevich-33.jpg",
    "baw_paul-klee-129.jpg",
    "baw_raphael-6.jpg",
    "baw_vincent-van-gogh-791.jpg",
    "irina_182full.jpg",
    "irina_9full.jpg",
)
"""Of the data's folder style/: every 139th by name, so nobody chose them by their looks."""
BUILT_IN = (
    "art-nouveau",
    "cubist",
    "ink-hatching",
    "mosaic",
    "risograph",
    "stained-glass",
    "starry-strokes",
    "sunset-oil",
    "watercolour",
    "woodcut-waves",
)
KINDS = ("paintings", "built-in")
KEYS = ("E_1", "flicker", "ssim", "ms_ssim", "style_distance", "gram_relu5_1", "patch_distance")
DISTANCES = KEYS[4:]
"""Those from a style, attributes of `Ruler`."""


@dataclass(frozen=True)
class Style:
    """A style of the set."""

    name: str
    kind: str
    """"paintings" or "built-in"."""
    picture: Frames
    """(H, W, 3) uint8, as the product reads it."""


def styles(count: int) -> list[Style]:
    """The first `count` of each kind; without a data folder built-in ones only."""
    data = data_folder()
    files = [p for name in PAINTINGS if data and (p := data / "style" / name).is_file()][:count]
    return [
        *(Style(p.stem, "paintings", picture(str(p))) for p in files),
        *(Style(name, "built-in", picture(name)) for name in BUILT_IN[:count]),
    ]


def picture(ref: str) -> Frames:
    """A style as the product reads it, (H, W, 3) uint8."""
    art = resolve(ref)
    assert not isinstance(art, Path)
    return art


@dataclass(frozen=True)
class Source:
    """A clip of the set, with its motion: estimated once, whoever is measured."""

    name: str
    frames: Frames
    """(N, H, W, 3) uint8."""
    motions: tuple[FlowMotion | None, ...]
    """From each frame to the next; None across a cut."""

    @property
    def short_side(self) -> int:
        height, width = self.frames.shape[1:3]
        return min(int(height), int(width))


def sources(count: int, frames: int, work: Path) -> Iterator[Source]:
    """The first `count` clips of the set, their first `frames` frames at 512 px width."""
    for clip in clips(count, work):
        stack = np.stack(list(first_frames(shortened(clip, work, width=WIDTH, frames=frames), frames)))
        cuts, flow = CutDetector(), DisFlow()
        cut = [cuts(frame) for frame in stack]
        motions = [None if cut[i + 1] else motion(flow, stack[i], stack[i + 1]) for i in range(len(stack) - 1)]
        yield Source(clip.name, stack, tuple(motions))


@dataclass(frozen=True)
class Ruler:
    """Distances of pictures from one style; those of networks are None without VGG weights."""

    patch_distance: PatchDistance
    style_distance: StyleDistance | None = None
    gram_relu5_1: DeepGram | None = None


class Rulers:
    """Rulers by style and size. The VGG is one up to conv5_1 or deeper."""

    def __init__(self, vgg: Path | None) -> None:
        self.network = load_vgg(vgg) if vgg else None
        self.made: dict[tuple[str, int], Ruler] = {}
        self.apart: dict[tuple[str, int], float] = {}

    def get(self, style: Style, short_side: int) -> Ruler:
        key = (style.name, short_side)
        if key not in self.made:
            patches = PatchDistance(style.picture, short_side)
            if self.network is None:
                self.made[key] = Ruler(patches)
            else:
                deep = DeepGram(self.network, style.picture, short_side)
                self.made[key] = Ruler(patches, StyleDistance(self.network, style.picture, short_side), deep)
        return self.made[key]

    def halves(self, style: Style, short_side: int) -> float | None:
        """Style distance of one half of a style from the other, mean of left from right and top from bottom, at the size that
        `get` measures at: what two pieces of one painting differ by."""
        if self.network is None:
            return None
        key = (style.name, short_side)
        if key in self.apart:
            return self.apart[key]
        art = resize_short(style.picture, short_side)
        y, x = art.shape[0] // 2, art.shape[1] // 2
        pairs = (art[:, :x], art[:, -x:]), (art[:y], art[-y:])
        self.apart[key] = statistics.fmean(StyleDistance(self.network, a, min(a.shape[:2]))(b) for a, b in pairs)
        return self.apart[key]


def measured(frames: Frames, source: Source, ruler: Ruler | None) -> dict[str, float | None]:
    """KEYS of a film of `source`, as `vidstyle evaluate` defines them.

    Args:
        frames: (N, H, W, 3) uint8, one for each of the source.
        ruler: of the style; None where there is none to measure against.
    """
    pairs = list(zip(frames, frames[1:], source.motions, strict=False))
    still = [still_pixels(a, b) for a, b in zip(source.frames, source.frames[1:], strict=False)]
    moved = [(a, b, m, s) for (a, b, m), s in zip(pairs, still, strict=True) if m is not None]
    return {
        "E_1": mean([warp_error(unit_range(a), unit_range(b), m) for a, b, m, _ in moved]),
        "flicker": mean([flicker(a, b, s) for a, b, _, s in moved]),
        "ssim": mean([content_ssim(a, b) for a, b in zip(source.frames, frames, strict=True)]),
        "ms_ssim": mean([content_ms_ssim(a, b) for a, b in zip(source.frames, frames, strict=True)]),
        **{key: _distance(frames[::STYLE_EVERY], getattr(ruler, key, None)) for key in DISTANCES},
    }


def _distance(frames: Frames, ruler: Callable[[Frames], float] | None) -> float | None:
    return None if ruler is None else mean([ruler(frame) for frame in frames])


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that there are."""
    known = [v for v in values if v is not None]
    return statistics.fmean(known) if known else None


def means(rows: Sequence[dict[str, Any]], keys: Sequence[str] = KEYS) -> dict[str, float | None]:
    """Mean of each key over rows."""
    return {k: mean([r[k] for r in rows]) for k in keys}
