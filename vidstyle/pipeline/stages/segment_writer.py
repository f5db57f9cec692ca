"""The encode stage: frames into segment files, one encoder a segment, each noted in the journal when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from vidstyle.imaging.frame import Frame
from vidstyle.media.output.writer import VideoWriter
from vidstyle.pipeline.plan.journal import Journal
from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.pipeline.retime import repeated


class SegmentWriter:
    """A sink of `run_stages` for frames with segments in ascending order.

    Args:
        first: segment that the range begins with; earlier ones are not this sink's business.
        wrote: called after each frame that was encoded.
    """

    def __init__(self, video: VideoPlan, journal: Journal, *, first: int, wrote: Callable[[], None]) -> None:
        self.video, self.journal, self.wrote = video, journal, wrote
        self.next = first
        """The segment that comes next, or is being written."""
        self.frames = 0
        self.writer: VideoWriter | None = None
        self.warnings: list[str] = []

    def __call__(self, frame: Frame) -> None:
        if frame.segment > self.next:
            self.close_until(frame.segment)
        if self.writer is None:
            self.writer = VideoWriter(
                self.journal.partial(frame.segment),
                width=self.video.size[0],
                height=self.video.size[1],
                time_base=self.video.clock.time_base,
                settings=self.video.settings,
                sample_aspect_ratio=self.video.aspect,
                rate=self.video.rate,
                told_as=self.video.output,
            )
            self.warnings += [w for w in self.writer.warnings if w not in self.warnings]
        for one in repeated(frame, self.video.clock.step):
            self.writer.write(one)
            self.frames += 1
            self.wrote()

    def close_until(self, segment: int) -> None:
        """Finish all segments before `segment`; those without frames (long still pictures) are noted as empty."""
        if self.writer is not None:
            writer, self.writer = self.writer, None
            writer.__exit__(None, None, None)
            self.journal.finish(self.next, self.frames)
            self.next, self.frames = self.next + 1, 0
        if self.next < segment:
            self.journal.skip(self.next, segment)
            self.next = segment

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            if self.frames:
                self.close_until(self.next + 1)
        elif self.writer is not None:
            self.writer.__exit__(kind, error, trace)
