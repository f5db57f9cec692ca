"""How every benchmark measures: repeats, paired comparison, peak memory, whole commands, exponents."""

from __future__ import annotations

import ctypes
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class Timing:
    """Repeats of one thing, in seconds per call unless told otherwise."""

    median: float
    low: float
    """Fastest."""
    high: float
    """Slowest."""
    repeats: int
    clock: str = "wall"
    """"wall", or "cpu": processor seconds of the process, all its threads together."""

    @classmethod
    def of(cls, values: Sequence[float], clock: str = "wall") -> Timing:
        return cls(statistics.median(values), min(values), max(values), len(values), clock)


def measure(
    call: Callable[[], object], *, warmup: int = 2, repeats: int = 5, budget: float = math.inf, clock: str = "wall"
) -> Timing:
    """Time `call` after `warmup` unmeasured calls.

    Args:
        clock: "cpu" is for one thread on a machine that others use too: it does not run while they do.
        budget: seconds after which no further repeat is begun; one is always made.
    """
    for _ in range(warmup):
        call()
    end = time.perf_counter() + budget
    values: list[float] = []
    while not values or (len(values) < repeats and time.perf_counter() < end):
        values.append(_seconds(call, CLOCKS[clock]))
    return Timing.of(values, clock)


def compare(
    a: Callable[[], object], b: Callable[[], object], *, warmup: int = 1, repeats: int = 5, clock: str = "wall"
) -> tuple[Timing, Timing, Timing]:
    """Paired A/B in one run, in the order A B, B A, A B ...: drift of the machine falls on both.

    Args:
        clock: as in `measure`.

    Returns:
        timings of a and of b, and of the ratio b / a within each pair (above 1: a is faster).
    """
    for _ in range(warmup):
        a(), b()
    pairs, now = [], CLOCKS[clock]
    for turn in range(repeats):
        if turn % 2:
            second, first = _seconds(b, now), _seconds(a, now)
        else:
            first, second = _seconds(a, now), _seconds(b, now)
        pairs.append((first, second))
    of_a, of_b = (Timing.of(values, clock) for values in zip(*pairs, strict=True))
    return of_a, of_b, Timing.of([q / p for p, q in pairs], clock)


def _seconds(call: Callable[[], object], now: Callable[[], float] = time.perf_counter) -> float:
    begin = now()
    call()
    return now() - begin


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """Slope of the least-squares line through (log size, log value): p where value ~ size^p; None below 3 points."""
    if len(sizes) < 3:
        return None
    return statistics.linear_regression([math.log(s) for s in sizes], [math.log(v) for v in values]).slope


def peak_bytes(call: Callable[[], object]) -> int | None:
    """How far the resident memory of this process rises above its present level during `call`.

    Linux with glibc only; None elsewhere. What earlier calls freed is given back to the kernel first (it would be used again
    unseen), then the kernel's high-water mark is reset.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return None
    before = _status("VmRSS")
    call()
    return max(0, _status("VmHWM") - before)


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


@dataclass(frozen=True)
class Finished:
    """A command that ran to its end."""

    seconds: float
    """Wall clock."""
    cpu_seconds: float
    """Processor time, user and system."""
    peak_mb: float
    """Largest resident memory of the process, MiB (on Linux to within its last 10 ms)."""
    stdout: str


def run_command(arguments: Sequence[str | Path]) -> Finished:
    """Run a command, with its wall clock and its peak memory as the kernel counted it. Raises RuntimeError with the end of
    stderr where it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        marks: list[int] = [0]
        watcher = threading.Thread(target=_watch, args=(process.pid, marks), daemon=True)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0), err.seek(0)
        if process.returncode:
            raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {err.read().decode()[-800:]}")
        unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, others kibibytes
        # Linux lets a child inherit the mark of the process that started it: its own one is the smaller.
        peak = max(marks) or usage.ru_maxrss * unit
        return Finished(seconds, usage.ru_utime + usage.ru_stime, peak / 2**20, out.read().decode())


def _watch(pid: int, marks: list[int]) -> None:
    """Note the high-water mark of another process, in bytes, every 10 ms until it ends."""
    while True:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return
        found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        if not found:  # ended, or not Linux
            return
        marks.append(found[0])
        time.sleep(0.01)


def vidstyle(*arguments: str | Path) -> Finished:
    """The command line of the vidstyle that this Python has."""
    return run_command([sys.executable, "-m", "vidstyle", *arguments])


_EACH = """
import json, runpy, sys
for words in json.load(sys.stdin):
    sys.argv = ["vidstyle", *words]
    try:
        runpy.run_module("vidstyle", run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        if stop.code:
            sys.exit(f"exit code {stop.code}: vidstyle {' '.join(words)}")
"""


def vidstyle_each(
    commands: Sequence[Sequence[str]], *, root: Path | None = None, folder: Path | None = None, **environment: str
) -> None:
    """`python -m vidstyle` for each command line, one after another in one process: torch is imported once. Raises RuntimeError
    with the end of stderr where one fails; the rest is then not run.

    Args:
        root: checkout whose package runs; None is this one.
        folder: current folder of the commands.
        environment: variables to add.
    """
    path = str(root or Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", _EACH],
        input=json.dumps([list(words) for words in commands]),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
