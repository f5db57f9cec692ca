"""One clock for all streams of a file whose own begins anywhere or starts again in the middle.

Transport and program streams, FLV and Ogg carry a running clock: a recording begins when it was switched on, and where
recordings were joined the clock jumps. Their packets are read once, and what has to be added to times is noted by position
in the file, the same for all streams, so that sound and picture stay together however many recordings follow each other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
import av.container
import av.error
import av.stream
from av.stream import Discard, Disposition

from vidstyle.media.timestamps import Timeline

_FAR = 10
"""Seconds: a jump on by more than this, of all streams at once, is a new clock and not a pause."""
_GAP = Fraction(1, 10)
"""Seconds: a stream that pauses for longer may begin anew behind a border."""
_LIVE = 60
"""Seconds: an mp4 whose streams all begin later than that is a piece of a live stream."""
_PROVEN = 3
"""Packets in a row that make a clock; fewer are damage, which is repaired one by one."""
_STEPS = 20
"""A jump is no pause of a slow film if it is so many times as long as the longest pause before."""
_MAX_RUNS = 5000

# Demuxers whose clock begins with the file: times there mean something, and only an index leads to packets.
_OWN_CLOCK = frozenset({"mov", "mp4", "matroska", "webm", "avi", "gif", "nut", "asf", "image2"})


@dataclass
class _Run:
    """Packets of one stream that follow each other in time; times in ticks."""

    first_position: int
    last_position: int
    first: int
    last: int
    step: int = 0
    begin: int = 0
    end: int = 0
    count: int = 1


@dataclass(frozen=True)
class _Stretch:
    """A run in seconds."""

    stream: int
    first_position: int
    last_position: int
    first: Fraction
    """First and last decoding time."""
    last: Fraction
    begin: Fraction
    """From the first presentation time to the end of the last one."""
    end: Fraction
    step: Fraction
    count: int


def has_own_clock(container: av.container.InputContainer) -> bool:
    """Whether the times of such a file begin with it and never start again."""
    return not _OWN_CLOCK.isdisjoint(container.format.name.split(","))


def own_start(container: av.container.InputContainer) -> Timeline:
    """The timeline of a file whose clock begins with it. A late start there is somebody's wish and stays (an edit list, a lone
    stream that begins late), unless all of several streams share it: in Matroska then, and in mp4 from a minute on (a piece of
    a live stream), it is taken off."""
    starts: list[Fraction] = [
        s.start_time * s.time_base for s in container.streams if _counts(s) and s.start_time and s.time_base
    ]
    timed = sum(map(_counts, container.streams))
    start = min(starts, default=Fraction(0))
    taken = len(starts) == timed > 1 and start > (0 if "matroska" in container.format.name else _LIVE)
    return Timeline(shifts=(-start if taken else Fraction(0),))


def read_timeline(container: av.container.InputContainer, video: int) -> Timeline:
    """The timeline of a file whose clock begins and starts again anywhere. The file is read to its end.

    Args:
        container: freshly opened.
        video: index of the stream that `Timeline.end` tells of.
    """
    return sections(_scan(container, [s for s in container.streams if _counts(s)]), video)


def _counts(stream: av.stream.Stream) -> bool:
    hidden = Disposition.attached_pic | Disposition.timed_thumbnails
    return stream.type in ("video", "audio") and not stream.disposition & hidden


def _scan(container: av.container.InputContainer, streams: Sequence[av.stream.Stream]) -> list[_Stretch]:
    """The runs of all streams."""
    runs: dict[int, list[_Run]] = {s.index: [] for s in streams}
    bases = {s.index: s.time_base or Fraction(1, 1000) for s in streams}
    far = {i: round(_FAR / base) for i, base in bases.items()}
    gaps = {i: round(_GAP / base) for i, base in bases.items()}
    steps = dict.fromkeys(runs, 0)
    for stream in container.streams:
        if stream.index not in runs:
            stream.discard = Discard.all
    position = 0
    for index, place, pts, dts, duration in _times(container, streams):
        position = position if place is None else place
        known = runs[index]
        run = known[-1] if known else None
        step = dts - run.last if run is not None else 0
        # A pause is what is longer than before, and does not come twice running (a film of one picture per second).
        most = max(gaps[index], 2 * run.step, 2 * steps[index]) if run is not None else 0
        steps[index] = step
        late = run is not None and dts - run.end > (most if len(known) < _MAX_RUNS else far[index])
        if run is None or step < 0 or late:
            known.append(_Run(position, position, dts, dts, 0, pts, pts + duration))
            continue
        run.last_position, run.step, run.count = position, max(run.step, dts - run.last), run.count + 1
        run.last, run.begin, run.end = dts, min(run.begin, pts), max(run.end, pts + duration)
    return [
        _Stretch(
            index,
            r.first_position,
            r.last_position,
            r.first * bases[index],
            r.last * bases[index],
            r.begin * bases[index],
            r.end * bases[index],
            r.step * bases[index],
            r.count,
        )
        for index, known in runs.items()
        for r in known
    ]


def _times(
    container: av.container.InputContainer, streams: Sequence[av.stream.Stream]
) -> Iterator[tuple[int, int | None, int, int, int]]:
    """(stream, position, pts, dts, duration) of packets that have a time, in the order of the file."""
    demuxed = container.demux(list(streams))
    while True:
        try:
            packet = next(demuxed)
        except (StopIteration, IndexError, av.error.FFmpegError):
            return  # the end, a stream that appeared in the middle, or damage: what follows has no border
        pts, dts = packet.pts, packet.dts
        if packet.size and (pts is not None or dts is not None):
            known = dts if dts is not None else pts
            assert known is not None
            yield packet.stream_index, packet.pos, known if pts is None else pts, known, packet.duration or 0


def sections(stretches: Sequence[_Stretch], video: int) -> Timeline:
    """Where the clock starts again, and what brings all sections after each other without an overlap in any stream."""
    if not stretches:
        return Timeline()
    streams = {s.stream: _proven([t for t in stretches if t.stream == s.stream]) for s in stretches}
    borders = _borders([run for known in streams.values() for run in known], streams)
    by_section: list[list[_Stretch]] = [[] for _ in range(len(borders) + 1)]
    for known in streams.values():
        for run in known:
            by_section[bisect_right(borders, run.first_position)].append(run)
    shifts = [-min((run.begin for run in by_section[0]), default=stretches[0].begin)]
    ends: dict[int, Fraction] = {}
    for number, part in enumerate(by_section):
        if number:
            first = {i: min(r.begin for r in part if r.stream == i) for i in {r.stream for r in part}}
            overlaps = [ends[i] - begin for i, begin in first.items() if i in ends]
            shifts.append(max(overlaps, default=shifts[-1]))
        for run in part:
            ends[run.stream] = max(ends.get(run.stream, run.end + shifts[-1]), run.end + shifts[-1])
    proven = {(run.stream, run.first_position) for known in streams.values() for run in known}
    strays = {
        (run.stream, position)
        for run in stretches
        if (run.stream, run.first_position) not in proven
        for position in (run.first_position, run.last_position)
    }
    frames = sum(run.count for run in stretches if run.stream == video)
    return Timeline(tuple(borders), tuple(shifts), frozenset(strays), ends.get(video), frames)


def _proven(runs: list[_Stretch]) -> list[_Stretch]:
    """Without the few packets with wild times between others that follow each other."""
    kept: list[_Stretch] = []
    for run, after in zip(runs, [*runs[1:], None], strict=True):
        if not (run.count < _PROVEN and kept and after is not None and _wild(kept[-1], run, after)):
            kept.append(run)
    return kept


def _wild(before: _Stretch, run: _Stretch, after: _Stretch) -> bool:
    """Whether `run` lies before or after both its neighbours, which follow each other."""
    follows = before.last < after.first <= before.end + _FAR
    return follows and (run.first < before.last or run.last > after.first)


def _borders(runs: Sequence[_Stretch], streams: dict[int, list[_Stretch]]) -> list[int]:
    """The fewest positions that explain every jump: each lies between the last packet before and the first one after it."""
    jumps = sorted(
        (after.first_position, before.last_position)
        for known in streams.values()
        for before, after in pairwise(known)
        if _jumps(before, after, runs)
    )
    borders: list[int] = []
    lows: list[int] = []
    for after, before in jumps:
        if borders and before < borders[-1]:
            lows[-1] = max(lows[-1], before)
        else:
            borders.append(after)
            lows.append(before)
    # Sound that pauses just before the picture jumps belongs behind the border.
    return [
        min([border, *(r.first_position for r in runs if low < r.first_position < border)])
        for border, low in zip(borders, lows, strict=True)
    ]


def _jumps(before: _Stretch, after: _Stretch, runs: Sequence[_Stretch]) -> bool:
    """Whether a stream's clock starts again between two of its runs."""
    if after.first < before.last:
        return True
    if (
        after.first - before.end <= max(Fraction(_FAR), _STEPS * before.step)
        or min(before.count, after.count) < _PROVEN
    ):
        return False
    # A still picture with sound, or silence under a picture, is a pause: another stream fills it.
    return not any(r.stream != before.stream and r.first < before.end + 1 and r.end > after.first - 1 for r in runs)
