"""The clip maker itself: tests that lean on it must be able to trust it."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.conftest import ClipMaker


def test_lossless_clip_holds_exactly_the_pattern(make_clip: ClipMaker) -> None:
    path = make_clip("exact.mkv", codec="ffv1", pix_fmt="bgr0", frames=5, width=33, height=21)
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(frames) == 5
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame, make_clip.pattern(index, 33, 21))


def test_times_are_the_ones_asked_for(make_clip: ClipMaker) -> None:
    pts = [1000, 1040, 1100, 1500]
    path = make_clip("vfr.mkv", pts=pts, time_base=Fraction(1, 1000))
    with av.open(str(path)) as container:
        times = [f.pts * f.time_base for f in container.decode(video=0)]
    assert times == [Fraction(p, 1000) for p in pts]


@pytest.mark.parametrize(
    ("suffix", "sound"), [("mp4", "aac"), ("mkv", "libopus"), ("mov", "pcm_s16le"), ("avi", "libmp3lame")]
)
def test_sound_lasts_as_long_as_the_film(make_clip: ClipMaker, suffix: str, sound: str) -> None:
    codec = "mpeg4" if suffix == "avi" else "libx264"
    path = make_clip(f"clip.{suffix}", codec=codec, frames=25, rate=25, sound=sound)
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 25
        container.seek(0)
        samples = sum(f.samples for f in container.decode(audio=0))
    assert 48000 <= samples <= 48000 + 3 * 1152
