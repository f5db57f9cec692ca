"""The detail stage: paintings carried to full size, where mask and colour of the source come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging import detail, detail_yuv
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.transforms import with_colour_of
from vidstyle.imaging.yuv import LUMA_WEIGHTS, YUV420
from vidstyle.media.output.planar_writer import takes_planes
from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.pipeline.stages.moving_masks import MaskStack
from vidstyle.styles.masks import mix
from vidstyle.styles.request import StyleRequest

Frames = NDArray[np.uint8]


class DetailTransfer:
    """Frames whose `data` was painted small to frames as they are encoded; those painted at full size pass.

    Args:
        video: its painting and what its colours mean.
        request: mask and colour.
    """

    def __init__(self, video: VideoPlan, request: StyleRequest) -> None:
        self._request = request
        self._origin = video.first_tick * video.clock.time_base
        self._kept = Kept(request.keep, video.size, self._origin)
        self._usual = video.painting.detail
        self._full_range = video.info.colour.range == "full"
        self._weights = LUMA_WEIGHTS.get(video.info.colour.matrix, LUMA_WEIGHTS["bt709"])
        self._depth = takes_planes(video.settings.resolved_pix_fmt()) or 8

    def __call__(self, frame: Frame) -> Frame:
        source, guide = frame.full, frame.guide
        if source is None or guide is None:
            return frame
        keys, amount = self._request.keyframes, self._usual
        if keys is not None:
            amount = keys.detail_at(float(frame.seconds - self._origin), self._usual)
        if isinstance(source, YUV420):
            planes = detail_yuv.add_detail(
                frame.data, guide, source, amount, full_range=self._full_range, depth=self._depth
            )
            return replace(frame, full=planes, guide=None)
        shrunk = np.asarray(guide, np.uint8)
        styled = detail.add_detail(frame.data, shrunk, source, amount, weights=self._weights)
        kept = self._kept.of(frame.seconds, source, with_source(styled[None], source[None], self._request)[0])
        return replace(frame, data=kept, full=None, guide=None)


class Kept:
    """The source where `--keep` wants it, on pictures of one size.

    Args:
        paths: of the masks.
        size: width and height.
        origin: seconds of the film's first frame.
    """

    def __init__(self, paths: Sequence[Path], size: tuple[int, int], origin: Fraction) -> None:
        self._masks = MaskStack(paths, size, origin) if paths else None

    def of(self, seconds: Fraction, source: Frames, styled: Frames) -> Frames:
        """A styled frame (H, W, 3) with the source where it is kept."""
        if self._masks is None:
            return styled
        kept: Frames = mix(source[None], styled[None], self._masks.union(seconds))[0]
        return kept


def with_source(styled: Frames, source: Frames, request: StyleRequest) -> Frames:
    """Styled frames (N, H, W, 3) with the source where a single style's mask is black, and with its colours if wished."""
    if request.mask is not None and not request.mixes_two:
        styled = mix(styled, source, request.mask)
    if request.preserve_color not in ("luma", "local"):
        return styled
    return with_colour_of(source, styled, local=request.preserve_color == "local")
