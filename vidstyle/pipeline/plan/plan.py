"""What a film will be: source, cut, size and encoding, settled before any model is loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import through_links
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.transforms import pixel_aspect, target_size
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.hwaccel import Decoder, settled
from vidstyle.media.input.image_sequence import probe_image_sequence
from vidstyle.media.input.planar_reader import PlaneSizes
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import MAX_ERRORS, read_frames
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.output.codecs import check_codec, default_codec, find_codec
from vidstyle.media.output.containers import container_format, default_suffix
from vidstyle.media.output.spec import OutputSpec
from vidstyle.media.output.writer import EncodeSettings
from vidstyle.media.paths import NumberedName, find_images, video_name
from vidstyle.pipeline.plan.checks import check_journal, check_output
from vidstyle.pipeline.plan.painting import Painting, plan_painting
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.plan.segments import SegmentPlan
from vidstyle.pipeline.retime import Clock


@dataclass(frozen=True)
class VideoPlan:
    """Everything about a job except the model."""

    info: VideoInfo
    """The source."""
    clock: Clock
    """In what the output counts time."""
    rate: Fraction | None
    """Frames per second of the output: the one asked for, or the source's average; None where nobody knows."""
    output: Path
    size: tuple[int, int]
    """Width and height of the frames that are encoded."""
    painting: Painting
    aspect: Fraction
    """Pixel aspect ratio at that size."""
    start: int | None
    """First tick of the cut, in the output's clock; None: from the beginning."""
    stop: int | None
    """First tick after the cut; None: to the end."""
    decoder: Decoder
    settings: EncodeSettings
    plan: SegmentPlan
    keep_alpha: bool
    """Transparency goes into the output; otherwise it is laid over black."""
    warnings: tuple[str, ...]

    @property
    def first_tick(self) -> int:
        """Time of the source's first frame in the output's clock, which cuts and keyframes count from."""
        return (self.info.start_pts or 0) * self.clock.scale

    def frames(
        self,
        start: int | None,
        stop: int | None,
        report: ReadReport,
        *,
        planes: PlaneSizes | None = None,
        max_errors: float = MAX_ERRORS,
    ) -> Iterator[Frame]:
        """The source's frames for a stretch of the output, as `read_frames` gives them.

        Args:
            start, stop: ticks of the output's clock; None: no bound.
        """
        begin, end = self.clock.source_bounds(start, stop)
        return read_frames(
            self.info,
            start=begin,
            stop=end,
            shown=self.clock.step is not None,
            threads=self.settings.threads,
            decoder=self.decoder,
            planes=planes,
            report=report,
            max_errors=max_errors,
        )

    @property
    def spec(self) -> OutputSpec:
        """What the muxer has to know of it; with a new rate the last frame lasts as long as all others."""
        end = self.info.end_pts if self.clock.step is None else None
        tag = find_codec(self.settings.codec).tag
        return OutputSpec(self.clock.time_base, self.rate, end, self.start, self.stop, tag)

    def expected_frames(self) -> int | None:
        """How many frames there should be, for a progress bar; None where the source does not tell."""
        info, clock = self.info, self.clock
        total = None if clock.step else info.frames
        if total is None and info.duration and self.rate:
            total = round(info.duration * self.rate)
        if total is None or (self.start is None and self.stop is None) or not info.duration:
            return total
        whole = info.duration / clock.time_base
        origin = self.plan.origin if self.start is None else self.first_tick
        stop = min(self.stop if self.stop is not None else math.inf, origin + whole)
        return max(0, round(total * (stop - (origin if self.start is None else self.start)) / whole))

    def expected_segments(self) -> int | None:
        """How many segments there should be; None where the source does not tell."""
        if not self.info.duration:
            return None
        begin = self.first_tick
        end = begin + math.ceil(self.info.duration / self.clock.time_base)
        return self.plan.index(min(end, end if self.stop is None else self.stop) - 1) + 1

    def fingerprint(self) -> dict[str, Any]:
        """What of this changes bytes, as JSON values."""
        return {
            "size": list(self.size),
            "painting": self.painting.fingerprint(),
            "clock": str(self.clock.time_base),
            "step": self.clock.step,
            "start": self.start,
            "stop": self.stop,
            "segment": str(self.plan.seconds),
            "suffix": self.output.suffix.lower(),
            "decoder": self.decoder,
            **asdict(self.settings),
        }


def plan_video(source: Path, output: Path | None, options: RunOptions, *, threads: int) -> VideoPlan:
    """Look at the source and settle the film.

    Args:
        output: None names it after the source: NAME.styled.SUFFIX in the current folder.
        threads: of the encoder; fixed, because bytes depend on it.

    Raises:
        InputError: the source is no video that can be read, its picture is too small, or the output's place is bad.
        UsageError: the output may not be written, or has a suffix or codec that does not exist or does not fit.
    """
    pictures = find_images(source)
    if output is not None and (pictures or source.exists()):
        check_output(source, output, overwrite=options.overwrite)
    info = probe_image_sequence(source, pictures, rate=options.fps) if pictures else _probe_file(source)
    if output is None:
        output = (options.out_dir or Path.cwd()) / f"{video_name(source)}.styled{default_suffix(info)}"
        check_output(source, output, overwrite=options.overwrite)
    output = through_links(output)  # what a link points to is written, and the journal lies on its disk
    check_journal(output, overwrite=options.overwrite, resume=options.resume)
    codec = options.codec or default_codec(output, alpha=info.has_alpha)
    check_codec(codec, output)
    try:
        size = target_size(info.width, info.height, size=options.size, max_side=options.max_side)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    keep_alpha = info.has_alpha and _holds_alpha(codec, output)
    settings = EncodeSettings(
        codec=codec, crf=options.crf, bit_depth=options.bit_depth, alpha=keep_alpha, threads=threads
    )
    settings.resolved_pix_fmt()  # refuses what the codec does not have
    warnings = list(info.warnings)
    if info.has_alpha and not keep_alpha:
        warnings.append(f"{output}: holds no transparency as it is encoded; the picture is laid over black.")
    painting, said = plan_painting(info, size, settings, options)
    warnings += said
    decoder = settled(options.decoder, info)
    if decoder != options.decoder:
        warnings.append(f"{source}: cannot be decoded on the GPU here; it is decoded in software.")
    fps = None if pictures else options.fps  # of pictures it is their own rate
    clock = Clock.of(info.time_base, fps)
    origin, start, stop = _bounds(info, clock, options)
    return VideoPlan(
        info=info,
        clock=clock,
        rate=fps or info.average_rate,
        output=output,
        size=size,
        painting=painting,
        aspect=pixel_aspect(info.sample_aspect_ratio, (info.width, info.height), size),
        start=start,
        stop=stop,
        decoder=decoder,
        settings=settings,
        plan=SegmentPlan(start if start is not None else origin, options.segment, clock.time_base),
        keep_alpha=keep_alpha,
        warnings=tuple(warnings),
    )


def _bounds(info: VideoInfo, clock: Clock, options: RunOptions) -> tuple[int, int | None, int | None]:
    """Ticks of the clock: when the film begins, and --start and --end. Raises UsageError for a start beyond the film's end."""
    if options.start is not None and info.duration is not None and options.start >= info.duration:
        raise UsageError(f"--start: {info.path} lasts only {info.duration:.3f} s.")
    origin = (info.start_pts or 0) * clock.scale
    start, stop = (
        None if seconds is None else origin + math.ceil(seconds / clock.time_base)
        for seconds in (options.start, options.end)
    )
    return origin, start, stop


def _probe_file(source: Path) -> VideoInfo:
    """The description of a film that lies as one file. Raises InputError; that no pictures were found is said as such."""
    if source.is_dir():
        raise InputError(f"{source}: is a folder without pictures; name a video file, or a folder that holds some.")
    numbered = None if source.exists() else NumberedName.parse(source)
    if numbered is not None:
        raise InputError(f"{source}: no picture has such a name (the first one would be like {numbered.path(1).name}).")
    return probe(source)


def _holds_alpha(codec: str, output: Path) -> bool:
    """Whether transparency goes into the output."""
    if container_format(output) == "image2" and output.suffix.lower() != ".png":
        return False
    return find_codec(codec).alpha_pix_fmt is not None
