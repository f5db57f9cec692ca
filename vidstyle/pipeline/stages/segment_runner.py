"""The segments that a journal lacks: decoded, styled and encoded, by one model or by one on each GPU."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from vidstyle.core.errors import InputError
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.transforms import on_black, resized, with_small_copy
from vidstyle.media.input.concealment import ReadReport, judge
from vidstyle.pipeline.plan.journal import Journal
from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.pipeline.plan.segments import Range, missing_ranges, shared_out
from vidstyle.pipeline.retime import retimed
from vidstyle.pipeline.stages.detail import DetailTransfer
from vidstyle.pipeline.stages.segment_writer import SegmentWriter
from vidstyle.pipeline.stages.threads import StageSeconds, run_stages
from vidstyle.pipeline.stages.workers import CheckCancelled, run_jobs, until_cancelled

Progress = Callable[[int, int | None], None]
"""Called with the frames that are finished and the number expected (None: unknown), from another thread."""

QUEUE_BYTES = 1 << 26
"""Of frames that wait between two stages, about; a batch may always wait."""

Work = Callable[[Iterable[Frame]], Iterator[Frame]]


def ranges_of(video: VideoPlan, journal: Journal, workers: int) -> list[Range]:
    """What there is to do: each gap between finished segments in one piece, or in several where there are several workers."""
    gaps = missing_ranges(journal.covered(), journal.total)
    return gaps if workers == 1 else shared_out(gaps, workers, video.expected_segments())


class SegmentRunner:
    """The work on a film's missing segments, and what it amounted to.

    Every range has its own three threads, its own reading and its own encoders; which worker takes it changes no byte, as a
    segment depends on nothing before it. What workers share is the journal and what is counted here.
    """

    def __init__(
        self,
        video: VideoPlan,
        journal: Journal,
        finish: DetailTransfer | None,
        chunk: int,
        progress: Progress | None,
        max_errors: float,
    ) -> None:
        self.video, self.journal, self.finish, self.chunk = video, journal, finish, chunk
        self.progress, self.max_errors = progress, max_errors
        self.expected = video.expected_frames()
        self.frames = sum(journal.done.values())
        self.seconds = StageSeconds()
        self.report = ReadReport()
        self.warnings: list[str] = []
        self.counting = threading.Lock()

    def run(self, ranges: Sequence[Range], workers: Sequence[Work]) -> tuple[StageSeconds, list[str]]:
        """Do the ranges. Returns the busy times, those of all workers together, and warnings.

        Args:
            workers: models, each called from one thread at a time.

        Raises:
            InputError: damage beyond bearing, a full disk, a cut that holds no frame.
        """
        run_jobs(ranges, [partial(self.run_range, work) for work in workers])
        return self.totals()

    def totals(self) -> tuple[StageSeconds, list[str]]:
        """Busy times and warnings of all ranges. Raises InputError where none of them held a frame."""
        if not any(self.journal.done.values()):
            raise InputError(f"{self.video.info.path}: has no frame between --start and --end; choose other times.")
        return self.seconds, [*self.warnings, *self.report.warnings]

    def run_range(self, work: Work, segments: Range, check_cancelled: CheckCancelled) -> None:
        """Do the segments of a range."""
        video, (first, last) = self.video, segments
        start = video.start if first == 0 else video.plan.border(first)
        stop = video.stop if last is None else video.plan.border(last)
        report = ReadReport()
        source = video.frames(start, stop, report, planes=video.painting.planes, max_errors=self.max_errors)
        timed = retimed(_prepared(source, video), video.clock, video.plan, start=start, stop=stop)
        sink = SegmentWriter(video, self.journal, first=first, wrote=self.wrote)
        spent = run_stages(
            until_cancelled(timed, check_cancelled),
            work,
            sink,
            finish=self.finish,
            depth=_queue_depth(video, self.chunk),
        )
        if last is None:
            self.journal.end(sink.next)
        else:
            sink.close_until(last)
        self.count(spent, sink.warnings, report)

    def count(self, seconds: StageSeconds, warnings: Sequence[str], report: ReadReport) -> None:
        """Add what a range amounted to. Raises InputError where the film is too damaged with it."""
        with self.counting:
            self.seconds = StageSeconds(**{k: v + getattr(seconds, k) for k, v in vars(self.seconds).items()})
            self.warnings += warnings
            self.report.add(report)
            judge(self.video.info, self.report, self.max_errors)

    def wrote(self, frames: int = 1) -> None:
        """Count frames that are encoded, and tell."""
        with self.counting:
            self.frames += frames
            if self.progress is not None:
                self.progress(self.frames, self.expected)


def _queue_depth(video: VideoPlan, chunk: int) -> int:
    """Frames that may wait between two stages: two batches, or one where the frames at full size would fill the memory."""
    bytes_per_frame = video.size[0] * video.size[1] * 3 // (2 if video.painting.road == "planes" else 1)
    return max(chunk, min(2 * chunk, QUEUE_BYTES // bytes_per_frame))


def _prepared(frames: Iterable[Frame], video: VideoPlan) -> Iterator[Frame]:
    """Frames at the film's size, transparency laid over black where the output cannot hold it, with a small copy to paint where
    they are painted small. Those that were read in planes are all that already."""
    for frame in frames:
        if frame.full is not None:
            yield frame
            continue
        sized = resized(frame, video.size)
        shown = sized if video.keep_alpha else on_black(sized)
        yield shown if video.painting.road == "source" else with_small_copy(shown, video.painting.size)
