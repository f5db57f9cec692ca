"""A decoded frame as the picture that is shown: RGB, cropped, in proportion, upright."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

from vidstyle.media.colour import from_sws_deep, to_rgb
from vidstyle.media.hdr import to_sdr
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.orientation import orient

_SAME = 0.02
"""Proportions that differ by less than this share are the same: sizes are whole numbers, often of 16 pixels."""


def picture(frame: av.VideoFrame, info: VideoInfo, report: ReadReport) -> NDArray[np.uint8]:
    """(info.height, info.width, 3 or 4) uint8. A frame of another size than the film's is scaled into it, its proportions kept,
    with black (where the film has alpha: transparent) bars beside it."""
    turned = info.rotation in (90, 270)
    width, height = (info.height, info.width) if turned else (info.width, info.height)
    top, bottom, left, right = info.crop
    if (frame.width, frame.height) == (width + left + right, height + top + bottom):
        whole = _rgb(frame, info, frame.width, frame.height)
        return orient(whole[top : top + height, left : left + width], info.rotation, info.mirrored)
    inner = fitted_size(frame, info, report)
    image = _rgb(frame, info, *inner)
    if inner != (width, height):
        canvas = np.zeros((height, width, image.shape[2]), np.uint8)
        y, x = (height - inner[1]) // 2, (width - inner[0]) // 2
        canvas[y : y + inner[1], x : x + inner[0]] = image
        image = canvas
    return orient(image, info.rotation, info.mirrored)


def fitted_size(frame: av.VideoFrame, info: VideoInfo, report: ReadReport) -> tuple[int, int]:
    """Width and height that a frame of another size than the film's is scaled to, before it is turned; said in the report."""
    width, height = (info.height, info.width) if info.rotation in (90, 270) else (info.width, info.height)
    inner = _inside(frame.width, frame.height, width, height)
    bars = ", with black bars where it does not fill it" if inner != (width, height) else ""
    report.warn(
        f"{info.path}: the size of its frames changes; all are scaled to {info.width}x{info.height}, in proportion{bars}."
    )
    return inner


def _inside(width: int, height: int, to_width: int, to_height: int) -> tuple[int, int]:
    """The largest size with the proportions of width x height that lies in to_width x to_height."""
    ratio = (width * to_height) / (height * to_width)
    if abs(ratio - 1) < _SAME:
        return to_width, to_height
    if ratio > 1:
        return to_width, max(1, round(to_height / ratio))
    return max(1, round(to_width * ratio)), to_height


def _rgb(frame: av.VideoFrame, info: VideoInfo, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3 or 4) uint8, as the frame lies."""
    pix_fmt = "rgba" if info.has_alpha else "rgb24"
    if not (info.colour.hdr or info.colour.wide):
        return np.asarray(
            to_rgb(frame, info.colour, width=width, height=height, pix_fmt=pix_fmt).to_ndarray(), np.uint8
        )
    deep = to_rgb(frame, info.colour, width=width, height=height, pix_fmt="rgb48le").to_ndarray()
    light = from_sws_deep(np.asarray(deep, dtype=np.uint16))
    image = to_sdr(light, transfer=info.colour.transfer, wide=info.colour.wide)
    if info.has_alpha:
        opacity = to_rgb(frame, info.colour, width=width, height=height, pix_fmt="rgba").to_ndarray()[..., 3:]
        image = np.concatenate([image, opacity.astype(np.uint8)], axis=-1)
    return image
