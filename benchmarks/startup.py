"""How long until something happens: help, a wrong file or style name refused, the first frame of a film.

    python -m benchmarks.startup [--quick] [--out DIR]

Each row is a whole process from its start to its end: wall clock and processor seconds, and which of the heavy packages it
imported. The one frame is of 640x360, its size and style seen before (a warm cache); it is encoded and muxed, since nobody
could look at it earlier.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.films import texture, write
from benchmarks.harness import Timing
from benchmarks.record import environment, options, save

HEAVY = ("torch", "openvino", "av", "cv2", "kornia", "numpy", "PIL", "rich", "pydantic")
STYLE, SIZE, RATE = "mosaic", (640, 360), 25


def cases(folder: Path) -> dict[str, tuple[list[str], int]]:
    """Arguments and exit code of each row; the files they name lie in `folder`."""
    write(folder / "film.mp4", texture(*SIZE, RATE), Fraction(RATE))
    (folder / "text.mp4").write_text("no video\n" * 100)
    run = ["run", "film.mp4", "-o", "out.mp4", "-y", "-q"]
    return {
        "help": (["--help"], 0),
        "help of run": (["run", "--help"], 0),
        "no such file": (["run", "nowhere.mp4", "--style", STYLE], 1),
        "not a video": (["run", "text.mp4", "--style", STYLE], 1),
        "no such style": ([*run, "--style", "mosaik"], 2),
        "one frame": ([*run, "--style", STYLE, "--end", "0.04"], 0),
    }


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a run: remembered things lie in `folder`, bytecode too (as beside an installed package), also where
    the caller's environment writes none."""
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own = {"VIDSTYLE_CACHE": "cache", "VIDSTYLE_STYLES": "styles", "PYTHONPYCACHEPREFIX": "bytecode"}
    return {**given, **{name: str(folder / place) for name, place in own.items()}}


def finished(arguments: list[str], expected: int, folder: Path, *flags: str) -> tuple[float, float, str]:
    """Wall and processor seconds of a process of the command line, and what it wrote to stderr."""
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        command = [sys.executable, *flags, "-m", "vidstyle", *arguments]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=surroundings(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read().decode()
    if process.returncode != expected:
        raise RuntimeError(f"vidstyle {' '.join(arguments)} ended with {process.returncode}: {text[-800:]}")
    return wall, usage.ru_utime + usage.ru_stime, text


def measured(name: str, arguments: list[str], expected: int, folder: Path, repeats: int) -> dict[str, Any]:
    finished(arguments, expected, folder)  # what is remembered is remembered now
    _, _, imports = finished(arguments, expected, folder, "-X", "importtime")
    loaded = set(re.findall(r"^import time:.*\| +(\w+)$", imports, re.MULTILINE))
    times = [finished(arguments, expected, folder)[:2] for _ in range(repeats)]
    wall, cpu = Timing.of([w for w, _ in times]), Timing.of([c for _, c in times], "cpu")
    heavy = [package for package in HEAVY if package in loaded]
    print(
        f"{name:14} {wall.median:6.2f} s, processor {cpu.median:5.2f} s, imports {' '.join(heavy) or 'none'}",
        flush=True,
    )
    return {"what": name, "exit": expected, "seconds": wall, "cpu_seconds": cpu, "imports": heavy}


def main() -> None:
    arguments = options(__doc__).parse_args()
    machine = environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [measured(what, *case, folder, 3 if arguments.quick else 9) for what, case in cases(folder).items()]
    print(save(arguments.out, "startup", rows, machine, quick=arguments.quick, style=STYLE, size=list(SIZE)))


if __name__ == "__main__":
    main()
