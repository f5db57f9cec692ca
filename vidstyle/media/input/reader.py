"""Display-oriented RGB frames, streamed: nothing is ever collected for a whole film."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.imaging.frame import Frame
from vidstyle.media.colour import from_sws_deep, to_rgb
from vidstyle.media.hdr import to_sdr
from vidstyle.media.input.concealment import ReadReport, judge
from vidstyle.media.input.decoder import Timed, decode
from vidstyle.media.input.deinterlace import deinterlace
from vidstyle.media.input.hwaccel import Decoder
from vidstyle.media.input.probe import VideoInfo
from vidstyle.media.orientation import orient
from vidstyle.media.timestamps import frame_ticks


def read_frames(
    info: VideoInfo,
    *,
    start: int | None = None,
    stop: int | None = None,
    shown: bool = False,
    threads: int | None = None,
    decoder: Decoder = "software",
    report: ReadReport | None = None,
    max_errors: float = 0.10,
) -> Iterator[Frame]:
    """Frames of `info` shown at or after `start` and before `stop` (ticks of `info.time_base`; None: no bound).

    Args:
        shown: begin with the frame that is on the screen at `start`, also where it appeared before.
        threads: decoding threads; None lets FFmpeg choose.
        decoder: what decodes; "cuda" only where `hardware.settled` says so.
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
    given = 0
    for pts, duration, frame in _lasting(_progressive(info, start, threads or 0, decoder, report), info, stop):
        judge(info, report, max_errors)
        if start is not None and (pts + max(1, duration) <= start if shown else pts < start):
            continue
        image = _rgb(frame, info, report)
        given += 1
        report.frames += 1
        alpha = np.ascontiguousarray(image[..., 3]) if info.has_alpha else None
        yield Frame(np.ascontiguousarray(image[..., :3]), pts, duration, info.time_base, alpha)
    if report.repaired_pts:
        report.warn(
            f"{info.path}: times of {report.repaired_pts} frames were missing or out of order and were repaired."
        )
    if report.ended_early:
        report.warn(f"{info.path}: the file breaks off; everything before that was read.")
    if given == 0 and start is None and stop is None:
        raise InputError(f"{info.path}: no frame of its video can be decoded (cut off or damaged); copy it again.")
    if report.concealed or report.decode_errors:
        report.warn(
            f"{info.path}: {report.decode_errors} packets were damaged; {report.concealed} lost frames were replaced "
            "by the frame before."
        )
    judge(info, report, max_errors, at_end=start is None and stop is None)


def _progressive(
    info: VideoInfo, start: int | None, threads: int, decoder: Decoder, report: ReadReport
) -> Iterator[Timed]:
    """Decoded frames, deinterlaced where the film is interlaced."""
    if not info.interlaced:
        return decode(info, start=start, threads=threads, decoder=decoder, report=report)
    # The filter looks one frame back: with two more before `start`, it sees what it sees in a full read.
    early = None if start is None else start - 2 * frame_ticks(info.average_rate, info.time_base)
    return deinterlace(decode(info, start=early, threads=threads, decoder=decoder, report=report), info.time_base)


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


def _rgb(frame: av.VideoFrame, info: VideoInfo, report: ReadReport) -> NDArray[np.uint8]:
    """(H, W, 3 or 4) uint8, turned as the display matrix says."""
    turned = info.rotation in (90, 270)
    width, height = (info.height, info.width) if turned else (info.width, info.height)
    if (frame.width, frame.height) != (width, height):
        report.warn(f"{info.path}: the size of its frames changes; all are scaled to {info.width}x{info.height}.")
    if info.colour.hdr or info.colour.wide:
        deep = to_rgb(frame, info.colour, width=width, height=height, pix_fmt="rgb48le").to_ndarray()
        image = to_sdr(
            from_sws_deep(np.asarray(deep, dtype=np.uint16)), transfer=info.colour.transfer, wide=info.colour.wide
        )
        if info.has_alpha:
            opacity = to_rgb(frame, info.colour, width=width, height=height, pix_fmt="rgba").to_ndarray()[..., 3:]
            image = np.concatenate([image, opacity.astype(np.uint8)], axis=-1)
    else:
        pix_fmt = "rgba" if info.has_alpha else "rgb24"
        rgb = to_rgb(frame, info.colour, width=width, height=height, pix_fmt=pix_fmt).to_ndarray()
        image = np.asarray(rgb, dtype=np.uint8)
    return orient(image, info.rotation, info.mirrored)
