"""`preview_video`: a few frames of a film in several styles, and how long a run would take, before one waits for it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidstyle.core.errors import UsageError
from vidstyle.engines.backoff import Backoff
from vidstyle.engines.base import Engine, cores
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.transforms import on_black, resized
from vidstyle.media.frame_at import frame_at
from vidstyle.models.registry import find_model
from vidstyle.pipeline.images import painted
from vidstyle.pipeline.job import engine_like
from vidstyle.pipeline.plan.plan import VideoPlan, plan_video
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport
from vidstyle.pipeline.run import stylize_video
from vidstyle.pipeline.stages.detail import with_source
from vidstyle.styles.contact_sheet import contact_sheet
from vidstyle.styles.film_colours import Palette, in_palette
from vidstyle.styles.request import StyleRequest

Frames = NDArray[np.uint8]
_PIECE = 24
"""Frames of the piece that is run to measure the speed."""
_MOST_FRAMES = 24
_CELL_WIDTH = 400
"""Of a sheet's pictures, pixels."""


@dataclass(frozen=True, eq=False)
class Preview:
    """Frames of a film as a run would paint them, and the speed of that run."""

    moments: tuple[Fraction, ...]
    """Seconds after the film's first frame."""
    styles: tuple[str, ...]
    rows: tuple[tuple[Frames, ...], ...]
    """For each moment the frame, then the frame in each style: (H, W, 3) uint8 at the size of the result."""
    aspect: Fraction
    """Width of a pixel on the screen over its height."""
    measured: RunReport
    """Of a run over the piece that the middle frame begins."""
    film_frames: int | None
    """Frames that a run of the whole film has; None where the film does not tell."""

    @property
    def fps(self) -> float:
        """Frames per second of a run once it is under way: the slowest stage of the measured piece sets the pace."""
        return self.measured.frames / max(*self.measured.stages.values(), 1e-9)

    @property
    def seconds(self) -> float | None:
        """About how long a run takes after its start; None where the film does not tell how long it is."""
        return None if self.film_frames is None else self.film_frames / self.fps

    def sheet(self) -> Frames:
        """All pictures with their captions, a row a moment, (H, W, 3) uint8."""
        height, width = self.rows[0][0].shape[:2]
        cell = (_CELL_WIDTH, max(1, min(4 * _CELL_WIDTH, round(_CELL_WIDTH * height / (width * self.aspect)))))
        cells = []
        for moment, row in zip(self.moments, self.rows, strict=True):
            for name, picture in zip((f"{float(moment):.2f} s", *self.styles), row, strict=True):
                shown = Image.fromarray(picture).resize(cell, Image.Resampling.LANCZOS)
                cells.append((name, np.asarray(shown)))
        return contact_sheet(cells, columns=1 + len(self.styles), cell=cell)


def preview_video(
    source: str | Path,
    styles: Sequence[str],
    *,
    frames: int = 3,
    options: RunOptions | None = None,
    engine: Engine | None = None,
) -> Preview:
    """Paint frames, evenly spread over a film, in each of several styles as they are read, and measure a run's speed.

    Args:
        source: a video file, or numbered pictures.
        styles: each for itself, not blended.
        frames: how many, 1 to 24; a film that does not say how long it is shows its first one alone.
        options: as of a run; output, cut, fit, mask, keyframes and steadying do not count.
        engine: what runs the model; None makes what the options say.

    Raises:
        InputError, UsageError: as of `stylize_video`.
    """
    if not 1 <= frames <= _MOST_FRAMES:
        raise UsageError(f"--frames {frames}: must be between 1 and {_MOST_FRAMES}.")
    if not styles:
        raise UsageError("no style given; add --style NAME (see: vidstyle styles) or --style picture.jpg.")
    with tempfile.TemporaryDirectory(prefix="vidstyle-preview-") as folder:
        one_frame: dict[str, Any] = {
            "mask": None,
            "regions": (),
            "keep": (),
            "keyframes": None,
            "stabilize": 0.0,
            "start": None,
            "end": None,
        }
        settings = replace(options or RunOptions(), out_dir=Path(folder), fit=0, resume=False, **one_frame)
        video = plan_video(Path(source), None, settings, threads=settings.threads or cores())
        requests = [settings.style_request(style) for style in styles]
        engine = engine or engine_like(find_model(settings.model), settings, {})
        shown = [frame_at(video.info, moment) for moment in _moments(video, frames)]
        painters = [] if settings.preserve_color == "match" else [_painter(request, engine) for request in requests]
        rows = [
            _row(
                frame,
                video,
                requests[0],
                painters or [_painter(_in_colours(r, frame), engine) for r in requests],
                settings,
            )
            for frame in shown
        ]
        moments = [frame.seconds - (video.info.start_pts or 0) * video.info.time_base for frame in shown]
        begin = moments[len(moments) // 2]
        length = Fraction(_PIECE) / (video.rate or 25)
        piece = replace(settings, start=begin, end=begin + length)
        measured = stylize_video(source, None, requests[0], options=piece, engine=engine)
    return Preview(tuple(moments), tuple(styles), tuple(rows), video.aspect, measured, video.expected_frames())


def _moments(video: VideoPlan, count: int) -> list[Fraction]:
    """Seconds after the first frame of the middles of as many equal parts of the film."""
    seconds = video.info.duration
    return [Fraction(seconds) * (2 * i + 1) / (2 * count) for i in range(count)] if seconds else [Fraction(0)]


def _painter(request: StyleRequest, engine: Engine) -> Backoff:
    """What paints frames in a style."""
    code = request.codes(engine)[0]
    return Backoff(lambda frames: engine.stylize(frames, code, strength=request.strength))


def _in_colours(request: StyleRequest, frame: Frame) -> StyleRequest:
    """The request in the palette of one frame, where a run takes that of its shot."""
    return replace(request, styles=in_palette(request.styles, Palette.of(frame.data)))


def _row(
    frame: Frame, video: VideoPlan, request: StyleRequest, painters: Sequence[Backoff], options: RunOptions
) -> tuple[Frames, ...]:
    """A frame at the size of the result, and as each painter has it."""
    source = on_black(resized(frame, video.size)).data
    styled = [with_source(painted(source, each, options)[None], source[None], request)[0] for each in painters]
    return (source, *styled)
