"""Interlaced films: each frame of two fields becomes one full picture (bwdif)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import av
import av.error
from av.filter import Graph

from vidstyle.media.input.decoder import Timed


def deinterlace(frames: Iterator[Timed], time_base: Fraction) -> Iterator[Timed]:
    """The same frames at the same times (ticks of `time_base`), interlaced ones made whole, progressive ones untouched.

    A frame is made from the one before and the one after it as well, so it comes out one frame late; a change of size
    or pixel format starts anew.
    """
    graph: Graph | None = None
    shape: tuple[int, int, str] | None = None
    waiting: deque[tuple[int, int]] = deque()
    for pts, duration, frame in frames:
        now = (frame.width, frame.height, frame.format.name)
        if graph is None or now != shape:
            if graph is not None:
                yield from _drain(graph, waiting)
            graph, shape = _graph(frame, time_base), now
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


def _drain(graph: Graph, waiting: deque[tuple[int, int]]) -> Iterator[Timed]:
    graph.push(None)
    yield from _ready(graph, waiting)


def _ready(graph: Graph, waiting: deque[tuple[int, int]]) -> Iterator[Timed]:
    """Frames that have come out; one goes in, one comes out, so their times follow in order."""
    while waiting:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, av.VideoFrame)
        pts, duration = waiting.popleft()
        yield pts, duration, frame
