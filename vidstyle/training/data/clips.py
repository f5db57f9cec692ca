"""Clips to train with: pairs of consecutive frames, the motion between them, and what of it can be seen in both.

Short runs of frames are decoded once, shrunk and held in memory as bytes; only the motion of a crop is computed in a step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.core.errors import InputError
from vidstyle.imaging.flow import DisFlow
from vidstyle.imaging.resize import resize_short
from vidstyle.imaging.tensors import unit_range
from vidstyle.media.cuts import CutDetector
from vidstyle.media.input.clip_reader import open_clip
from vidstyle.media.paths import VIDEOS
from vidstyle.metrics.warp_error import motion
from vidstyle.training.data.images import ImageBatch
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.objective.batch import ClipMotion

_STILL = 0.1
"""Mean change, of 255, below which the second frame is a repeated one: it would teach nothing."""
_CONTEXT = 16
"""Pixels around a crop in which motion is estimated too: what enters the crop comes from there."""

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class ClipFolder:
    """The usable clips below some folders."""

    paths: tuple[Path, ...]
    clips: tuple[tuple[tuple[Frame, Frame], ...], ...]
    """For each clip its pairs of consecutive frames, (H, W, 3) uint8 RGB each."""
    broken: int
    """Files with a film's suffix that cannot be read."""
    unusable: int
    """Clips that are too small, or stand still, or have no two frames of one scene."""
    digest: str
    """SHA-256 over the names and sizes of the usable ones."""

    @property
    def pairs(self) -> int:
        """Pairs of all clips."""
        return sum(len(c) for c in self.clips)


def load_clips(
    paths: Sequence[Path], *, longest_short_side: int = 320, smallest: int = 64, runs: int = 6, length: int = 8
) -> ClipFolder:
    """Decode `runs` runs of `length` frames, spread evenly, of every clip below the folders (all of a shorter clip).

    Args:
        longest_short_side: larger frames are shrunk to this short side, pixels. 48 frames of 569x320 are 26 MB.
        smallest: clips with a shorter side are left out.

    Raises:
        InputError: no folder, or no usable clip.
    """
    for path in paths:
        if not path.is_dir():
            raise InputError(f"{path}: not a folder of clips.")
    files = sorted({f for path in paths for f in path.rglob("*") if f.suffix.lower() in VIDEOS and f.is_file()})
    clips, broken, unusable, digest = [], 0, 0, hashlib.sha256()
    for file in files:
        try:
            pairs = read_pairs(file, longest_short_side, smallest, runs, length)
        except InputError:
            broken += 1
            continue
        if pairs:
            clips.append(pairs)
            digest.update(f"{file.name}:{file.stat().st_size}\n".encode())
        else:
            unusable += 1
    if not clips:
        raise InputError(
            f"{', '.join(map(str, paths))}: no usable clip ({broken} cannot be read, {unusable} are too small or stand "
            "still); give a folder of films."
        )
    return ClipFolder(tuple(paths), tuple(clips), broken, unusable, digest.hexdigest())


def read_pairs(
    file: Path, longest_short_side: int, smallest: int, runs: int, length: int
) -> tuple[tuple[Frame, Frame], ...]:
    """Pairs of consecutive frames of one clip, without those across a cut and those that stand still. Raises InputError."""
    clip = open_clip(file)
    numbers = spread(clip.count, runs, length)
    frames: dict[int, Frame] = {}
    for n, frame in zip(numbers, clip.frames(numbers), strict=False):
        if min(frame.shape[:2]) < smallest:
            return ()
        frames[n] = resize_short(frame, min(longest_short_side, *frame.shape[:2]))
    pairs, cuts, last = [], CutDetector(), -1
    for a, b in pairwise(frames):
        if b != a + 1:
            continue
        if a != last:  # a new run: the detector's memory is of another place
            cuts = CutDetector()
            cuts(frames[a])
        last = b
        cut = cuts(frames[b])
        change = np.abs(frames[a].astype(np.int16) - frames[b]).mean()
        if not cut and change >= _STILL:
            pairs.append((frames[a], frames[b]))
    return tuple(pairs)


def spread(count: int, runs: int, length: int) -> list[int]:
    """Numbers of at most runs * length frames of `count`, ascending, in runs of consecutive ones."""
    if count <= runs * length:
        return list(range(count))
    starts = np.linspace(0, count - length, runs).round().astype(int)
    return [int(s) + i for s in starts for i in range(length)]


@dataclass(frozen=True)
class FramePairs:
    """Crops of consecutive frames and the way from the second back to the first."""

    first: Tensor
    """(B, 3, S, S) float32 in [0, 1]."""
    second: Tensor
    """(B, 3, S, S) float32 in [0, 1], the same place one frame later."""
    grid: Tensor
    """(B, S, S, 2) float32: where each pixel of `second` lies in `first` (`grid_sample`, align_corners=False)."""
    visible: Tensor
    """(B, 1, S, S) float32, 1 where that pixel can be seen in `first`, else 0."""


def draw_pairs(
    folder: ClipFolder, side: int, zoom: tuple[float, float], rngs: Sequence[np.random.Generator]
) -> FramePairs:
    """One crop of a random pair of a random clip for each generator; zoom and flip as for a photo (`data.crop`)."""
    drawn = [_draw_pair(folder, side, zoom, rng) for rng in rngs]
    first, second, grid, visible = (torch.stack(part) for part in zip(*drawn, strict=True))
    return FramePairs(first, second, grid, visible)


def put_pairs(
    photos: ImageBatch,
    paintings: ImageBatch,
    folder: ClipFolder,
    every: int,
    zoom: tuple[float, float],
    draw: StepRandomness,
) -> tuple[ImageBatch, ImageBatch, ClipMotion | None]:
    """Frames of clips where pairs of photos were: pair m of step t where (t + m) is a multiple of `every`.

    Both frames of a pair get the style of the first, so that neighbours serve Lis and the temporal loss alike.

    Returns:
        contents, styles, and the motion of the pairs, None where no pair's turn has come.
    """
    content, style = photos.pixels, paintings.pixels
    before = draw.first // 2  # pairs are numbered over the whole step
    turns = [m for m in range(content.shape[0] // 2) if (draw.step + before + m) % every == 0]
    if not turns:
        return photos, paintings, None
    drawn = draw_pairs(folder, content.shape[3], zoom, [draw.rng(Purpose.CLIP, before + m) for m in turns])
    pairs = torch.tensor(turns)
    content, style, names, painted = content.clone(), style.clone(), list(photos.names), list(paintings.names)
    content[2 * pairs], content[2 * pairs + 1] = drawn.first, drawn.second
    style[2 * pairs + 1] = style[2 * pairs]
    for m in turns:
        names[2 * m] = names[2 * m + 1] = None
        painted[2 * m + 1] = painted[2 * m]
    motion = ClipMotion(pairs, drawn.grid, drawn.visible)
    return ImageBatch(content, tuple(names)), ImageBatch(style, tuple(painted)), motion


def _draw_pair(
    folder: ClipFolder, side: int, zoom: tuple[float, float], rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One pair: `FramePairs` without the batch's dimension."""
    clip = folder.clips[rng.integers(len(folder.clips))]
    pair = clip[rng.integers(len(clip))]
    native = max(side, min(pair[0].shape[:2]))
    low, high = (min(native, max(side, round(z * side))) for z in zoom)
    short = int(rng.integers(low, high + 1))
    frames = [resize_short(f, short) for f in pair]
    h, w = frames[0].shape[:2]
    top, left = int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1))
    above, before = min(top, _CONTEXT), min(left, _CONTEXT)
    area = (slice(top - above, top + side + _CONTEXT), slice(left - before, left + side + _CONTEXT))
    inner = (slice(above, above + side), slice(before, before + side))
    first, second = (f[area] for f in frames)
    if rng.random() < 0.5:
        first, second = first[:, ::-1], second[:, ::-1]
        before = first.shape[1] - side - before
        inner = (inner[0], slice(before, before + side))
    back = motion(DisFlow(), np.ascontiguousarray(second), np.ascontiguousarray(first))
    grid = flow_grid(back.flow[:, *inner])
    visible = back.visible[inner] & (grid.abs() <= 1).all(-1)
    return unit_range(first[inner]), unit_range(second[inner]), grid, visible[None].float()


def flow_grid(flow: Tensor) -> Tensor:
    """The sampling grid of a flow: (2, H, W) in pixels -> (H, W, 2) in [-1, 1] of `grid_sample`, align_corners=False."""
    h, w = flow.shape[1:]
    y, x = torch.meshgrid(torch.arange(h, dtype=flow.dtype), torch.arange(w, dtype=flow.dtype), indexing="ij")
    return torch.stack([(2 * (x + flow[0]) + 1) / w - 1, (2 * (y + flow[1]) + 1) / h - 1], -1)
