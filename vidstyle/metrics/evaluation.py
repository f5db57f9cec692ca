"""Measuring a whole film: one pass, both films streamed, memory independent of length but for a few numbers per frame."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.imaging.flow import Flow, textured_share
from vidstyle.imaging.tensors import unit_range
from vidstyle.media.cuts import CutDetector
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.metrics.fidelity import content_ms_ssim, content_ssim, detail
from vidstyle.metrics.flashes import FlashMeter
from vidstyle.metrics.flicker import flicker, still_pixels
from vidstyle.metrics.geometry import Geometry, common_geometry
from vidstyle.metrics.pairing import Counts, MatchedFrames, side_by_side
from vidstyle.metrics.report.worst_frames import Moment, Worst, thumb, thumb_error
from vidstyle.metrics.rulers import NO_STYLE, STYLE_KEYS, Measure, Ruler
from vidstyle.metrics.warp_error import error_map, motion, warp_error

STYLE_EVERY = 10
"""Distances from the style and MS-SSIM are taken on every tenth frame: they change slowly, and are slow."""


@dataclass(frozen=True)
class Options:
    """What to measure."""

    gaps: tuple[int, ...] = (1, 10)
    """Frames between the two of a pair, for E_g."""
    by_order: bool = False
    """Match frames by their order instead of their times."""
    skip: float = 0
    """Seconds of the source before the film begins, where the film is of an excerpt."""


class Table:
    """Numbers of every frame, by column; NaN where a number cannot be had. 8 bytes a number."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = {name: array("d") for name in columns}

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def add_row(self) -> int:
        """A row of NaN; returns its number."""
        for column in self._columns.values():
            column.append(math.nan)
        return len(self) - 1

    def set(self, name: str, row: int, value: float | None) -> None:
        """Put a number; None leaves NaN."""
        if value is not None:
            self._columns[name][row] = value

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """(N,) float64, a copy."""
        return np.array(self._columns[name])

    def mean(self, name: str) -> float | None:
        """Mean over the frames that have this number; None if none has."""
        values = self[name]
        values = values[~np.isnan(values)]
        return float(values.mean()) if values.size else None


def _columns(gaps: tuple[int, ...]) -> tuple[str, ...]:
    """Columns of a film's table: E_g and visible_g of a pair stand in the row of its first frame, as does flicker;
    flashes are those of the second that ends with the frame."""
    per_gap = [c for g in gaps for c in (f"E_{g}", f"source_E_{g}", f"visible_{g}")]
    styles = [c for key in STYLE_KEYS for c in (key, f"source_{key}")]
    flashes = ("flashes", "source_flashes", "red_flashes", "source_red_flashes")
    plain = ("still", "flicker", "source_flicker", "ssim", "ms_ssim")
    return ("seconds", "cut", *per_gap, *plain, *styles, "textured", *flashes)


@dataclass
class Evaluation:
    """Everything measured of one film; complete when `evaluate` returns it."""

    source: VideoInfo
    styled: VideoInfo
    geometry: Geometry
    gaps: tuple[int, ...]
    flow: str
    table: Table
    counts: Counts = field(default_factory=Counts)
    detail: float = 0.0
    """Detail of the film over detail of the source (mean luma difference between neighbours)."""
    worst: Worst = field(default_factory=lambda: Worst(5))
    worst_flicker: Worst = field(default_factory=lambda: Worst(3))
    flashes: FlashMeter = field(default_factory=FlashMeter)
    """Of the film."""
    source_flashes: FlashMeter = field(default_factory=FlashMeter)
    sample: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
    """Source and film from the middle, thumbnails."""
    style: NDArray[np.uint8] | None = None
    """Style picture, thumbnail."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why there is no distance from the style, by its key."""


def evaluate(
    source: VideoInfo,
    styled: VideoInfo,
    flow: Flow,
    *,
    rulers: Sequence[Ruler] = (),
    options: Options | None = None,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Measure `styled` against `source`.

    Args:
        source: what it was made from.
        styled: the styled film.
        flow: estimator; runs both ways once a gap and frame.
        rulers: of distances from the style; none where there is no style.
        options: default Options().
        progress: called with the number of frames done, after each.

    Raises:
        InputError: different shapes, no frame in common, or a film that cannot be read.
    """
    options = options or Options()
    geometry = common_geometry(source, styled)
    table = Table(_columns(options.gaps))
    result = Evaluation(source, styled, geometry, options.gaps, flow.name, table)
    short_side = min(geometry.width, geometry.height)
    result.missing = dict(NO_STYLE)
    result.missing |= {r.key: why for r in rulers if (why := r.why_not(short_side))}
    usable = {r.key: r.measure(short_side) for r in rulers if not r.why_not(short_side)}
    for key in usable:
        del result.missing[key]
    measure = _Pass(result, flow, usable)
    for pair in side_by_side(source, styled, geometry, result.counts, by_order=options.by_order, skip=options.skip):
        measure.add(pair)
        if progress is not None:
            progress(len(table))
    if not len(table):
        raise InputError(
            f"{styled.path}: no frame of it is shown at the time of one of {source.path}; try --pair order, or "
            "--source-start for an excerpt."
        )
    measure.finish()
    return result


class _Pass:
    """The state of one streaming pass: the last frames, as many as the largest gap needs."""

    def __init__(self, result: Evaluation, flow: Flow, rulers: Mapping[str, Measure]) -> None:
        self.result, self.flow, self.rulers = result, flow, rulers
        self.window: deque[MatchedFrames] = deque(maxlen=max(result.gaps) + 1)
        self.cuts = CutDetector()
        self.last_cut = 0
        self.details = [0.0, 0.0]
        self.half = min(i.duration or 0.0 for i in (result.source, result.styled)) / 2

    def add(self, pair: MatchedFrames) -> None:
        table, row = self.result.table, self.result.table.add_row()
        self.window.append(pair)
        cut = self.cuts(pair.source)
        if cut:
            self.last_cut = row
        table.set("seconds", row, pair.seconds)
        table.set("cut", row, float(cut))
        table.set("ssim", row, content_ssim(pair.source, pair.styled))
        table.set("textured", row, textured_share(pair.source))
        for prefix, meter, frame in (
            ("", self.result.flashes, pair.styled),
            ("source_", self.result.source_flashes, pair.source),
        ):
            flashes, red = meter.add(pair.seconds, frame)
            table.set(f"{prefix}flashes", row, flashes)
            table.set(f"{prefix}red_flashes", row, red)
        self.details = [a + detail(f) for a, f in zip(self.details, (pair.source, pair.styled), strict=True)]
        if row % STYLE_EVERY == 0:
            table.set("ms_ssim", row, content_ms_ssim(pair.source, pair.styled))
            for key, ruler in self.rulers.items():
                table.set(key, row, ruler(pair.styled))
                table.set(f"source_{key}", row, ruler(pair.source))
        if self.result.sample is None and pair.seconds >= self.half:
            self.result.sample = thumb(pair.source), thumb(pair.styled)
        if self.last_cut <= row - 1:
            self._flicker(row)
        for gap in self.result.gaps:
            # A pair with a cut between its frames is no pair.
            if row - gap >= self.last_cut:
                self._warp(row, gap)

    def _warp(self, row: int, gap: int) -> None:
        first, second = self.window[-1 - gap], self.window[-1]
        moved = motion(self.flow, first.source, second.source)
        table, start = self.result.table, row - gap
        a, b = unit_range(first.styled), unit_range(second.styled)
        value = warp_error(a, b, moved)
        table.set(f"visible_{gap}", start, moved.share)
        table.set(f"E_{gap}", start, value)
        table.set(f"source_E_{gap}", start, warp_error(unit_range(first.source), unit_range(second.source), moved))
        if gap == min(self.result.gaps) and value is not None and self.result.worst.wants(start, value):
            self._keep(
                self.result.worst, start, value, first, second, error_map(a, b, moved).numpy(), moved.visible.numpy()
            )

    def _flicker(self, row: int) -> None:
        if len(self.window) < 2:
            return
        first, second = self.window[-2], self.window[-1]
        still = still_pixels(first.source, second.source)
        value = flicker(first.styled, second.styled, still)
        table, start = self.result.table, row - 1
        table.set("still", start, float(still.mean()))
        table.set("flicker", start, value)
        table.set("source_flicker", start, flicker(first.source, second.source, still))
        if value is not None and self.result.worst_flicker.wants(start, value):
            change = np.abs(second.styled.astype(np.float32) - first.styled).mean(2) / 255
            self._keep(self.result.worst_flicker, start, value, first, second, change, still)

    @staticmethod
    def _keep(
        worst: Worst,
        index: int,
        value: float,
        first: MatchedFrames,
        second: MatchedFrames,
        error: NDArray[np.float32],
        measured: NDArray[np.bool_],
    ) -> None:
        pictures = (thumb(first.source), thumb(first.styled), thumb(second.styled))
        worst.add(Moment(index, first.seconds, value, *pictures, thumb_error(error, measured)))

    def finish(self) -> None:
        source, styled = self.details
        self.result.detail = styled / source if source > 0 else 1.0
        if self.result.sample is None:
            self.result.sample = thumb(self.window[-1].source), thumb(self.window[-1].styled)
