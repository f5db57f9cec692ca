"""The source's chapters in the output's time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av.container

from vidstyle.media.mux.stream_copy import Trim


def cut_chapters(source: av.container.InputContainer, trim: Trim, shift: Fraction) -> list[Any]:
    """The source's chapters, `shift` seconds added to their times, cut and moved."""
    kept = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        start, end = max(chapter["start"] * base + shift, Fraction(0)), chapter["end"] * base + shift
        if trim.start is not None:
            start, end = max(start - trim.start, Fraction(0)), end - trim.start
        if trim.stop is not None:
            end = min(end, trim.stop - (trim.start or 0))
        if start < end:
            times = {"start": round(start / base), "end": round(end / base), "time_base": base}
            kept.append({**chapter, **times})
    return kept
