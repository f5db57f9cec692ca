"""Frames per call of the engine: as many as memory bears, of those the quickest, measured once for a size and remembered."""

from __future__ import annotations

import json
import os
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.core import cache
from vidstyle.engines.base import Engine
from vidstyle.models.style_code import StyleCode

BYTES_A_PIXEL = 300
"""That a call needs for each pixel of its frames, pixels in and out and activations: 1.7 GiB were measured for one of
3840x2160 (benchmarks/results/memory.json), which is 220."""
SHARE = 0.25
"""Of the free memory that a call may take: the queues before and after the model hold frames too, and other programs go on."""
_PIXELS = 1 << 20
"""In the guessed number of frames, above which nothing is measured: a call then takes so long that what a call costs besides
does not count."""
_SLOW = 0.5
"""Seconds of a call, above which likewise nothing is tried."""


def choose_batch_size(engine: Engine, size: tuple[int, int]) -> int:
    """The number of frames per call that gives most frames per second, among the engine's own guess, half and twice that, and
    those that memory bears.

    For large frames it is the guess, and on a GPU: its first calls measure the making of its kernels.

    Args:
        size: (width, height).
    """
    pixels = size[0] * size[1]
    guess = max(1, min(engine.good_batch_size(*size), affordable(pixels)))
    if engine.device != "cpu" or guess * pixels > _PIXELS:
        return guess
    return remembered(engine, size, guess)


def affordable(pixels: int) -> int:
    """Frames that a share of the free memory suffices for; a very large number where the system does not tell."""
    free = free_bytes()
    return 1 << 30 if free is None else int(free * SHARE) // (BYTES_A_PIXEL * pixels)


def free_bytes() -> int | None:
    """Memory of the machine that can be had without pushing anything out; None where it cannot be known."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def remembered(engine: Engine, size: tuple[int, int], guess: int) -> int:
    """The measured best, from the cache where this machine has measured it before."""
    entry = cache.entry(
        "chunk",
        code_of=cache.code_digest("vidstyle.models", "vidstyle.engines"),
        engine=[engine.name, engine.precision, engine.threads],
        torch=version("torch"),
        model=engine.model.digest,
        size=list(size),
        guess=guess,
    )
    if (stored := cache.load(entry)) is not None:
        return int(json.loads(stored))
    best = measured(engine, size, guess)
    cache.save(entry, json.dumps(best).encode())
    return best


def measured(engine: Engine, size: tuple[int, int], guess: int) -> int:
    """The quickest of guess, guess / 2 and 2 * guess, by frames of noise in the style of noise."""
    noise = np.random.default_rng(0)
    code = engine.encode_style(noise.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    frames = noise.integers(0, 256, (2 * guess, size[1], size[0], 3), dtype=np.uint8)
    engine.stylize(frames[:guess], code)  # the first call makes what later ones need
    begun = time.perf_counter()
    engine.stylize(frames[:guess], code)
    if time.perf_counter() - begun > _SLOW:
        return guess
    counts = {max(1, guess // 2), guess, min(2 * guess, max(guess, affordable(size[0] * size[1])))}
    return max(sorted(counts), key=lambda count: speed(engine, frames[:count], code))


def speed(engine: Engine, frames: NDArray[np.uint8], code: StyleCode) -> float:
    """Frames per second: the better of two calls, after one that is not measured."""
    engine.stylize(frames, code)
    seconds = []
    for _ in range(2):
        begun = time.perf_counter()
        engine.stylize(frames, code)
        seconds.append(time.perf_counter() - begun)
    return len(frames) / min(seconds)
