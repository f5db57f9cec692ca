"""Ctrl-C: the first one interrupts, those right after it change nothing."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

INTERRUPTED = 130
"""Exit code."""
PATIENCE = 5.0
"""Seconds in which further presses are ignored: they would break off the putting away of what was begun, with a traceback.
Later ones end the program at once; what a run had finished by then is kept, as after a kill."""


def guard() -> None:
    """Take over SIGINT for the rest of this process. In the main thread only."""
    first: list[float] = []

    def pressed(number: int, frame: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            raise KeyboardInterrupt
        if time.monotonic() - first[0] > PATIENCE:
            os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, pressed)
