"""Decoded frames of one video stream in order, each with the time it is shown."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any

import av
import av.container
import av.error
from av.codec.context import CodecContext

from vidstyle.media.container import open_source, packets
from vidstyle.media.input import animated_webp
from vidstyle.media.input.concealment import LostFrames, ReadReport
from vidstyle.media.input.hwaccel import Decoder, accelerator
from vidstyle.media.input.image_sequence import read_image_sequence
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.timestamps import PtsRepair, Timeline, rescale

# Demuxers whose index or timestamps find a keyframe reliably; all others are decoded from the beginning.
_SEEKABLE = frozenset({"mov", "mp4", "matroska", "webm", "avi", "mpegts"})
# How far before the wanted time to look for a keyframe, in seconds: each time further, then from the beginning.
_MARGINS = (0.0, 2.0, 10.0, 60.0)
# A demuxer that fails this often in a row has met the end of what can be read.
_MAX_READ_ERRORS = 50

Timed = tuple[int, int, av.VideoFrame]
"""pts and duration in ticks (duration 0 where unknown) and the decoded frame."""


def decode(
    info: VideoInfo, *, start: int | None, threads: int, decoder: Decoder = "software", report: ReadReport
) -> Generator[Timed]:
    """Frames of `info` from about `start` on (always from at or before it), times strictly increasing.

    Lost frames are replaced by the frame before them, at their own time. What came before a seek's keyframe in
    presentation order (leading frames of an open GOP) is left out, so that any frame given is the same, pixel for
    pixel, as in a decode from the beginning.
    """
    if info.pictures:
        yield from read_image_sequence(info, start, report)
        return
    if info.codec == animated_webp.CODEC:
        yield from animated_webp.read_animated_webp(info, report)
        return
    margins = _MARGINS if start is not None and seekable(info) else ()
    for margin in margins:
        assert start is not None
        target = start - round(margin / info.time_base)
        if info.start_pts is None or target <= info.start_pts:
            break  # no keyframe lies before the first frame: the whole film is read from its beginning
        trial = ReadReport()
        frames = _frames(info, seek=target, threads=threads, decoder=decoder, report=trial)
        # VP8 and VP9 show frames in decoding order (and libvpx does not say which are keyframes).
        first = next(frames, None) if info.codec in ("vp8", "vp9") else _first_key(frames)
        # Errors before the wanted frame mean damage, where a fresh start gives what a full read would give.
        if first is not None and first[0] <= start and not trial.decode_errors and not trial.repaired_pts:
            yield from tracked([first], frames, trial, report)
            return
        frames.close()
    yield from _frames(info, seek=None, threads=threads, decoder=decoder, report=report)


def seekable(info: VideoInfo) -> bool:
    """Whether reading can begin in the middle of a film that lies as one file."""
    # A film of several clocks has no order of times to search in.
    # The palette of old AVI files comes with their first packet alone.
    searchable = not info.timeline.borders and info.pix_fmt != "pal8"
    return searchable and not _SEEKABLE.isdisjoint(info.container.split(","))


def _first_key(frames: Iterator[Timed]) -> Timed | None:
    """Skip to the first keyframe; None where none comes soon."""
    for _, timed in zip(range(600), frames, strict=False):
        if timed[2].key_frame:
            return timed
    return None


def tracked(first: Iterable[Timed], frames: Iterator[Timed], trial: ReadReport, report: ReadReport) -> Generator[Timed]:
    """What a trial that succeeded has read and the rest of it, its counts moved to `report` at the end."""
    try:
        yield from first
        yield from frames
    finally:
        report.add(trial)  # its frames are counted by the reader, not here


def _frames(
    info: VideoInfo, *, seek: int | None, threads: int, decoder: Decoder, report: ReadReport
) -> Generator[Timed, None, None]:
    """Frames from the keyframe packet that a seek lands on, or from the beginning."""
    with open_source(info.path, accelerator(decoder)) as container:
        stream = container.streams[info.stream_index]
        assert isinstance(stream, av.VideoStream)
        context = _decoder(info, stream, threads if decoder == "software" else 1)  # a GPU decodes beside us anyway
        if seek is not None:
            try:
                raw = seek - rescale(1, info.timeline.shifts[0], info.time_base)
                container.seek(raw, stream=stream, backward=True)
            except av.error.FFmpegError:
                return
        lost = LostFrames()
        repair = PtsRepair(info.time_base, info.average_rate)
        last: av.VideoFrame | None = None
        ready = seek is None
        for packet in _packets(container, stream, info.timeline, report):
            ready = ready or packet.is_keyframe
            if not ready:
                continue
            lost.sent(packet.pts, discarded=packet.is_discard or packet.size == 0)
            try:
                decoded = context.decode(packet if packet.size else None)
            except av.error.FFmpegError:
                report.decode_errors += 1
                lost.failed()
                continue
            for frame in decoded:
                assert isinstance(frame, av.VideoFrame)
                if last is not None:
                    for pts in lost.before(frame.pts):
                        report.concealed += 1
                        yield repair.next(pts), 0, last
                else:
                    lost.before(frame.pts)  # what failed before the first good frame has nothing to stand in for it
                before = repair.repaired
                pts = repair.next(frame.pts, frame.duration)
                report.repaired_pts += repair.repaired - before
                yield pts, frame.duration, frame
                last = frame
        if last is None:
            return
        if lost.waiting and threads != 1 and decoder == "software" and seekable(info):
            # With several threads, an error among the last frames swallows those after it: once more with one.
            done = repair.last
            again = decode(info, start=done, threads=1, report=report)
            yield from (t for t in again if done is None or t[0] > done)
            return
        for pts in lost.before(None):
            report.concealed += 1
            yield repair.next(pts), 0, last


def _decoder(info: VideoInfo, stream: av.VideoStream, threads: int) -> av.VideoCodecContext:
    """The stream's decoder, or libvpx where only that one gives the alpha plane of VP8/VP9."""
    context: CodecContext = stream.codec_context
    if info.has_alpha and info.codec in ("vp8", "vp9"):
        context = CodecContext.create("libvpx-vp9" if info.codec == "vp9" else "libvpx", "r")
    context.thread_type = "AUTO"
    context.thread_count = threads
    assert isinstance(context, av.VideoCodecContext)
    return context


def _packets(
    container: av.container.InputContainer, stream: av.VideoStream, timeline: Timeline, report: ReadReport
) -> Iterator[av.Packet[Any]]:
    """Packets of the stream, going on after read errors, and one empty packet at the end that flushes the decoder."""
    failures = 0
    while True:
        try:
            for packet in packets(container, stream, timeline):
                failures = 0
                yield packet
            break
        except av.error.FFmpegError:
            failures += 1
            report.decode_errors += 1
            if failures > _MAX_READ_ERRORS:
                report.ended_early = True
                break
    # The decoder may have an error to tell before its last frames: ask again until it has nothing left.
    yield av.Packet()
