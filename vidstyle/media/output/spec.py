"""What a finished film has of its own; all else it has of its source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Self

from vidstyle.media.input.video_info import VideoInfo


@dataclass(frozen=True)
class OutputSpec:
    """Clock, rate and cut of the output."""

    time_base: Fraction
    """Seconds per tick of the segments' frames."""
    rate: Fraction | None
    """Frames per second, a hint where they vary; None where nobody knows."""
    end: int | None = None
    """The tick at which the source's last frame ends; None: it lasts as long as those before."""
    start: int | None = None
    """First tick of the cut: the output's clock begins there, and sound is cut between packets. None: from the beginning."""
    stop: int | None = None
    """First tick after the cut; None: to the end."""
    tag: str | None = None
    """Codec tag for mp4 and mov (`CodecChoice.tag`)."""

    @classmethod
    def like(cls, info: VideoInfo, **changes: Any) -> Self:
        """That of a film with the times of its source, but for `changes`."""
        return replace(cls(info.time_base, info.average_rate, info.end_pts), **changes)
