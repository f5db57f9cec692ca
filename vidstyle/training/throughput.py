"""How much a training computes, and how much of what the device could compute that is."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from vidstyle.training.recipe import Stage


def matrix_peak(device: torch.device, seconds: float = 0.3) -> float:
    """Floating-point operations per second of large bf16 matrix products on a device, random data, the fastest of three turns.

    Args:
        device: to be measured; it should have nothing else to do.
        seconds: of measuring, about.
    """
    side = 8192 if device.type == "cuda" else 512
    a, b = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    best = math.inf
    count = 1
    for _ in range(3):
        _wait(device)
        start = time.perf_counter()
        for _ in range(count):
            a @ b
        _wait(device)
        taken = time.perf_counter() - start
        best = min(best, taken / count)
        count = max(1, round(seconds / 3 / best))
    return 2 * side**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class WorkMeter:
    """Counts the convolutions and matrix products of a stage's first steps, forward and backward.

    A step differs from the next where terms are computed every few steps; so many are counted that each term has its due.

    Args:
        stage: whose steps they are.
    """

    def __init__(self, stage: Stage) -> None:
        turns = (
            (stage.every_temporal, stage.every_clips, stage.every_similarity, stage.every_identity)
            if stage.kind == "style"
            else (1,)
        )
        self._left = min(16, math.lcm(*turns))
        self._pictures = self._left * stage.batch * stage.accumulate
        self._counter = FlopCounterMode(display=False)
        self._flop = 0

    @property
    def done(self) -> bool:
        """Whether all the steps that were to be counted have been."""
        return self._left == 0

    def watch(self) -> AbstractContextManager[Any]:
        """A context for the computation of a step."""
        return nullcontext() if self.done else self._counter

    def step(self) -> None:
        """A step is over."""
        if not self.done:
            self._flop += self._counter.get_total_flops()
            self._left -= 1

    def numbers(self, pictures_per_second: float, peak: float | None) -> dict[str, float]:
        """For the log: GFLOP per photo (with the painting beside it), TFLOP per second, share of the peak; empty until all
        steps are counted.

        Args:
            pictures_per_second: photos.
            peak: of `matrix_peak`; None where it was not measured.
        """
        if not self.done:
            return {}
        flop = self._flop / self._pictures
        rate = flop * pictures_per_second
        numbers = {"gflop_per_picture": flop / 1e9, "tflop_per_second": rate / 1e12}
        return numbers if peak is None else {**numbers, "share_of_peak": rate / peak}
