"""A film as the driver of a cluster has it: from its journal over the segments that come in to the finished file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from vidstyle.cluster.delivery import Delivery, receive
from vidstyle.cluster.storage import ScratchCopies, is_url, publish, shown
from vidstyle.cluster.task import EngineSettings, Made, VideoTask
from vidstyle.core.errors import InputError
from vidstyle.engines.base import Engine
from vidstyle.media.input.decoder import seekable
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.mux.mux import mux
from vidstyle.pipeline.job import Job, kept_for_resume, settled
from vidstyle.pipeline.plan.journal import Journal, journal_folder
from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport
from vidstyle.pipeline.plan.segments import Range, missing_ranges
from vidstyle.pipeline.stages.segment_runner import Progress, SegmentRunner
from vidstyle.styles.request import StyleRequest


@dataclass(frozen=True)
class PlannedVideo:
    """A film that is planned, and nothing more."""

    source: str
    """As the user named it: a path or an address."""
    plan: VideoPlan
    target: str | None = None
    """The address that the finished film is copied to; None: it stays where it was written."""

    @property
    def name(self) -> str:
        """What errors call it."""
        return shown(self.source)

    def longest(self) -> float:
        """About how long its longest task takes, in millions of pixels to paint: the order in which films are begun."""
        seconds = float(self.plan.plan.seconds)
        duration = self.plan.info.duration
        if not _in_segments(self.plan):
            seconds = duration or 3600.0
        width, height = self.plan.painting.size
        return min(seconds, duration or seconds) * float(self.plan.rate or 25) * width * height / 1e6


def _in_segments(video: VideoPlan) -> bool:
    """Whether each segment can be read alone. What cannot be sought in would be decoded from its beginning for each."""
    return bool(video.info.pictures) or seekable(video.info)


def ranges(video: VideoPlan, journal: Journal) -> list[Range]:
    """What there is to do, a task each, longest first: a segment, or all that is missing between two where the film cannot be
    sought in. The last one is open, as nobody knows yet where the film ends."""
    gaps = missing_ranges(journal.covered(), journal.total)
    if not _in_segments(video):
        return gaps
    expected = video.expected_segments() or 0
    single: list[Range] = []
    for first, last in gaps:
        end = max(first + 1, last or expected)
        single += [(k, k + 1) for k in range(first, end - 1)]
        single.append((end - 1, last))
    return single


class OpenVideo:
    """A film whose segments are being made. Close it in any case."""

    def __init__(
        self,
        video: PlannedVideo,
        request: StyleRequest,
        engine: Engine,
        options: RunOptions,
        *,
        progress: Progress | None,
        say: Callable[[str], None],
    ) -> None:
        """Settle the film as a local run does, with the engine of this machine. Raises VidstyleError."""
        self.video, self.engine = video, engine
        self.begun = time.perf_counter()
        plan = video.plan
        folder = journal_folder(plan.output)
        self._stack = ExitStack()
        with ExitStack() as stack:
            old = stack.enter_context(Journal.reopen(folder)) if options.resume and folder.is_dir() else None
            sized = request.at_size(plan.painting.size if request.mixes_two else plan.size)
            self.job: Job = settled(plan, sized, engine, options, old, say)
            if old is None:
                stack.enter_context(self.job.journal)
            self._stack = stack.pop_all()
        self.journal = self.job.journal
        self.kept = sum(self.journal.done.values())
        self.runner = SegmentRunner(plan, self.journal, None, self.job.batch_size, progress, options.max_errors)
        self.waiting = ranges(plan, self.journal)
        self.running = 0
        self.limits: set[int] = set()

    def task(self, settings: EngineSettings, max_errors: float, kind: dict[str, object] | None) -> VideoTask:
        """What its workers are told."""
        plan = self.video.plan
        info = replace(
            plan.info, path=plan.info.path.absolute(), pictures=tuple(p.absolute() for p in plan.info.pictures)
        )
        return VideoTask(
            source=self.video.source,
            video=replace(plan, info=info),
            request=self.job.request.encoded(self.engine),
            engine=settings,
            batch_size=self.job.batch_size,
            max_errors=max_errors,
            kind=kind,
            delivery=Delivery.to(self.journal),
        )

    def take(self, made: Made) -> None:
        """Put what a worker made into the journal.

        Raises:
            DamagedSegment: it has to be made again.
            InputError: the film is too damaged, or the disk is full.
        """
        for segment in made.segments:
            if (
                segment.number in self.journal.done
            ):  # of a range that is made again, as another segment of it was damaged
                continue
            receive(segment, self.journal)
            self.runner.wrote(segment.frames)
        for first, last in made.empty:
            self.journal.skip(first, last)
        if made.total is not None:
            self.journal.end(made.total)
        self.runner.count(made.stages, made.warnings, made.report)
        if made.limit is not None:
            self.limits.add(made.limit)

    def finish(self) -> RunReport:
        """Join it, when all is there. Raises InputError."""
        plan, journal = self.video.plan, self.journal
        stages, warnings = self.runner.totals()
        warnings += mux(journal.parts(), self._info_here(), plan.output, plan.spec, scratch=journal.folder)
        for limit in sorted(self.limits):
            warnings.append(
                f"memory was short: the model was given {limit} frames per call instead of {self.job.batch_size}."
            )
        frames, target = sum(journal.done.values()), self.video.target
        if target is not None:
            try:
                publish(plan.output, target)
            finally:  # where it failed, it is joined once more with --resume
                plan.output.unlink()
        journal.remove()
        self._stack.close()
        elapsed = time.perf_counter() - self.begun
        report = self.job.report(self.engine, stages, warnings, frames=frames, kept=self.kept, elapsed=elapsed)
        return replace(report, input=self.video.name, output=shown(target) if target else report.output)

    def _info_here(self) -> VideoInfo:
        """The source as it can be read now: a copy of what lies at an address may have made room for others."""
        info = self.video.plan.info
        return replace(info, path=ScratchCopies().get(self.video.source)) if is_url(self.video.source) else info

    def fail(self, error: BaseException) -> BaseException:
        """Give it up; the error to tell, which says what is kept."""
        told = kept_for_resume(error, self.journal)
        self._stack.close()
        return told


def lost(video: PlannedVideo, what: str, segments: Range, error: BaseException) -> InputError:
    """The sentence for work that Ray could not bring to an end."""
    return InputError(f"{video.name}: segment {segments[0]} was not made: {what} ({type(error).__name__}).")
