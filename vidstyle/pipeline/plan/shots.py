"""`--style-per-shot`: the shots of a film, and styles that take turns with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from vidstyle.imaging.frame import Frame
from vidstyle.media.cuts import CutDetector
from vidstyle.media.input.concealment import ReadReport
from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.styles.film_colours import Palette, in_palette
from vidstyle.styles.keyframes import Easing, Keyframes
from vidstyle.styles.request import StyleRequest

_SMALL = (64, 36)
"""Width and height at which colours are counted."""
_SHORTEST = Fraction(1, 2)
"""Seconds: a cut sooner than that after the one before it, as a flash makes them, begins no shot."""


def needs_shots(request: StyleRequest) -> bool:
    """Whether the film is looked through before it is painted."""
    return request.keyframes is None and (request.per_shot or request.preserve_color == "match")


def with_shots(request: StyleRequest, video: VideoPlan, frozen: Mapping[str, Any]) -> StyleRequest:
    """A request whose styles take turns, a shot each, or have each shot's colours, as keys that hold; any other as it is.

    Args:
        frozen: the fingerprint of an unfinished run, whose shots stay; empty where there is none.

    Raises:
        InputError: the film cannot be decoded.
    """
    if not needs_shots(request):
        return request
    if request.preserve_color == "match":
        return _with_palettes(request, video)
    held = frozen.get("style", {}).get("keyframes")
    begins = held[0] if held else find_shots(video)
    count = len(request.styles)
    weights = np.eye(count)[np.arange(len(begins)) % count]
    hold: Easing = "hold"
    refs = tuple(style.name for style in request.styles)
    keys = Keyframes(refs, np.array(begins, np.float64), weights, np.ones(len(begins)), (hold,) * len(begins))
    return replace(request, keyframes=keys)


def _with_palettes(request: StyleRequest, video: VideoPlan) -> StyleRequest:
    """The styles anew for each shot, in its colours."""
    shots = shot_palettes(video.frames(video.start, video.stop, ReadReport()))
    if not shots:
        return request  # a cut without a frame, which is told where it is made
    styles = [style for _, palette in shots for style in in_palette(request.styles, palette)]
    shares = [style.weight for style in request.styles]
    weights = np.asarray(np.kron(np.eye(len(shots)), [shares]), np.float64)
    first = (video.info.start_pts or 0) * video.info.time_base
    times = [float(begin - first) for begin, _ in shots]
    hold: Easing = "hold"
    refs = tuple(style.name for style in styles)
    keys = Keyframes(refs, np.array(times), weights, np.ones(len(shots)), (hold,) * len(shots))
    return replace(request, styles=tuple(styles), keyframes=keys)


def find_shots(video: VideoPlan) -> list[float]:
    """Times at which the shots of a film begin, within its cut, in seconds after the film's first frame, as keyframes count.

    The film is decoded for it once, before it is painted: what a shot is must not depend on where a run begins.

    Raises:
        InputError: the film cannot be decoded, or is damaged beyond 10 %.
    """
    frames = video.frames(video.start, video.stop, ReadReport())
    first = (video.info.start_pts or 0) * video.info.time_base
    return [float(at - first) for at in shot_starts(frames)] or [0.0]


def shot_starts(frames: Iterable[Frame]) -> list[Fraction]:
    """Times in seconds at which the shots of consecutive frames begin, the first frame's first."""
    detect, starts = CutDetector(), list[Fraction]()
    for frame in frames:
        if (detect(frame.data) and frame.seconds - starts[-1] >= _SHORTEST) or not starts:
            starts.append(frame.seconds)
    return starts


def shot_palettes(frames: Iterable[Frame]) -> list[tuple[Fraction, Palette]]:
    """When the shots of consecutive frames begin, as `shot_starts`, and the colours of all frames of each."""
    detect, shots = CutDetector(), list[tuple[Fraction, Palette]]()
    for frame in frames:
        colours = Palette.of(np.asarray(cv2.resize(frame.data, _SMALL, interpolation=cv2.INTER_AREA), np.uint8))
        if (detect(frame.data) and frame.seconds - shots[-1][0] >= _SHORTEST) or not shots:
            shots.append((frame.seconds, colours))
        else:
            begin, before = shots[-1]
            shots[-1] = begin, before + colours
    return shots
