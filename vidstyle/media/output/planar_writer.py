"""Planes as a frame of the encoder."""

from __future__ import annotations

import av
import numpy as np

from vidstyle.imaging.yuv import YUV420, Plane

_DEPTHS = {"yuv420p": 8, "nv12": 8, "yuv420p10le": 10, "p010le": 10}
"""Bits of a sample of the pixel formats that take planes as they are."""


def takes_planes(pix_fmt: str) -> int | None:
    """Bits of a sample that an encoder of this pixel format takes 4:2:0 planes with; None where it wants something else."""
    return _DEPTHS.get(pix_fmt)


def planar_frame(planes: YUV420, pix_fmt: str, pad: tuple[int, int] = (0, 0)) -> av.VideoFrame:
    """A frame in `pix_fmt`, of the depth of `planes`.

    Args:
        pad: rows below and columns to the right that repeat the last one, 0 or 1 each, where the encoder wants even sides.
    """
    height, width = planes.y.shape[0] + pad[0], planes.y.shape[1] + pad[1]
    name = "yuv420p" if planes.depth == 8 else "yuv420p10le"
    frame = av.VideoFrame(width, height, name)
    kind = np.dtype(np.uint8 if planes.depth == 8 else "<u2")
    for target, samples in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        there = np.frombuffer(target, kind).reshape(target.height, -1)  # type: ignore[call-overload]
        _copy(samples, there[:, : target.width])
    return frame if pix_fmt == name else frame.reformat(format=pix_fmt)


def _copy(samples: Plane, there: Plane) -> None:
    """Fill `there`, which may be one row and one column larger."""
    height, width = samples.shape
    there[:height, :width] = samples
    there[:height, width:] = samples[:, -1:]
    there[height:] = there[height - 1 : height]
