"""Out of memory halves the number of frames per call and goes on; no frame is ever dropped."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError

Frames = NDArray[Any]

CACHE = threading.Lock()
"""Held while torch's CUDA cache is emptied or a CUDA graph is captured: the allocator stands neither during the other."""

_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "bad allocation",
    "bad_alloc",
    "alloc_failed",
    "could not create a memory",
)
"""What allocators say, lower case: CUDA, cuBLAS, torch's CPU allocator, OpenVINO, the C++ library."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory was short."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)


def release() -> None:
    """Give memory back that only torch's CUDA cache holds; on the processor nothing is cached."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        gc.collect()
        with CACHE:
            torch.cuda.empty_cache()


class Backoff:
    """Wraps work on (N, H, W, 3) frames: where a call runs out of memory, both halves are tried one after the other, and
    later calls start at the size that worked.

    Args:
        work: N frames in, N frames out.
    """

    def __init__(self, work: Callable[[Frames], Frames]) -> None:
        self.work = work
        self.limit: int | None = None
        """Frames per call that fit after a failure; None while nothing has failed."""

    def __call__(self, frames: Frames) -> Frames:
        """All frames, worked on, in order. Raises InputError when a single frame does not fit."""
        done: list[Frames] = []
        at = 0
        while at < len(frames):
            part = frames[at : at + (self.limit or len(frames))]
            result = self.attempt(part)
            if result is None:
                if len(part) == 1:
                    height, width = part.shape[1:3]
                    raise InputError(f"a frame of {width}x{height} does not fit in memory; try a smaller --max-side.")
                self.limit = len(part) // 2
                release()
                continue
            done.append(result)
            at += len(part)
        return done[0] if len(done) == 1 else np.concatenate(done)

    def attempt(self, part: Frames) -> Frames | None:
        """The result, or None for lack of memory: outside the handler nothing of the failed call is kept alive."""
        try:
            return self.work(part)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            return None
