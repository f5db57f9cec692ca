"""The result as one HTML file that needs nothing else: pictures, curves and style are inside it."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle._version import __version__
from vidstyle.core.files import atomic_output
from vidstyle.metrics.evaluation import Evaluation
from vidstyle.metrics.report.charts import Curve, Mark, Values, chart
from vidstyle.metrics.report.tables import metric_rows
from vidstyle.metrics.report.worst_frames import Moment

HIDDEN = (64, 66, 74)
"""Colour of pixels of a heat map that were not measured."""


def write_page(result: Evaluation, summary: dict[str, Any], path: Path) -> None:
    """Write the report.

    Args:
        result: of `evaluate`.
        summary: of `vidstyle.metrics.report.summary.summary`.
        path: the .html file.

    Raises:
        InputError: the file cannot be written.
    """
    text = render(result, summary)
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def render(result: Evaluation, summary: dict[str, Any]) -> str:
    """The page's HTML."""
    table, gap = result.table, min(result.gaps)
    seconds = table["seconds"]
    cuts = seconds[table["cut"] > 0]
    warp = result.worst.moments
    still = result.worst_flicker.moments
    names = [Curve("film", table[f"E_{gap}"], "film"), Curve("source", table[f"source_E_{gap}"], "source")]
    flicker = [Curve("film", table["flicker"], "film"), Curve("source", table["source_flicker"], "source")]
    template = Template(files("vidstyle.metrics.report").joinpath("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        styled=html.escape(result.styled.path.name),
        source=html.escape(result.source.path.name),
        size=f"{result.geometry.width} × {result.geometry.height}",
        frames=summary["frames"],
        duration=f"{float(seconds[-1]):.1f}",
        flow=html.escape(summary["flow"]),
        version=__version__,
        cards="".join(_card(*row) for row in metric_rows(summary)),
        notes=_notes(summary["why"]),
        pictures=_pictures(result),
        gap=gap,
        gaptext=_frames(gap),
        warp_chart=_chart(f"E_{gap} over time", seconds, names, warp, cuts, "E"),
        flicker_chart=_chart("Flicker over time", seconds, flicker, still, cuts, "F"),
        warp_moments=_moments(warp, "E", f"E_{gap}", gap),
        flicker_moments=_moments(still, "F", "flicker", 1),
    )


def _chart(
    title: str, seconds: Values, curves: Sequence[Curve], moments: Sequence[Moment], cuts: Values, letter: str
) -> str:
    if not any(np.isfinite(c.values).any() for c in curves):
        return '<p class="none">There is no pair of frames to measure this on; the notes above say why.</p>'
    marks = [Mark(m.seconds, m.value, f"{letter}{n}") for n, m in enumerate(moments, 1)]
    return chart(title, seconds, curves, marks, cuts)


def _card(key: str, styled: str, source: str, meaning: str) -> str:
    name = key.replace("_", " ") if not key.startswith("E_") else f"E<sub>{key[2:]}</sub>"
    beside = f'<span class="floor">source {source}</span>' if source not in ("-", "1") else ""
    about = f'<p class="mean">{html.escape(meaning)}</p>'
    return f'<div class="card"><h3>{name}</h3><p class="value">{styled}</p>{beside}{about}</div>'


def _notes(why: dict[str, str]) -> str:
    if not why:
        return ""
    items = "".join(f"<li><code>{html.escape(k)}</code> {html.escape(v)}.</li>" for k, v in why.items())
    return f'<section class="notes"><h2>Read with care</h2><ul>{items}</ul></section>'


def _pictures(result: Evaluation) -> str:
    assert result.sample is not None
    pictures = [("source", result.sample[0]), ("film", result.sample[1])]
    if result.style is not None:
        pictures.append(("style", result.style))
    return "".join(_figure(image, caption) for caption, image in pictures)


def _moments(moments: Sequence[Moment], letter: str, name: str, gap: int) -> str:
    """Rows of four pictures, the heat maps of all rows on one scale."""
    known = [m.error[np.isfinite(m.error)] for m in moments]
    scale = max((float(np.percentile(k, 99)) for k in known if k.size), default=0.0) or 1e-6
    rows = []
    for n, m in enumerate(moments, 1):
        title = f'<b class="badge">{letter}{n}</b> {m.seconds:.2f} s <span>frame {m.index}, {name} {m.value:.3g}</span>'
        figures = (
            _figure(m.source, "source")
            + _figure(m.styled, "film")
            + _figure(m.later, f"film, {_frames(gap)} later")
            + _figure(heat(m.error, scale), f"error (white: {scale:.2g} and more)")
        )
        rows.append(f'<article class="moment"><h3>{title}</h3><div class="four">{figures}</div></article>')
    return "".join(rows)


def heat(error: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    """(h, w) errors as (h, w, 3) uint8 RGB: black at 0, bright at `scale`, grey where NaN. The root is shown, so that small
    errors can be seen beside large ones."""
    level = np.sqrt(np.clip(np.nan_to_num(error) / scale, 0, 1))
    coloured = cv2.applyColorMap(np.rint(level * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1].copy()
    coloured[np.isnan(error)] = HIDDEN
    return np.asarray(coloured, np.uint8)


def _frames(gap: int) -> str:
    return f"{gap} frame{'s' * (gap > 1)}"


def _figure(image: NDArray[np.uint8], caption: str) -> str:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    url = "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
    about = html.escape(caption)
    return f'<figure><img src="{url}" alt="{about}"><figcaption>{about}</figcaption></figure>'
