"""Four seconds of music: plucked chords and a tune over them, added up from sines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 48000
_BEAT = 0.5
_CHORDS = ((48, 55, 64, 67), (45, 52, 60, 64), (41, 53, 57, 60), (43, 50, 59, 62))
"""C, A minor, F, G: MIDI notes, two beats each."""
_TUNE = (
    (0, 76, 1),
    (1, 79, 0.5),
    (1.5, 77, 0.5),
    (2, 76, 1),
    (3, 72, 1),
    (4, 69, 0.5),
    (4.5, 72, 0.5),
    (5, 77, 1),
    (6, 74, 0.5),
    (6.5, 71, 0.5),
    (7, 79, 1),
)
"""(beat, MIDI note, beats)."""


def melody(seconds: float) -> NDArray[np.float32]:
    """(samples, 2) float32 in [-1, 1], 48 kHz stereo; silent at both ends, repeating after four seconds."""
    samples = round(seconds * RATE)
    out = np.zeros((samples, 2))
    beats = int(np.ceil(seconds / _BEAT))
    for first in range(0, beats, 8):
        for k, chord in enumerate(_CHORDS):
            for i, note in enumerate(chord):
                # A strum: each string a little later and further to the right.
                _pluck(out, (first + 2 * k) * _BEAT + 0.018 * i, note, 1.6, 0.10, pan=0.3 + 0.13 * i, ring=2.2)
        for beat, note, length in _TUNE:
            _pluck(out, (first + beat) * _BEAT, note, 1.5 * length, 0.17, pan=0.55, ring=3.0 / length)
    fade = np.minimum(1, np.minimum(np.arange(samples), np.arange(samples)[::-1]) / (0.08 * RATE))
    out *= fade[:, None]
    loudest = max(1e-9, float(np.abs(out).max()))
    return np.asarray(0.8 / loudest * out, np.float32)


def _pluck(
    out: NDArray[np.float64], start: float, note: int, length: float, level: float, *, pan: float, ring: float
) -> None:
    """Add a plucked string: partials 1/n^1.4, the higher the sooner gone; `pan` 0 is left, 1 right."""
    first = round(start * RATE)
    count = min(round(length * RATE), len(out) - first)
    if count <= 0:
        return
    t = np.arange(count) / RATE
    frequency = 440.0 * 2 ** ((note - 69) / 12)
    tone = sum(
        np.sin(2 * np.pi * frequency * n * t) * np.exp(-t * ring * (0.6 + 0.5 * n)) / n**1.4 for n in range(1, 7)
    )
    tone = tone * np.minimum(1, t / 0.004) * np.minimum(1, (length - t) / 0.05) * level
    out[first : first + count] += tone[:, None] * (np.cos(pan * np.pi / 2), np.sin(pan * np.pi / 2))
