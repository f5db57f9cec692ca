"""How much of a film was damaged, and where the line is beyond which it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from vidstyle.core.errors import InputError
from vidstyle.media.input.video_info import VideoInfo

# The share of damage is not judged on fewer frames than this.
_MIN_JUDGED = 20


@dataclass
class ReadReport:
    """Counts that `read_frames` keeps while it reads; hand the same one to several calls to add them up."""

    frames: int = 0
    """Frames given out, concealed ones included."""
    decode_errors: int = 0
    """Packets that the decoder or the demuxer refused."""
    concealed: int = 0
    """Lost frames that were replaced by a copy of the frame before."""
    repaired_pts: int = 0
    """Frames whose time was missing or out of order."""
    ended_early: bool = False
    """The file broke off in the middle of its data."""
    warnings: list[str] = field(default_factory=list)
    """What the user should know, one sentence each, each once."""

    @property
    def damaged(self) -> int:
        """Frames lost or errors met, whichever is more: a damaged packet may or may not cost a frame."""
        return max(self.decode_errors, self.concealed)

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def add(self, other: ReadReport) -> None:
        """Count what another report of the same film counted, too."""
        self.frames += other.frames
        self.decode_errors += other.decode_errors
        self.concealed += other.concealed
        self.repaired_pts += other.repaired_pts
        self.ended_early |= other.ended_early
        for message in other.warnings:
            self.warn(message)


class LostFrames:
    """Finds the frames that decoding errors swallowed, by the times of the packets that went in.

    Packets without a frame are common in healthy films (hidden reference frames, edit lists, frames dropped before the
    first keyframe), so a time counts as lost only after an error, and never more times than there were errors.
    """

    def __init__(self) -> None:
        self._pending: set[int] = set()
        self._errors = 0

    def sent(self, pts: int | None, *, discarded: bool) -> None:
        """A packet goes into the decoder."""
        if pts is not None and not discarded:
            self._pending.add(pts)

    def failed(self) -> None:
        """The decoder reported an error."""
        self._errors += 1

    @property
    def waiting(self) -> bool:
        """Packets went in whose frames have not come out."""
        return bool(self._pending)

    def before(self, pts: int | None) -> list[int]:
        """Times, in order, of lost frames to be shown before the frame at `pts` (None: all that are left)."""
        due = sorted(t for t in self._pending if pts is None or t < pts)
        self._pending.difference_update(due)
        if pts is not None:
            self._pending.discard(pts)
        lost = due[: self._errors]
        self._errors -= len(lost)
        return lost


def judge(info: VideoInfo, report: ReadReport, max_errors: float, *, at_end: bool = False) -> None:
    """Raise InputError where more than `max_errors` of the film is damaged."""
    declared = info.frames or (round(info.duration * info.average_rate) if info.duration and info.average_rate else 0)
    total = max(report.frames, 1) if at_end else max(report.frames, declared, _MIN_JUDGED)
    if report.damaged > max_errors * total:
        raise InputError(
            f"{info.path}: {report.damaged} of about {total} frames are damaged, more than {max_errors:.0%}; "
            "get a better copy, or allow more with --max-errors."
        )
