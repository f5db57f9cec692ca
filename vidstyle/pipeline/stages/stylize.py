"""The model stage: source frames in, finished pictures out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidstyle.engines.backoff import Backoff
from vidstyle.engines.base import Engine, MixingEngine
from vidstyle.imaging.frame import Frame, FrameBatch
from vidstyle.models.style_code import MOST_STRENGTH, StyleCode, can_mix, stacked
from vidstyle.pipeline.plan.segments import batches
from vidstyle.pipeline.stages.detail import Kept, with_source
from vidstyle.pipeline.stages.moving_masks import MaskStack
from vidstyle.styles.masks import mix
from vidstyle.styles.request import StyleRequest

if TYPE_CHECKING:
    from vidstyle.pipeline.stages.stabilize import Stabilizer

Frames = NDArray[np.uint8]


class StyleStage:
    """Work of `run_stages`: the model, on batches that are made here, then stabilisation, mask and colour of the source.

    Args:
        request: its mask, if it has one, of the size of the frames.
        batch_size: frames per call of the model.
        origin: time of the film's first frame in ticks of the frames, which keyframes count from.

    Attributes:
        limit: frames per call that memory sufficed for; None where it always did.
    """

    def __init__(self, request: StyleRequest, engine: Engine, *, batch_size: int, origin: int) -> None:
        self.request, self.engine, self.batch_size, self.origin = request, engine, batch_size, origin
        self.codes = request.codes(engine)
        self.stabilizer = _stabilizer(request, engine)
        self.limit: int | None = None
        self._together = stacked(self.codes) if request.regions and can_mix(self.codes) else None
        self._regions: MaskStack | None = None
        self._kept: Kept | None = None

    def on(self, engine: Engine) -> StyleStage:
        """One that paints the same on another device, with the same codes and a memory of its own."""
        other = copy(self)
        other.engine = engine
        other._regions = other._kept = None  # readers of their own
        other.stabilizer = _stabilizer(self.request, engine)
        return other

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for batch in batches(frames, self.batch_size):
            done = self.finished(batch)
            del batch  # not held while waiting for the next one
            yield from done
            del done

    def finished(self, batch: FrameBatch) -> FrameBatch:
        """The same frames painted; those that are painted at full size as they are encoded."""
        request, source = self.request, batch.data
        styled = self.styled(batch)
        if self.stabilizer is not None:
            styled = self.stabilizer(batch.segment, source, styled)
        # The source has nothing to be steadied: it comes in after that, and at full size.
        if not batch.full:
            styled = with_source(styled, source, request)
            if request.keep:
                styled = self._kept_in(batch, styled)
        return replace(batch, data=styled)

    def _kept_in(self, batch: FrameBatch, styled: Frames) -> Frames:
        """Frames that are painted at full size, with the source where it is kept."""
        if self._kept is None:
            height, width = styled.shape[1:3]
            self._kept = Kept(self.request.keep, (width, height), self.origin * batch.time_base)
        triples = zip(batch.pts, batch.data, styled, strict=True)
        return np.stack([self._kept.of(int(pts) * batch.time_base, old, new) for pts, old, new in triples])

    def _by_region(self, batch: FrameBatch) -> Frames:
        """Each frame in the styles of the regions, mixed in codes where they can be, else in pictures."""
        height, width = batch.data.shape[1:3]
        if self._regions is None:
            self._regions = MaskStack(self.request.regions, (width, height), self.origin * batch.time_base)
        shares = self._regions.shares([int(pts) * batch.time_base for pts in batch.pts])
        strength = self.request.strength
        if self._together is None or not isinstance(self.engine, MixingEngine):
            total = np.zeros(batch.data.shape, np.float32)
            for i, code in enumerate(self.codes):
                total += self.model(batch.data, code, strength) * shares[:, i, :, :, None]
            return np.asarray(np.rint(total), np.uint8)
        engine, code = self.engine, self._together

        def mixed(some: Frames) -> Frames:
            which = some[:, 0, 0, 0]
            done: Frames = engine.stylize_mixed(batch.data[which], code, shares[which], strength=strength)
            return done

        # Numbers of frames in the shape of frames: what is split where memory is short.
        numbers = np.broadcast_to(np.arange(len(batch))[:, None, None, None], batch.data.shape)
        call = Backoff(mixed)
        call.limit = self.limit
        styled: Frames = call(numbers)
        self.limit = call.limit
        return styled

    def styled(self, batch: FrameBatch) -> Frames:
        """(N, H, W, 3) in the style or styles of the request."""
        request, source = self.request, batch.data
        if request.regions:
            return self._by_region(batch)
        if request.keyframes is not None:
            return self.keyed(batch)
        first = self.model(source, self.codes[0], request.strength)
        if request.mask is None or not request.mixes_two:
            return first
        return mix(first, self.model(source, self.codes[1], request.strength), request.mask)

    def keyed(self, batch: FrameBatch) -> Frames:
        """Each frame by the keyframes at its time; neighbours that share all of it share a call of the model."""
        keys = self.request.keyframes
        assert keys is not None
        seconds = [float((int(t) - self.origin) * batch.time_base) for t in batch.pts]
        weights, strengths = (
            keys.at(seconds),
            np.minimum(keys.strength_at(seconds) * self.request.strength, MOST_STRENGTH),
        )
        done: list[Frames] = []
        for _, group in groupby(range(len(batch)), key=lambda i: (weights[i].tobytes(), strengths[i])):
            same: Sequence[int] = list(group)
            code = keys.codes([seconds[same[0]]], self.codes)
            done.append(self.model(batch.data[same[0] : same[-1] + 1], code, float(strengths[same[0]])))
        return np.concatenate(done)

    def model(self, frames: Frames, code: StyleCode, strength: float) -> Frames:
        """The engine's work, in smaller and smaller parts where memory is short."""
        call = Backoff(lambda part: self.engine.stylize(part, code, strength=strength))
        call.limit = self.limit
        done: Frames = call(frames)
        self.limit = call.limit
        return done


def _stabilizer(request: StyleRequest, engine: Engine) -> Stabilizer | None:
    if not request.stabilize:
        return None
    from vidstyle.pipeline.stages.stabilize import Stabilizer  # its flow needs torch

    return Stabilizer(request.stabilize, threads=engine.threads)
