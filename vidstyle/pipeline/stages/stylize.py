"""The model stage: source frames in, finished pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.engines.backoff import Backoff
from vidstyle.engines.base import Engine
from vidstyle.imaging.frame import FrameChunk
from vidstyle.imaging.transforms import eight_bits, with_colour_of
from vidstyle.models.attention import StyleCode, blend
from vidstyle.pipeline.request import Look
from vidstyle.pipeline.stages.stabilize import Stabilizer
from vidstyle.styles.encode import encode_styles
from vidstyle.styles.masks import mix

Frames = NDArray[np.uint8]


class Painter:
    """Work of `run_stages` on (segment, chunk) pairs: model, then stabilisation, mask and colour of the source.

    Args:
        origin: time of the film's first frame in ticks of the chunks, which keyframes count from.

    Attributes:
        limit: frames a call that memory sufficed for; None where it always did.
    """

    def __init__(self, look: Look, engine: Engine, model: str | Path, *, origin: int) -> None:
        self.look, self.engine, self.origin = look, engine, origin
        self.codes = [encode_styles([style], engine, model) for style in look.styles]
        self.pair = look.mask is not None and look.keyframes is None and len(self.codes) == 2
        self.whole = self.codes[0]
        if look.keyframes is None and not self.pair and len(self.codes) > 1:
            self.whole = blend(self.codes, [style.weight for style in look.styles])
        self.stabilizer = Stabilizer(look.stabilize, threads=engine.threads) if look.stabilize else None
        self.limit: int | None = None

    def twin(self, engine: Engine) -> Painter:
        """One that paints the same on another device, with the same codes and a memory of its own."""
        other = copy(self)
        other.engine = engine
        other.stabilizer = Stabilizer(self.look.stabilize, threads=engine.threads) if self.look.stabilize else None
        return other

    def __call__(self, item: tuple[int, FrameChunk]) -> tuple[int, FrameChunk]:
        segment, chunk = item
        look, source = self.look, eight_bits(chunk.data)
        styled = self.styled(source, chunk)
        if self.stabilizer is not None:
            styled = self.stabilizer(segment, source, styled)
        # The source has nothing to be steadied: it comes in after that.
        if look.mask is not None and not self.pair:
            styled = mix(styled, source, look.mask)
        if look.preserve_color:
            styled = with_colour_of(source, styled)
        alpha = None if chunk.alpha is None else eight_bits(chunk.alpha)
        return segment, FrameChunk(styled, chunk.pts, chunk.durations, chunk.time_base, alpha)

    def styled(self, source: Frames, chunk: FrameChunk) -> Frames:
        """(N, H, W, 3) in the style or styles of the look."""
        if self.look.keyframes is not None:
            return self.keyed(source, chunk.pts, chunk.time_base)
        first = self.model(source, self.whole, self.look.strength)
        if self.look.mask is None or not self.pair:
            return first
        return mix(first, self.model(source, self.codes[1], self.look.strength), self.look.mask)

    def keyed(self, source: Frames, pts: NDArray[np.int64], time_base: Fraction) -> Frames:
        """Each frame by the keyframes at its time; neighbours that share all of it share a call of the model."""
        keys = self.look.keyframes
        assert keys is not None
        seconds = [float((int(t) - self.origin) * time_base) for t in pts]
        weights, strengths = keys.at(seconds), keys.strength_at(seconds) * self.look.strength
        done: list[Frames] = []
        for _, group in groupby(range(len(pts)), key=lambda i: (weights[i].tobytes(), strengths[i])):
            same: Sequence[int] = list(group)
            code = keys.codes([seconds[same[0]]], self.codes)
            done.append(self.model(source[same[0] : same[-1] + 1], code, float(strengths[same[0]])))
        return np.concatenate(done)

    def model(self, frames: Frames, code: StyleCode, strength: float) -> Frames:
        """The engine's work, in smaller and smaller parts where memory is short."""
        call = Backoff(lambda part: self.engine.stylize(part, code, strength=strength))
        call.limit = self.limit
        done: Frames = call(frames)
        self.limit = call.limit
        return done
