"""The limit beside the command: same frames, same encoder; clips of the sizes that are promised."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.transcode import HIGH, high_clips, transcode_row


def test_row(make_clip: Any) -> None:
    """As many frames as there are, and about the bytes that the same encoder wrote before: CRF 18 of a decoded CRF 18 film."""
    options = {"crf": "18", "preset": "veryfast"}
    source, finished = (make_clip(frames=12, width=160, height=96, options=options) for _ in range(2))
    row = transcode_row(source, finished, repeats=2, clock="wall")
    assert (row["frames"], row["width"], row["height"]) == (12, 160, 96)
    assert row["seconds"].repeats == 2
    assert row["fps"] == pytest.approx(12 / row["seconds"].median, rel=0.01)
    assert row["source_bytes"] == source.stat().st_size
    assert 0.3 < row["output_bytes"] / finished.stat().st_size < 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("size", HIGH)
def test_sizes(size: str) -> None:
    for _, pictures in high_clips(size, 1):
        (frame,) = pictures
        assert frame.shape == (HIGH[size], HIGH[size] * 16 // 9, 3)
