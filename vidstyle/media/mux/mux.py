"""The finished film: the encoded segments joined, with everything else the source held."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error

from vidstyle.core.errors import InputError
from vidstyle.core.files import DISK_ERRORS, atomic_output, write_failure
from vidstyle.core.provenance import MARK, with_statement
from vidstyle.media.container import open_source
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.made_here import mark_gif
from vidstyle.media.mux.chapters import cut_chapters
from vidstyle.media.mux.concat import Join
from vidstyle.media.mux.gif import write_gif
from vidstyle.media.mux.image_files import write_image_sequence
from vidstyle.media.mux.marks import hide_apple_marks, marked
from vidstyle.media.mux.nowhere import Nowhere
from vidstyle.media.mux.stream_copy import StreamCopy, Trim
from vidstyle.media.mux.tags import clean_tags, needs_keys
from vidstyle.media.mux.timecode import later
from vidstyle.media.output.containers import container_format
from vidstyle.media.output.spec import OutputSpec

_MAX_TIMESCALE = 2**31 - 1


def mux(
    parts: Sequence[Path],
    info: VideoInfo,
    output: Path,
    spec: OutputSpec | None = None,
    *,
    scratch: Path | None = None,
) -> list[str]:
    """Join the video of `parts` in order, add what `info.path` holds besides its video, and write `output`.

    Sound, subtitles, data, cover art and attachments are copied packet by packet where the container of `output` can
    hold them; chapters, tags, languages and dispositions are kept. Times stay those of the source.

    Args:
        parts: segment files of VideoWriter, times in the clock of `spec`.
        info: the source.
        spec: the output's clock, rate and cut; None: those of the source.
        scratch: folder for what is unfinished, on the same disk; None: beside the output.

    Returns:
        Warnings, one sentence for each stream that could not be kept as it was.

    Raises:
        InputError: a part or the place of the output fails; nothing is left behind, and an existing file under
            `output` is untouched then.
        UsageError: a suffix that we do not write.
    """
    output = Path(output)
    format_ = container_format(output)
    spec = spec or OutputSpec.like(info)
    start, stop = (None if tick is None else tick * spec.time_base for tick in (spec.start, spec.stop))
    trim = Trim(start=start, stop=stop)
    if format_ == "image2":
        return write_image_sequence(parts, info, output, start=spec.start, stop=spec.stop, scratch=scratch)
    with atomic_output(output, scratch=scratch) as temporary:
        try:
            if format_ == "gif":
                warnings = write_gif(parts, info, temporary, spec, shift=trim.shift(spec.time_base))
                mark_gif(temporary)
                return warnings
            return _write(_Job(tuple(parts), info, output, format_, spec, trim), temporary)
        except av.error.FFmpegError as error:
            failure = write_failure(error, output) if isinstance(error, OSError) else f"could not be written ({error})"
            raise InputError(f"{output}: {failure}.") from error


@dataclass(frozen=True)
class _Job:
    """What is to be written."""

    parts: tuple[Path, ...]
    info: VideoInfo
    output: Path
    format: str
    spec: OutputSpec
    trim: Trim


def _write(job: _Job, temporary: Path) -> list[str]:
    """Write with every stream taken along in the best way that the muxer does not refuse."""
    spec = job.spec
    end = spec.end if spec.stop is None else None
    join = Join(job.parts, spec.time_base, rate=spec.rate, shift=job.trim.shift(spec.time_base), end=end)
    refused: dict[int, int] = {}
    while True:
        taken: list[int] = []
        try:
            return _attempt(job, temporary, join.packets(), refused, taken=taken)
        except (av.error.FFmpegError, ValueError) as error:
            # A muxer refuses some streams for reasons that its tables do not tell; a bad disk is another matter.
            if not taken or getattr(error, "errno", None) in DISK_ERRORS:
                raise
        # Where none is refused alone, they do not go together: all then take their next way.
        for index in _refused(job, refused, taken) or taken:
            refused[index] = refused.get(index, 0) + 1


def _refused(job: _Job, refused: Mapping[int, int], taken: Sequence[int]) -> list[int]:
    """Which of the streams `taken` the muxer refuses when they come alone: by their header, else by their packets."""
    for whole in (False, True):
        found = []
        for index in taken:
            try:
                _attempt(job, Nowhere(), iter(()), refused, taken=[], only=index, whole=whole)
            except (av.error.FFmpegError, ValueError):
                found.append(index)
        if found:
            return found
    return []


def _attempt(
    job: _Job,
    file: Path | Nowhere,
    video_packets: Iterator[av.Packet[Any]],
    refused: Mapping[int, int],
    *,
    taken: list[int],
    only: int | None = None,
    whole: bool = True,
) -> list[str]:
    """Write `file`: the packets `video_packets` of the picture, and the other streams or the stream `only`. Returns warnings.

    Args:
        refused: how many ways of each stream have failed.
        taken: is told which streams were taken along.
        whole: packets too, not the header alone.
    """
    info = job.info
    with ExitStack() as stack:
        source = None if not info.demuxed else stack.enter_context(open_source(info.path, whole=True))
        first = stack.enter_context(open_source(job.parts[0]))
        tags = clean_tags(source.metadata) if source is not None else {}
        container = stack.enter_context(_open_output(file, job, keys=needs_keys(tags, job.format)))
        comment = next((name for name in tags if name.lower() == "comment"), "comment")
        container.metadata.update(tags | {comment: with_statement(tags.get(comment, ""))})
        if source is not None:
            container.set_chapters(cut_chapters(source, job.trim, info.timeline.shifts[0]))
        warnings: list[str] = []
        template = stack.enter_context(marked(first, info.spherical, job.output, warnings))
        video = _add_video(container, first, template, source, job)
        others: Iterator[av.Packet[Any]] = iter(())
        copy: StreamCopy | None = None
        if source is not None:
            taken += [s.index for s in source.streams if s.index != info.stream_index]
            copy = StreamCopy(source, container, info, job.output, trim=job.trim, refused=refused, only=only)
            taken[:], others = copy.taken, copy.packets()
        container.start_encoding()
        if whole:
            for packet in heapq.merge(_timed(video_packets, video), _timed(others, None), key=lambda t: t[0]):
                container.mux_one(packet[1])
        container.close()
        if job.format == "mp4" and info.spherical is not None and isinstance(file, Path):
            hide_apple_marks(file)
        return warnings + (copy.warnings if copy is not None else [])


def _open_output(file: Path | Nowhere, job: _Job, *, keys: bool) -> av.container.OutputContainer:
    # Times must come out as they went in: the start offset of a track is written in the movie's time scale.
    # NUT holds no times before zero (sound that begins early has them): there all streams are moved together.
    early = "make_non_negative" if job.format == "nut" else "disabled"
    options = {"fflags": "+bitexact", "avoid_negative_ts": early}
    if job.info.spherical is not None:
        options["strict"] = "unofficial"  # FFmpeg's name for the marks of spherical films in mp4
    if job.format in ("mp4", "mov"):
        scale = job.spec.time_base.denominator
        for rate in (48000, 44100):  # exact for sound as well, where the number stays small enough
            if math.lcm(scale, rate) <= _MAX_TIMESCALE:
                scale = math.lcm(scale, rate)
        options["movie_timescale"] = str(min(scale, _MAX_TIMESCALE))
        flags = ("+faststart" if isinstance(file, Path) else "") + ("+use_metadata_tags" if keys else "")
        options |= {"movflags": flags} if flags else {}
    target = str(file) if isinstance(file, Path) else file
    return av.open(target, "w", format=job.format, container_options=options, metadata_errors="replace")


def _add_video(
    container: av.container.OutputContainer,
    part: av.container.InputContainer,
    template: av.VideoStream,
    source: av.container.InputContainer | None,
    job: _Job,
) -> av.VideoStream:
    info, spec = job.info, job.spec
    stream = container.add_stream_from_template(template, opaque=True)
    stream.codec_context.extradata = part.streams.video[0].codec_context.extradata
    stream.time_base = Fraction(1, spec.time_base.denominator)
    if spec.rate:
        stream.codec_context.framerate = spec.rate
    if spec.tag and job.format in ("mp4", "mov"):
        stream.codec_context.codec_tag = spec.tag
    stream.metadata.clear()
    if source is not None:
        original = source.streams[info.stream_index]
        stream.metadata.update(clean_tags(dict(original.metadata)))
        name = next((k for k in stream.metadata if k.lower() == "timecode"), None)
        if name is not None and job.trim.start is not None and info.average_rate:
            cut = job.trim.start - (info.start_pts or 0) * info.time_base
            stream.metadata[name] = later(stream.metadata[name], round(cut * info.average_rate), info.average_rate)
        stream.disposition = original.disposition
    stream.metadata["encoder"] = MARK
    stream.metadata.pop("alpha_mode", None)
    if part.streams.video[0].metadata.get("alpha_mode") == "1":
        stream.metadata["alpha_mode"] = "1"
    return stream


def _timed(packets: Iterator[av.Packet[Any]], stream: av.VideoStream | None) -> Iterator[tuple[float, av.Packet[Any]]]:
    """Packets with their decoding time in seconds, so that those of all streams can be interleaved."""
    for packet in packets:
        if stream is not None:
            packet.stream = stream
        yield float((packet.dts or 0) * packet.time_base), packet
