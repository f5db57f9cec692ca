"""The detail stage: paintings carried to full size, where mask and colour of the source come in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidstyle.imaging import detail, detail_yuv
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.transforms import with_colour_of
from vidstyle.imaging.yuv import LUMA_WEIGHTS, YUV420
from vidstyle.media.output.planar_writer import takes_planes
from vidstyle.pipeline.plan.plan import VideoPlan
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
        self._amount = video.painting.detail
        self._full_range = video.info.colour.range == "full"
        self._weights = LUMA_WEIGHTS.get(video.info.colour.matrix, LUMA_WEIGHTS["bt709"])
        self._depth = takes_planes(video.settings.resolved_pix_fmt()) or 8

    def __call__(self, frame: Frame) -> Frame:
        source, guide = frame.full, frame.guide
        if source is None or guide is None:
            return frame
        if isinstance(source, YUV420):
            planes = detail_yuv.add_detail(
                frame.data, guide, source, self._amount, full_range=self._full_range, depth=self._depth
            )
            return replace(frame, full=planes, guide=None)
        shrunk = np.asarray(guide, np.uint8)
        styled = detail.add_detail(frame.data, shrunk, source, self._amount, weights=self._weights)
        return replace(frame, data=with_source(styled[None], source[None], self._request)[0], full=None, guide=None)


def with_source(styled: Frames, source: Frames, request: StyleRequest) -> Frames:
    """Styled frames (N, H, W, 3) with the source where a single style's mask is black, and with its colours if wished."""
    if request.mask is not None and not request.mixes_two:
        styled = mix(styled, source, request.mask)
    if request.preserve_color not in ("luma", "local"):
        return styled
    return with_colour_of(source, styled, local=request.preserve_color == "local")
