"""Interlaced frames, wherever they come in a film: each of two fields becomes one full picture (bwdif)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import av.error
from av.filter import Graph

from vidstyle.media.input.decoder import Timed


def deinterlace(
    frames: Iterator[Timed], time_base: Fraction, found: Callable[[], None] | None = None
) -> Iterator[Timed]:
    """The same frames at the same times (ticks of `time_base`), interlaced ones made whole, progressive ones untouched.

    An interlaced frame is made from the one before and the one after it as well, so from the first one on frames come out one
    frame late; a change of size or pixel format starts anew. `found` is called when there is a first one.
    """
    graph: Graph | None = None
    shape: tuple[int, int, str] | None = None
    waiting: deque[tuple[int, int] | None] = deque()
    before: av.VideoFrame | None = None
    for pts, duration, frame in frames:
        now = (frame.width, frame.height, frame.format.name)
        if now != shape:
            if graph is not None:
                yield from _drain(graph, waiting)
            graph, shape, before = None, now, None
        if graph is None:
            if not frame.interlaced_frame:
                before = frame
                yield pts, duration, frame
                continue
            if found is not None:
                found()
            graph = _graph(frame, time_base)
            if before is not None:
                before.pts, before.time_base = pts - 1, time_base
                waiting.append(None)  # given already, and only seen by the filter
                graph.push(before)
        waiting.append((pts, duration))
        frame.pts, frame.time_base = pts, time_base
        graph.push(frame)
        yield from _ready(graph, waiting)
    if graph is not None:
        yield from _drain(graph, waiting)


def _graph(frame: av.VideoFrame, time_base: Fraction) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=time_base)
    bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
    sink = graph.add("buffersink")
    graph.link_nodes(source, bwdif, sink).configure()
    return graph


def _drain(graph: Graph, waiting: deque[tuple[int, int] | None]) -> Iterator[Timed]:
    graph.push(None)
    yield from _ready(graph, waiting)


def _ready(graph: Graph, waiting: deque[tuple[int, int] | None]) -> Iterator[Timed]:
    """Frames that have come out; one goes in, one comes out, so their times follow in order."""
    while waiting:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, av.VideoFrame)
        times = waiting.popleft()
        if times is not None:
            yield *times, frame
