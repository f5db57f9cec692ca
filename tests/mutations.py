"""Spoilt copies of small files, always the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SEEDS: dict[str, dict[str, Any]] = {
    "mp4": {"codec": "libx264", "sound": "aac"},
    "mov": {"codec": "mpeg4", "sound": "aac"},
    "mkv": {"codec": "libx264", "sound": "libopus"},
    "webm": {"codec": "libvpx-vp9", "sound": "libopus", "options": {"cpu-used": "8"}},
    "avi": {"codec": "mpeg4", "sound": "libmp3lame"},
    "ts": {"codec": "libx264", "sound": "ac3"},
    "mpg": {"codec": "mpeg2video", "sound": "mp2"},
    "gif": {"codec": "gif", "pix_fmt": "rgb8", "rate": 10},
}
"""Suffix -> how the `make_clip` fixture makes the sound file."""


def spoilt_files(folder: Path, make_clip: Callable[..., Path], count: int, *, seed: int) -> Iterator[Path]:
    """`count` files, of each kind in turn, written into `folder`."""
    corpus = {
        suffix: make_clip(f"seed.{suffix}", frames=20, **options).read_bytes() for suffix, options in SEEDS.items()
    }
    rng = np.random.default_rng(seed)
    for i in range(count):
        suffix = list(SEEDS)[i % len(SEEDS)]
        path = folder / f"{i:03d}.{suffix}"
        path.write_bytes(mutate(corpus[suffix], rng, int(rng.integers(5))))
        yield path


def mutate(data: bytes, rng: np.random.Generator, kind: int) -> bytes:
    """One of: flipped bits, a cut, a piece left out, a piece repeated, a large number in a box or element size."""
    spoilt = bytearray(data)
    n = len(spoilt)
    if kind == 0:
        for position in rng.integers(0, n, int(rng.integers(1, 200))):
            spoilt[position] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del spoilt[int(rng.integers(1, n)) :]
    elif kind == 2:
        start = int(rng.integers(0, n))
        del spoilt[start : start + int(rng.integers(1, max(2, n // 4)))]
    elif kind == 3:
        start = int(rng.integers(0, n))
        piece = spoilt[start : start + 500]
        spoilt[start:start] = piece
    else:
        for _ in range(3):
            position = int(rng.integers(0, max(1, n - 4)))
            spoilt[position : position + 4] = int(rng.choice([0, 1, 2**31 - 1, 2**32 - 1, n])).to_bytes(4, "big")
    return bytes(spoilt)
