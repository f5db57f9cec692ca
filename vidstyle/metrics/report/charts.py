"""Curves over time as inline SVG, coloured by the page's own style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WIDTH, _HEIGHT = 1000, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 16, 34
BINS = 700
"""More frames than this are drawn as the largest value of each bin: a worst moment never falls out."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Mark:
    """A numbered point on the first curve."""

    seconds: float
    value: float
    label: str


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    values: Values
    """(N,), NaN where there is no number: the line is broken there."""
    css: str
    """Class of the line."""


def chart(
    title: str, seconds: Values, curves: Sequence[Curve], marks: Sequence[Mark] = (), cuts: Values | None = None
) -> str:
    """An SVG element: curves over seconds, scene cuts as dotted lines, numbered marks."""
    last = float(seconds[-1]) if len(seconds) else 0.0
    span = last or 1.0
    top = max((float(np.nanmax(c.values)) for c in curves if np.isfinite(c.values).any()), default=0.0) or 1e-6
    ticks = nice_ticks(top * 1.06)
    top = ticks[-1]

    def x(s: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * s / span

    def y(v: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - v / top)

    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {_HEIGHT}" role="img" aria-label="{title}">']
    for t in ticks:
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(t):.1f}" y2="{y(t):.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y(t) + 4:.1f}" text-anchor="end">{t:.3g}</text>')
    for t in nice_ticks(span, 8):
        if t <= span * 1.001:
            parts.append(f'<text class="tick" x="{x(t):.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{t:g} s</text>')
    for c in cuts if cuts is not None else ():
        line = f'<line class="cut" x1="{x(c):.1f}" x2="{x(c):.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}">'
        parts.append(f"{line}<title>scene cut at {c:.2f} s</title></line>")
    for curve in reversed(curves):
        for run in runs(*thinned(seconds, curve.values)):
            points = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in run)
            if len(run) == 1:
                s, v = run[0]
                parts.append(f'<circle class="dot {curve.css}" cx="{x(s):.1f}" cy="{y(v):.1f}" r="1.8"/>')
            else:
                parts.append(f'<polyline class="line {curve.css}" points="{points}"/>')
    for m in marks:
        about = f"{m.label}: {m.value:.3g} at {m.seconds:.2f} s"
        parts.append(
            f'<g class="mark"><title>{about}</title><circle cx="{x(m.seconds):.1f}" cy="{y(m.value):.1f}" r="9"/>'
            f'<text x="{x(m.seconds):.1f}" y="{y(m.value) + 4:.1f}" text-anchor="middle">{m.label}</text></g>'
        )
    return "".join([*parts, "</svg>"])


def nice_ticks(top: float, count: int = 4) -> list[float]:
    """From 0 up to at least `top` in steps of 1, 2, 2.5 or 5 times a power of ten; at most count + 1 steps."""
    raw = top / count
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999)
    return [float(i * step) for i in range(int(np.ceil(top / step - 1e-9)) + 1)]


def thinned(seconds: Values, values: Values) -> tuple[Values, Values]:
    """At most BINS points: the largest value of each bin, at its own time."""
    n = len(values)
    if n <= BINS:
        return seconds, values
    edges = np.linspace(0, n, BINS + 1).astype(int)
    pick = [a + int(np.argmax(np.nan_to_num(values[a:b], nan=-np.inf))) for a, b in pairwise(edges)]
    return seconds[pick], values[pick]


def runs(seconds: Values, values: Values) -> list[list[tuple[float, float]]]:
    """Stretches of points without NaN."""
    out: list[list[tuple[float, float]]] = []
    broken = True
    for s, v in zip(seconds.tolist(), values.tolist(), strict=True):
        if np.isnan(v):
            broken = True
            continue
        if broken:
            out.append([])
        out[-1].append((s, v))
        broken = False
    return out
