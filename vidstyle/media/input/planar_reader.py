"""Decoded 4:2:0 frames as they are, in planes, and a smaller RGB copy of each for the network: at full size no RGB is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation
from numpy.typing import NDArray

from vidstyle.imaging.yuv import LUMA_WEIGHTS, YUV420, Plane, planes_to_rgb
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.picture import fitted_size
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.orientation import orient

_DEPTHS = {"yuv420p": 8, "yuvj420p": 8, "nv12": 8, "yuv420p10le": 10, "p010le": 10}
"""Bits of a sample of the pixel formats that hold such planes."""
_EXACT = Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclass(frozen=True)
class PlaneSizes:
    """What `reader.read_frames` makes of a film that is read in planes; both sizes are (width, height) as displayed."""

    full: tuple[int, int]
    """Of the planes."""
    small: tuple[int, int]
    """Of the RGB copy."""


def holds_planes(info: VideoInfo) -> bool:
    """Whether the film can be read in planes: SDR in 4:2:0 without transparency, 8 or 10 bits, a matrix that is known, and
    not cropped by its container (a crop may begin between two chroma samples)."""
    return (
        info.pix_fmt in _DEPTHS
        and not any(info.crop)
        and info.colour.matrix in LUMA_WEIGHTS
        and not (info.colour.hdr or info.colour.wide or info.has_alpha)
    )


def as_the_video(frame: av.VideoFrame, info: VideoInfo, report: ReadReport) -> av.VideoFrame:
    """The frame itself; one of another size than the film's scaled into it, its proportions kept, with black bars beside it."""
    stored = _as_stored((info.width, info.height), info)
    if (frame.width, frame.height) == stored:
        return frame
    inner = fitted_size(frame, info, report)
    name = "yuv420p" if _DEPTHS[info.pix_fmt] == 8 else "yuv420p10le"
    scaled = _reformatted(frame, info, inner, name, Interpolation.BICUBIC)
    if inner == stored:
        return scaled
    canvas = av.VideoFrame(*stored, name)
    depth = _DEPTHS[info.pix_fmt]
    black = 0 if info.colour.range == "full" else 16 << depth - 8
    x, y = ((stored[i] - inner[i]) // 4 * 2 for i in (0, 1))  # even, so that chroma moves by whole samples
    for i, (there, samples) in enumerate(zip(_planes(canvas, depth), _planes(scaled, depth), strict=True)):
        left, top = (x, y) if i == 0 else (x // 2, y // 2)
        there[:] = black if i == 0 else 128 << depth - 8
        there[top : top + samples.shape[0], left : left + samples.shape[1]] = samples
    return canvas


def full_planes(frame: av.VideoFrame, info: VideoInfo, size: tuple[int, int]) -> YUV420:
    """The frame's own samples, turned as the display matrix says; scaled (bicubic) only where it has another size.

    Args:
        size: width and height as displayed.
    """
    depth = _DEPTHS[info.pix_fmt]
    stored = _as_stored(size, info)
    as_they_are = ("yuv420p", "yuvj420p") if depth == 8 else ("yuv420p10le",)
    if (frame.width, frame.height) != stored or frame.format.name not in as_they_are:
        frame = _reformatted(frame, info, stored, as_they_are[0], Interpolation.BICUBIC)
    y, u, v = (_turned(plane, info) for plane in _planes(frame, depth))
    return YUV420(y, u, v, depth)


def small_copy(frame: av.VideoFrame, info: VideoInfo, size: tuple[int, int]) -> tuple[NDArray[np.uint8], Plane]:
    """The frame shrunk, turned, as RGB; and its luma. Every sample counts: weights are a triangle as wide as the ratio on each
    side. Where it has to be enlarged, bicubic.

    Args:
        size: width and height as displayed.

    Returns:
        (h, w, 3) uint8 RGB, and (h, w) luma in the range and depth of the film.
    """
    depth = _DEPTHS[info.pix_fmt]
    name = "yuv444p" if depth == 8 else "yuv444p10le"
    stored = _as_stored(size, info)
    larger = stored[0] > frame.width or stored[1] > frame.height
    shrunk = _reformatted(frame, info, stored, name, Interpolation.BICUBIC if larger else Interpolation.BILINEAR)
    y, u, v = (_turned(plane, info) for plane in _planes(shrunk, depth))
    full_range = info.colour.range == "full"
    return planes_to_rgb((y, u, v), matrix=info.colour.matrix, full_range=full_range, depth=depth), y


def _as_stored(size: tuple[int, int], info: VideoInfo) -> tuple[int, int]:
    return (size[1], size[0]) if info.rotation in (90, 270) else size


def _reformatted(
    frame: av.VideoFrame, info: VideoInfo, size: tuple[int, int], name: str, method: Interpolation
) -> av.VideoFrame:
    """At another size, in another format of the same matrix and range."""
    range_ = ColorRange.JPEG if info.colour.range == "full" else ColorRange.MPEG
    return frame.reformat(
        *size, name, src_color_range=range_, dst_color_range=range_, interpolation=method | _EXACT, threads=1
    )


def _planes(frame: av.VideoFrame, depth: int) -> tuple[Plane, Plane, Plane]:
    """Views of the frame's memory, which they keep alive."""
    kind = np.dtype(np.uint8 if depth == 8 else "<u2")
    found = [np.frombuffer(p, kind).reshape(p.height, -1)[:, : p.width] for p in frame.planes[:3]]  # type: ignore[call-overload]
    return found[0], found[1], found[2]


def _turned(plane: Plane, info: VideoInfo) -> Plane:
    if not info.rotation and not info.mirrored:
        return plane
    if info.mirrored:
        return np.ascontiguousarray(orient(plane, info.rotation, True))
    how = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}[info.rotation]
    return cast(Plane, cv2.rotate(plane, how))
