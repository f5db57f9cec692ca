"""What a training tells: a JSON line every few steps, and the same as TensorBoard charts where that is installed."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vidstyle.core.files import atomic_output, cause

Sums = dict[str, tuple[float, int]]
"""Sum and number of the values of each term."""


def cut(folder: Path, step: int) -> None:
    """Take away the last lines of `log.jsonl` that tell of steps after `step`, and a torn one: a session that was not saved
    wrote them, and the next one goes through those steps again. Lines of an earlier schedule in the same file stay."""
    path = folder / "log.jsonl"
    if not path.exists():
        return
    whole, newline, torn = path.read_text(encoding="utf-8").rpartition("\n")
    lines = whole.splitlines()
    kept = len(lines)
    while kept and json.loads(lines[kept - 1])["step"] > step:
        kept -= 1
    if torn or kept < len(lines):
        with atomic_output(path) as temporary:
            temporary.write_text("".join(line + newline for line in lines[:kept]), encoding="utf-8")


class Log:
    """Means of the terms since the last line. `log.jsonl` is appended to; `cut` alone takes lines away.

    Args:
        folder: of the run; charts go to its `tensorboard/`.
        say: is given each line as text.
        gather: gives the sums of all processes, for the one that writes.
        writes: whether this process writes.
        after: the step that is gone on from; charts show nothing later of earlier sessions.
    """

    def __init__(
        self,
        folder: Path,
        say: Callable[[str], None],
        gather: Callable[[Sums], list[Sums]] = lambda sums: [sums],
        writes: bool = True,
        after: int = 0,
    ) -> None:
        self.say, self._gather, self._writes = say, gather, writes
        self._path = folder / "log.jsonl"
        self._values: dict[str, list[float | Tensor]] = {}
        self._notes: dict[str, float | None] = {}
        self._since = time.monotonic()
        self._charts: Any = None
        if writes and find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._charts = SummaryWriter(str(folder / "tensorboard"), purge_step=after + 1 if after else None)

    def add(self, terms: Mapping[str, float | Tensor]) -> None:
        """Note the terms of a batch; tensors are looked at when the line is written, so that no step waits for the device."""
        for name, value in terms.items():
            self._values.setdefault(name, []).append(value)

    def note(self, numbers: Mapping[str, float | None]) -> None:
        """Numbers for the next line, as they are; the first process's."""
        self._notes.update(numbers)

    def write(
        self,
        head: Mapping[str, Any],
        pictures: int,
        more: Callable[[float], Mapping[str, float]] = lambda speed: {},
    ) -> None:
        """End a line.

        Args:
            head: begins the line; "step" is the charts' abscissa.
            pictures: that all processes have seen since the last line.
            more: numbers that follow from the pictures per second, for the line's end.
        """
        sums = {name: _sum(values) for name, values in self._values.items()}
        totals: Sums = {}
        for each in self._gather(sums):
            for name, (total, count) in each.items():
                before, seen = totals.get(name, (0.0, 0))
                totals[name] = (before + total, seen + count)
        now = time.monotonic()
        means = {name: total / count for name, (total, count) in totals.items() if count}
        rate = pictures / (now - self._since)
        notes = self._notes
        self._values, self._notes, self._since = {}, {}, now
        if not self._writes:
            return
        line = {**head, **means, **notes, "pictures_per_second": rate, **more(rate)}
        # JSON has no NaN and no infinity.
        line = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in line.items()}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        self.say(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in line.items()))
        if self._charts is not None:
            for name, value in line.items():
                if isinstance(value, float):
                    group = "loss" if name in means else "validation" if name in notes else "training"
                    self._charts.add_scalar(f"{group}/{name}", value, line["step"])

    def picture(self, name: str, image: Tensor, step: int) -> None:
        """A picture beside the charts, (3, H, W) float in [0, 1]."""
        if self._charts is not None:
            self._charts.add_image(name, image, step)

    def close(self) -> None:
        """Write out what is still held back."""
        if self._charts is None:
            return
        try:
            self._charts.close()
        except OSError as error:
            self.say(f"the charts could not be finished ({cause(error)})")


def _sum(values: list[float | Tensor]) -> tuple[float, int]:
    """Sum and number of the finite ones."""
    tensors = [v for v in values if isinstance(v, Tensor)]
    numbers = [v for v in values if not isinstance(v, Tensor)]
    if tensors:
        numbers += torch.stack(tensors).tolist()  # one wait for all of them
    finite = [v for v in numbers if math.isfinite(v)]
    return sum(finite), len(finite)
