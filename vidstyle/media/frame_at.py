"""One frame of a video."""

from __future__ import annotations

from fractions import Fraction

from vidstyle.core.errors import InputError
from vidstyle.imaging.frame import Frame
from vidstyle.media.input.reader import read_frames
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.timestamps import rescale


def frame_at(info: VideoInfo, seconds: float | Fraction) -> Frame:
    """The frame that is on the screen `seconds` after the video's first one; the first one where nothing is there any more.

    Raises:
        InputError: nothing can be decoded there.
    """
    first = info.start_pts or 0
    wanted = first + rescale(1, Fraction(max(0, seconds)), info.time_base)
    for begin, shown in ((wanted, True), (first, False)):
        frame = next(read_frames(info, start=begin, shown=shown, threads=1), None)
        if frame is not None:
            return frame
    raise InputError("no frame of the video can be read there; choose another moment.")
