"""What a video file holds, known from its header and its first decoded frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
import av.container
import av.error
import av.stream
from av.stream import Disposition

from vidstyle.core.errors import InputError
from vidstyle.media.colour import ColourTags, resolve_tags
from vidstyle.media.container import open_source, packets
from vidstyle.media.input.animated_webp import is_animated_webp, probe_animated_webp
from vidstyle.media.input.stream_notes import StreamNotes, describe_stream, stream_notes
from vidstyle.media.input.timeline import has_own_clock, own_start, read_timeline
from vidstyle.media.input.video_info import StreamInfo, VideoInfo
from vidstyle.media.orientation import parse_display_matrix
from vidstyle.media.spherical import SphericalMarks
from vidstyle.media.timestamps import Timeline, rescale

# Where no frame came out of this many packets of video, none will: a file cut off, encrypted or of an unknown kind.
_MAX_PACKETS = 600


def probe(path: Path) -> VideoInfo:
    """Describe the video of `path`.

    Raises InputError (one sentence) for a file that is missing, empty, no video, encrypted, or holds no frame that
    can be decoded.
    """
    path = Path(path)
    if path.is_file() and is_animated_webp(path):
        return probe_animated_webp(path)
    with open_source(path) as container:
        notes = stream_notes(container)
        streams = tuple(describe_stream(s, notes.get(s.index)) for s in container.streams)
        stream, warnings = _choose(path, container)
        frame = _first_frame(path, container, stream)
        info = _info(path, container, stream, frame, streams, warnings)
        if has_own_clock(container):
            return _on_timeline(info, own_start(container))
    with open_source(path) as container:
        return _on_timeline(info, read_timeline(container, info.stream_index))


def _on_timeline(info: VideoInfo, timeline: Timeline) -> VideoInfo:
    """The same film with its times in one clock."""
    ticks = rescale(1, timeline.shifts[0], info.time_base)
    start = None if info.start_pts is None else info.start_pts + ticks
    end, seconds, warnings = info.end_pts, info.duration, info.warnings
    if timeline.end is not None:
        end = rescale(1, timeline.end, info.time_base)
        seconds = float((end - (start or 0)) * info.time_base)
    elif end is not None:
        end += ticks
    if timeline.borders:
        parts = len(timeline.shifts)
        warnings += (
            f"{info.path}: is made of {parts} recordings, each with its own clock; one is put after the other.",
        )
    frames = info.frames or timeline.frames
    return replace(
        info, start_pts=start, end_pts=end, duration=seconds, frames=frames, timeline=timeline, warnings=warnings
    )


def _choose(path: Path, container: av.container.InputContainer) -> tuple[av.VideoStream, list[str]]:
    hidden = Disposition.attached_pic | Disposition.timed_thumbnails
    videos = [s for s in container.streams.video if not s.disposition & hidden]
    if not videos:
        what = " but has sound" if container.streams.audio else ""
        raise InputError(f"{path}: holds no video{what}; give a file with a video stream.")
    chosen = next((s for s in videos if s.disposition & Disposition.default), videos[0])
    warnings = []
    if len(videos) > 1:
        others = ", ".join(f"#{s.index}" for s in videos if s is not chosen)
        warnings.append(f"{path}: has {len(videos)} video streams; #{chosen.index} is used, {others} left out.")
    if chosen.codec_context is None:
        raise InputError(f"{path}: its video is of a kind that cannot be decoded; convert it to H.264 first.")
    return chosen, warnings


def _first_frame(path: Path, container: av.container.InputContainer, stream: av.VideoStream) -> av.VideoFrame:
    """First frame that decodes, or InputError."""
    encrypted = False
    with suppress(av.error.FFmpegError):  # the file breaks off
        for packet in islice(packets(container, stream), _MAX_PACKETS):
            encrypted |= packet.has_sidedata("encryption_info") or packet.has_sidedata("encryption_init_info")
            with suppress(av.error.FFmpegError):
                for frame in stream.decode(packet):
                    return frame
    with suppress(av.error.FFmpegError):
        for frame in stream.decode(None):
            return frame
    if encrypted or stream.codec_context.codec_tag == "encv":
        raise InputError(f"{path}: its video is encrypted and cannot be decoded; give an unprotected copy.")
    raise InputError(f"{path}: no frame of its video can be decoded (cut off or damaged); copy or download it again.")


def _info(
    path: Path,
    container: av.container.InputContainer,
    stream: av.VideoStream,
    frame: av.VideoFrame,
    streams: tuple[StreamInfo, ...],
    warnings: list[str],
) -> VideoInfo:
    matrix = _side_data(frame, "DISPLAYMATRIX")
    rotation, mirrored = parse_display_matrix(matrix) if matrix is not None else (0, False)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    notes = stream_notes(container).get(stream.index, StreamNotes())
    crop = _crop(notes, frame)
    width, height = frame.width - crop[2] - crop[3], frame.height - crop[0] - crop[1]
    if any(crop):
        warnings.append(f"{path}: its container crops the picture to {width}x{height}; what lies outside is left out.")
    if rotation in (90, 270):
        width, height, aspect = height, width, 1 / aspect
    time_base = stream.time_base or Fraction(1, 1000)
    seconds = float(stream.duration * time_base) if stream.duration else None
    if seconds is None and container.duration:
        seconds = container.duration / 1_000_000
    pix_fmt = frame.format.name
    colour = resolve_tags(
        frame.colorspace,
        frame.color_range,
        frame.color_primaries,
        frame.color_trc,
        pix_fmt=pix_fmt,
        width=frame.width,
        height=frame.height,
    )
    warnings = [*warnings, *_caveats(path, frame, notes, colour)]
    return VideoInfo(
        path=path,
        container=container.format.name,
        width=width,
        height=height,
        time_base=time_base,
        average_rate=stream.average_rate or stream.guessed_rate or None,
        frames=stream.frames or None,
        duration=seconds,
        start_pts=frame.pts if frame.pts is not None else stream.start_time,
        pix_fmt=pix_fmt,
        bit_depth=max(c.bits for c in frame.format.components),
        has_alpha=stream.metadata.get("alpha_mode") == "1" or _has_alpha(frame),
        rotation=rotation,
        sample_aspect_ratio=aspect,
        colour=colour,
        stream_index=stream.index,
        streams=streams,
        codec=stream.codec_context.codec.canonical_name,
        end_pts=stream.start_time + stream.duration if stream.start_time is not None and stream.duration else None,
        mirrored=mirrored,
        crop=crop,
        spherical=SphericalMarks.parse(_side_data(frame, "SPHERICAL"), _side_data(frame, "STEREO3D")),
        interlaced=frame.interlaced_frame,
        warnings=tuple(warnings),
    )


def _caveats(path: Path, frame: av.VideoFrame, notes: StreamNotes, colour: ColourTags) -> Iterator[str]:
    """What is done to a film's pictures that its maker did not mean, one sentence each."""
    if "profile: 5," in (notes.about("DOVI configuration record") or ""):
        yield (
            f"{path}: is Dolby Vision of profile 5, which only its own displays show in the right colours; "
            "here they will be wrong. Convert it to HDR10 or SDR first."
        )
    if colour.hdr:
        yield f"{path}: is HDR ({colour.transfer.upper()}); its light is mapped to SDR."
    if frame.interlaced_frame:
        yield f"{path}: is interlaced; the two fields of each frame are merged into one full picture."


def _side_data(frame: av.VideoFrame, kind: str) -> bytes | None:
    """The side data of that kind of a frame; None where it has none."""
    return next((bytes(d) for d in cast("Iterator[Any]", iter(frame.side_data)) if d.type.name == kind), None)


def _has_alpha(frame: av.VideoFrame) -> bool:
    """Whether the format has an alpha channel; of a palette (GIFs are decoded to BGRA), whether the first frame uses it."""
    if frame.format.name == "bgra":
        return bool((frame.to_ndarray()[..., 3] < 255).any())
    if frame.format.name == "pal8":
        opacity = frame.to_ndarray(format="rgba")[..., 3]
        return bool((opacity < 255).any() and opacity.any())  # all zero: nobody has set it
    return any(c.is_alpha for c in frame.format.components)


def _crop(notes: StreamNotes, frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """Top, bottom, left and right that are cut off; nothing where too little would be left."""
    text = notes.about("Frame Cropping")
    left, right, top, bottom = (int(n) for n in text.split("/")) if text else (0, 0, 0, 0)
    if top + bottom >= frame.height or left + right >= frame.width:
        return 0, 0, 0, 0
    return top, bottom, left, right
