"""What a film will be: source, cut, size and encoding, settled before any model is loaded."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidstyle.errors import InputError, UsageError
from vidstyle.media.codecs import check_codec, default_codec, find_codec
from vidstyle.media.probe import VideoInfo, probe
from vidstyle.media.suffix import default_suffix
from vidstyle.media.writer import EncodeSettings
from vidstyle.pipeline.checks import check_journal, check_output
from vidstyle.pipeline.options import RunOptions
from vidstyle.pipeline.picture import pixel_aspect, target_size
from vidstyle.pipeline.segments import SegmentPlan


@dataclass(frozen=True)
class Film:
    """Everything about a job except the model."""

    info: VideoInfo
    output: Path
    size: tuple[int, int]
    """Width and height of the frames that are styled and encoded."""
    aspect: Fraction
    """Pixel aspect ratio at that size."""
    start: int | None
    """First tick of the cut; None: from the beginning."""
    stop: int | None
    """First tick after the cut; None: to the end."""
    settings: EncodeSettings
    plan: SegmentPlan
    keep_alpha: bool
    """Transparency goes into the output; otherwise it is laid over black."""
    warnings: tuple[str, ...]

    def expected_frames(self) -> int | None:
        """How many frames there should be, for a progress bar; None where the source does not tell."""
        info = self.info
        total = info.frames
        if total is None and info.duration and info.average_rate:
            total = round(info.duration * info.average_rate)
        if total is None or (self.start is None and self.stop is None) or not info.duration:
            return total
        whole = info.duration / info.time_base
        origin = info.start_pts or 0
        stop = min(self.stop if self.stop is not None else math.inf, origin + whole)
        return max(0, round(total * (stop - (self.start or origin)) / whole))

    def fingerprint(self) -> dict[str, Any]:
        """What of this changes bytes, as JSON values."""
        return {
            "size": list(self.size),
            "start": self.start,
            "stop": self.stop,
            "segment": str(self.plan.seconds),
            "suffix": self.output.suffix.lower(),
            **asdict(self.settings),
        }


def plan_film(source: Path, output: Path | None, options: RunOptions, *, threads: int) -> Film:
    """Look at the source and settle the film.

    Args:
        output: None names it after the source: NAME.styled.SUFFIX in the current folder.
        threads: of the encoder; fixed, because bytes depend on it.

    Raises:
        InputError: the source is no video that can be read, its picture is too small, or the output's place is bad.
        UsageError: the output may not be written, or has a suffix or codec that does not exist or does not fit.
    """
    if output is not None and source.exists():
        check_output(source, output, overwrite=options.overwrite)
    info = probe(source)
    if output is None:
        output = Path.cwd() / f"{source.stem}.styled{default_suffix(info)}"
        check_output(source, output, overwrite=options.overwrite)
    check_journal(output, overwrite=options.overwrite, resume=options.resume)
    codec = options.codec or default_codec(output, alpha=info.has_alpha)
    check_codec(codec, output)
    try:
        size = target_size(info.width, info.height, size=options.size, max_side=options.max_side)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    keep_alpha = info.has_alpha and find_codec(codec).alpha_pix_fmt is not None
    warnings = list(info.warnings)
    if info.has_alpha and not keep_alpha:
        warnings.append(f"{output}: {codec} holds no transparency; the picture is laid over black.")
    origin = info.start_pts or 0
    start = None if options.start is None else origin + math.ceil(options.start / info.time_base)
    stop = None if options.end is None else origin + math.ceil(options.end / info.time_base)
    if options.start is not None and info.duration is not None and options.start >= info.duration:
        raise UsageError(f"--start: {source} lasts only {info.duration:.3f} s.")
    return Film(
        info=info,
        output=output,
        size=size,
        aspect=pixel_aspect(info.sample_aspect_ratio, (info.width, info.height), size),
        start=start,
        stop=stop,
        settings=EncodeSettings(codec=codec, crf=options.crf, alpha=keep_alpha, threads=threads),
        plan=SegmentPlan(start if start is not None else origin, options.segment, info.time_base),
        keep_alpha=keep_alpha,
        warnings=tuple(warnings),
    )
