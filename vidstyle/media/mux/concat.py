"""The video packets of several segment files as one stream: decoding times made anew from the presentation times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.media.container import open_source, packets
from vidstyle.media.output.writer import ORIGIN_TAG
from vidstyle.media.timestamps import frame_ticks, rescale


@dataclass(frozen=True)
class JoinedTimes:
    """Times of all packets of the joined stream."""

    pts: NDArray[np.int64]
    """(N,) presentation times in decoding order, ticks."""
    dts: NDArray[np.int64]
    """(N,) decoding times: increasing, none after its pts."""
    durations: NDArray[np.int64]
    """(N,) until the next frame shown, ticks."""


def joined_times(pts: NDArray[np.int64], last_duration: int) -> JoinedTimes:
    """Decoding times and durations of packets whose presentation times `pts` (N,) come in decoding order.

    With d the reorder depth (the most frames that come before some frame in decoding order and after it on the
    screen), packet i gets the (i - d)-th smallest presentation time: increasing, and never after its own. The first d
    packets lie before the first frame, `last_duration` apart or less. Encoders restart their decoding times with every
    segment; these do not.
    """
    n = len(pts)
    if n == 0:
        return JoinedTimes(pts, pts, pts)
    order = np.argsort(pts, kind="stable")
    ranks = np.empty(n, np.int64)
    ranks[order] = np.arange(n)
    shown = pts[order]
    # A frame of rank r decoded as number i has i - r (or more) frames before it that are shown after it.
    depth = int(max(0, (np.arange(n) - ranks).max()))
    gap = int(np.diff(shown).min()) if n > 1 else last_duration
    step = max(1, min(gap, last_duration))
    lead = shown[0] - step * np.arange(depth, 0, -1, dtype=np.int64)
    durations = np.empty(n, np.int64)
    durations[order] = np.append(np.diff(shown), max(1, last_duration))
    return JoinedTimes(pts=pts, dts=np.concatenate([lead, shown[: n - depth]]), durations=durations)


def frames_in(part: Path) -> int:
    """Frames of a segment's file, counted by its packets. Raises InputError where it cannot be read."""
    with open_source(part) as container:
        return sum(1 for _ in packets(container, container.streams.video[0]))


class Join:
    """The video of `parts` as one stream with times in `time_base` ticks, `shift` added to each.

    Raises InputError where a part cannot be read, holds no frames, or was encoded with other settings than the first.
    """

    def __init__(
        self,
        parts: Sequence[Path],
        time_base: Fraction,
        *,
        rate: Fraction | None,
        shift: int = 0,
        end: int | None = None,
    ) -> None:
        self._parts = tuple(parts)
        self._time_base = time_base
        extradata: set[bytes | None] = set()
        times: list[int] = []
        for part in self._parts:
            with open_source(part) as container:
                stream = container.streams.video[0]
                extradata.add(stream.codec_context.extradata)
                times += [self._ticks(p.pts, stream, container) + shift for p in packets(container, stream)]
        if not times:
            raise InputError(
                f"{', '.join(map(str, self._parts)) or 'the film'}: no frames were encoded; nothing to join."
            )
        if len(extradata) > 1:
            raise InputError(f"{self._parts[0].parent}: its segments were encoded with different settings; start anew.")
        pts = np.array(times, np.int64)
        step = frame_ticks(rate, time_base) if rate or len(times) < 2 else int(np.diff(np.sort(pts))[-1])
        # The last frame is shown as long as the source showed it, where that is known, sane, and more than the
        # rounding of a duration to milliseconds.
        rest = end + shift - int(pts.max()) if end is not None else 0
        known = 0 < rest <= 100 * step and abs(rest - step) * time_base > Fraction(1, 1000)
        self.times = joined_times(pts, rest if known else step)

    def __len__(self) -> int:
        return len(self.times.pts)

    def _ticks(self, pts: int | None, stream: av.VideoStream, container: av.container.InputContainer) -> int:
        assert pts is not None
        assert stream.time_base is not None
        origin = {k.upper(): v for k, v in container.metadata.items()}.get(ORIGIN_TAG, "0")
        return rescale(pts, stream.time_base, self._time_base) + int(origin)

    def packets(self) -> Iterator[av.Packet[Any]]:
        """All packets in decoding order with their new times (stream still that of the part)."""
        i = 0
        for part in self._parts:
            with open_source(part) as container:
                for packet in packets(container, container.streams.video[0]):
                    packet.time_base = self._time_base
                    packet.pts, packet.dts = int(self.times.pts[i]), int(self.times.dts[i])
                    packet.duration = int(self.times.durations[i])
                    i += 1
                    yield packet
