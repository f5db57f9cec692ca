"""Painters that share a camera: each takes the newest frame, and of what they finish the newest is shown.

On a processor there is one a core, with a thread each: threads that share a frame would wait for each other at every layer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import VidstyleError
from vidstyle.engines.base import Engine, cores
from vidstyle.engines.choose import choose, make_engine
from vidstyle.imaging.detail import add_detail
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.sizes import painting_size
from vidstyle.imaging.transforms import with_small_copy
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import StyleCode
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.studio.live.fader import Fader
from vidstyle.studio.live.pace import Pace

Picture = NDArray[np.uint8]
_OWN_EVERY = 2.0
"""Seconds between two looks at the frame's own code."""
_MOST_WORKERS = 8


@dataclass(frozen=True)
class Painted:
    """A frame that is finished."""

    number: int
    picture: Picture
    """(H, W, 3) uint8 RGB, of the frame's size."""
    paint_size: int
    """Short side at which it was painted, pixels."""
    seconds: float
    """That painting took."""


class LivePool:
    """Paints the newest frames with all cores.

    Args:
        model, engine, device: as of `make_engine`.
        show: given what is finished, in order; what is overtaken is not shown. Called from the painters' threads, one at a
            time.
    """

    def __init__(self, model: str, engine: str, device: str, show: Callable[[Painted], None]) -> None:
        found = find_model(model)
        chosen = choose(engine, device, found)
        self._on_cpu = chosen.device == "cpu"
        self.workers = min(cores(), _MOST_WORKERS) if self._on_cpu else 1
        self._settings: dict[str, Any] = {
            "model": found,
            "engine": chosen.engine,
            "device": chosen.device,
            "threads": 1 if self._on_cpu else None,
        }
        self._show = show
        self._turn = threading.Condition()
        self._frame: tuple[int, Picture] | None = None
        self._shown = -1
        self._closing = False
        self._beside = ThreadPoolExecutor(1, "vidstyle-live-beside")
        self._reader = self._engine()
        self._fader: Fader | None = None
        self._pace: Pace | None = None
        self._ready: set[tuple[int, int]] = set()
        self._graphs = threading.Lock()
        self._preparing: Future[None] | None = None
        self._own_at = 0.0
        self.error: str | None = None
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.workers)]
        for thread in self._threads:
            thread.start()

    def style(self, styles: list[tuple[str, float]], strength: float = 1.0) -> Future[None]:
        """Go over to a style or a blend: (name or path, weight). The first one must be given before frames are painted."""

        def read() -> None:
            code = RunOptions().style_request([f"{ref}:{weight}" for ref, weight in styles]).codes(self._reader)[0]
            code = code.tensors()
            with self._turn:
                if self._fader is None:
                    self._fader = Fader(code)
                self._fader.change(time.monotonic(), style=code, strength=strength)
                self._turn.notify_all()

        return self._beside.submit(read)

    def strength(self, strength: float) -> None:
        """Go over to another strength, in [0, 1]."""
        with self._turn:
            if self._fader is not None:
                self._fader.change(time.monotonic(), strength=strength)

    def offer(self, number: int, picture: Picture) -> None:
        """The newest frame, (H, W, 3) uint8 RGB; one that nobody has taken yet is dropped. Numbers rise."""
        with self._turn:
            self._frame = (number, picture)
            self._turn.notify()

    def close(self) -> None:
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        self._beside.shutdown(cancel_futures=True)
        for thread in self._threads:
            thread.join(10)

    def _engine(self) -> Engine:
        settings = dict(self._settings)
        return make_engine(settings.pop("model"), **settings)

    def _work(self) -> None:
        engine = self._engine()
        while True:
            with self._turn:
                while not self._closing and (self._frame is None or self._fader is None):
                    self._turn.wait()
                if self._closing:
                    return
                assert self._frame is not None
                assert self._fader is not None
                (number, picture), self._frame = self._frame, None
                now = time.monotonic()
                code, size = self._fader.code(now), self._size(picture, now)
            try:
                self._finish(number, *self._painted(engine, picture, code, size), size)
            except VidstyleError as error:
                self.error = str(error)
                return

    def _painted(
        self, engine: Engine, picture: Picture, code: StyleCode, size: tuple[int, int]
    ) -> tuple[Picture, float]:
        begun = time.perf_counter()
        full = (picture.shape[1], picture.shape[0])
        small = picture if size == full else with_small_copy(Frame(picture, 0, 0, Fraction(1)), size).data
        # A graph is made once; the other painters find it in the cache.
        with nullcontext() if size in self._ready else self._graphs:
            styled = engine.stylize(small[None], code)[0]
        done = styled if size == full else add_detail(styled, small, picture)
        return done, time.perf_counter() - begun

    def _finish(self, number: int, picture: Picture, seconds: float, size: tuple[int, int]) -> None:
        with self._turn:
            assert self._pace is not None
            first, short = size not in self._ready, min(size)
            self._ready.add(size)
            above = self._pace.above
            if not first:  # else a graph was made or read, which no later frame pays for
                ready = above is None or painting_size((picture.shape[1], picture.shape[0]), above) in self._ready
                self._pace.observe(seconds, short, time.monotonic(), ready=ready)
            if number > self._shown:
                self._shown = number
                self._show(Painted(number, picture, short, seconds))

    def _size(self, picture: Picture, now: float) -> tuple[int, int]:
        """Width and height of the next painting; what it may need soon is prepared beside."""
        full = (picture.shape[1], picture.shape[0])
        if self._pace is None or self._pace.sizes[-1] > min(full):
            self._pace = Pace(min(full), self.workers)
        idle = self._preparing is None or self._preparing.done()
        if idle and self._fader is not None and self._fader.needs_own and now - self._own_at > _OWN_EVERY:
            self._own_at = now
            self._preparing = self._beside.submit(self._look_at, picture)
        elif idle and (wanted := self._missing(full)) is not None and self._fader is not None:
            self._preparing = self._beside.submit(self._prepare, wanted, self._fader.code(now))
        return painting_size(full, self._pace.size)

    def _missing(self, full: tuple[int, int]) -> tuple[int, int] | None:
        """A neighbouring size whose graph is not made yet: the smaller one first, which would be needed at once."""
        assert self._pace is not None
        at = self._pace.at
        near = [self._pace.sizes[i] for i in (at - 1, at + 1) if 0 <= i < len(self._pace.sizes)]
        return next((size for s in near if (size := painting_size(full, s)) not in self._ready), None)

    def _prepare(self, size: tuple[int, int], code: StyleCode) -> None:
        with suppress(VidstyleError), self._graphs:
            self._reader.stylize(np.zeros((1, size[1], size[0], 3), np.uint8), code)
        with self._turn:
            self._ready.add(size)

    def _look_at(self, picture: Picture) -> None:
        small = with_small_copy(
            Frame(picture, 0, 0, Fraction(1)), painting_size((picture.shape[1], picture.shape[0]), 128)
        )
        code = self._reader.encode_style(small.data).tensors()
        with self._turn:
            if self._fader is not None:
                self._fader.own(code, time.monotonic())
