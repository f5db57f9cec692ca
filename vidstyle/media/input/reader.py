"""Display-oriented RGB frames, streamed: nothing is ever collected for a whole film."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.imaging.frame import Frame
from vidstyle.media.input.concealment import ReadReport, judge
from vidstyle.media.input.decoder import Timed, decode, tracked
from vidstyle.media.input.deinterlace import deinterlace
from vidstyle.media.input.hwaccel import Decoder
from vidstyle.media.input.picture import picture
from vidstyle.media.input.planar_reader import PlaneSizes, as_the_video, full_planes, small_copy
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.timestamps import frame_ticks

# Codecs that know no fields.
_NEVER_INTERLACED = frozenset({"vp8", "vp9", "av1", "gif", "png", "apng", "webp", "animated webp"})


MAX_ERRORS = 0.10
"""Share of a film's frames that may be damaged, unless somebody says otherwise."""


def read_frames(
    info: VideoInfo,
    *,
    start: int | None = None,
    stop: int | None = None,
    shown: bool = False,
    threads: int | None = None,
    decoder: Decoder = "software",
    planes: PlaneSizes | None = None,
    report: ReadReport | None = None,
    max_errors: float = MAX_ERRORS,
) -> Iterator[Frame]:
    """Frames of `info` shown at or after `start` and before `stop` (ticks of `info.time_base`; None: no bound).

    Args:
        shown: begin with the frame that is on the screen at `start`, also where it appeared before.
        threads: decoding threads; None lets FFmpeg choose.
        decoder: what decodes; "cuda" only where `hardware.settled` says so.
        planes: read in planes, with a small RGB copy as `data` (only where `planar_reader.holds_planes`); None: in RGB.
        report: counts of damage and repairs, updated while reading.
        max_errors: share of the film's frames that may be damaged (counted in `report`, over all calls that share it).

    Yields:
        Frames of (info.height, info.width, 3), with alpha where `info.has_alpha`. They are
        those, pixel for pixel, of a read without bounds. A frame's duration reaches to the next frame's time. HDR and
        wide gamut are brought to SDR BT.709, interlaced frames are made whole.

    Raises:
        InputError: nothing could be decoded (only when read without bounds), or too much was damaged.
    """
    report = report if report is not None else ReadReport()
    given, captions = 0, False
    for pts, duration, frame in _lasting(_progressive(info, start, threads or 0, decoder, report), info, stop):
        judge(info, report, max_errors)
        if start is not None and (pts + max(1, duration) <= start if shown else pts < start):
            continue
        if not captions and any(data.type.name == "A53_CC" for data in cast("Iterator[Any]", iter(frame.side_data))):
            captions = True
            report.warn(f"{info.path}: has closed captions in its pictures (CEA-608 or 708); they are left out.")
        given += 1
        report.frames += 1
        if planes is not None:
            fitted = as_the_video(frame, info, report)
            small, guide = small_copy(fitted, info, planes.small)
            full = full_planes(fitted, info, planes.full)
            yield Frame(small, pts, duration, info.time_base, full=full, guide=guide)
            continue
        image = picture(frame, info, report)
        alpha = np.ascontiguousarray(image[..., 3]) if info.has_alpha else None
        yield Frame(np.ascontiguousarray(image[..., :3]), pts, duration, info.time_base, alpha)
    _tell_repairs(info, report)
    if given == 0 and start is None and stop is None:
        raise InputError(f"{info.path}: no frame of its video can be decoded (cut off or damaged); copy it again.")
    judge(info, report, max_errors, at_end=start is None and stop is None)


def _tell_repairs(info: VideoInfo, report: ReadReport) -> None:
    if report.repaired_pts:
        report.warn(
            f"{info.path}: times of {report.repaired_pts} frames were missing or out of order and were repaired."
        )
    if report.ended_early:
        report.warn(f"{info.path}: the file breaks off; everything before that was read.")
    if (report.concealed or report.decode_errors) and not info.pictures:  # which are named one by one
        report.warn(
            f"{info.path}: {report.decode_errors} packets were damaged; {report.concealed} lost frames were replaced "
            "by the frame before."
        )


def _progressive(
    info: VideoInfo, start: int | None, threads: int, decoder: Decoder, report: ReadReport
) -> Iterator[Timed]:
    """Decoded frames, interlaced ones made whole."""

    def tell() -> None:
        if not info.interlaced:
            report.warn(
                f"{info.path}: is interlaced in parts; the two fields of a frame are merged into one full picture."
            )

    if info.codec in _NEVER_INTERLACED or info.pictures:
        return decode(info, start=start, threads=threads, decoder=decoder, report=report)
    return deinterlace(_with_neighbours(info, start, threads, decoder, report), info.time_base, tell)


def _with_neighbours(
    info: VideoInfo, start: int | None, threads: int, decoder: Decoder, report: ReadReport
) -> Iterator[Timed]:
    """Frames from about `start` on, or from two before it where an interlaced one is first: the filter, which looks one frame
    back, then sees what it sees in a full read."""
    if start is not None:
        trial = ReadReport()
        frames = decode(info, start=start, threads=threads, decoder=decoder, report=trial)
        head: deque[Timed] = deque(maxlen=3)
        for timed in frames:
            head.append(timed)
            if timed[0] >= start:
                break
        if len(head) == 3 or not any(frame.interlaced_frame for _, _, frame in head):
            yield from tracked(head, frames, trial, report)
            return
        frames.close()
        start -= 2 * frame_ticks(info.average_rate, info.time_base)
    yield from decode(info, start=start, threads=threads, decoder=decoder, report=report)


def _lasting(frames: Iterator[Timed], info: VideoInfo, stop: int | None) -> Iterator[Timed]:
    """Frames before `stop`, each lasting until the next one; the last one as long as the file or its rate says."""
    step = frame_ticks(info.average_rate, info.time_base) if info.average_rate else 0
    held: Timed | None = None
    for timed in frames:
        if held is not None:
            yield held[0], timed[0] - held[0], held[2]
        if stop is not None and timed[0] >= stop:
            return
        held = timed
    if held is not None:
        yield held[0], held[1] or step, held[2]
