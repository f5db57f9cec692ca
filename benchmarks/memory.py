"""Does a long film need more memory than a short one?

    python -m benchmarks.memory [--quick] [--out DIR]

Largest resident memory of `vidstyle run` as the kernel counted it, on 640x360 films of moving texture at 2 frames a second:
20 s and 20 min (with --quick 20 s and 60 s; segments are 10 s). Independent of load.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.films import texture, write
from benchmarks.harness import vidstyle
from benchmarks.record import environment, options, save

SIZE, RATE, STYLE = (640, 360), 2, "starry-strokes"


def main() -> None:
    arguments = options(__doc__).parse_args()
    machine = environment()
    rows: list[dict[str, Any]] = []
    for seconds in (20, 60) if arguments.quick else (20, 1200):
        frames = seconds * RATE
        with tempfile.TemporaryDirectory() as folder:
            film, output = Path(folder) / "film.mp4", Path(folder) / "styled.mp4"
            write(film, texture(*SIZE, frames), Fraction(RATE))
            done = vidstyle("run", film, "--style", STYLE, "-o", output, "-q")
        rows.append({"film_seconds": seconds, "frames": frames, "peak_mb": round(done.peak_mb, 1), "repeats": 1})
        print(f"{seconds:5} s, {frames:5} frames: {done.peak_mb:7.1f} MiB", flush=True)
    growth = round(rows[1]["peak_mb"] - rows[0]["peak_mb"], 1)
    print(f"growth: {growth} MiB")
    more = {"quick": arguments.quick, "width": SIZE[0], "height": SIZE[1], "growth_mb": growth}
    print(save(arguments.out, "memory", rows, machine, **more))


if __name__ == "__main__":
    main()
