"""Does a long film need more memory than a short one, and how much does a large one need?

    python -m benchmarks.memory [--quick] [--out DIR]

Largest resident memory of `vidstyle run` as the kernel counted it, on films of moving texture: 640x360 at 2 frames per second,
20 s against 20 min (segments are 10 s), and a few frames of 3840x2160. With --quick 20 s against 60 s, and 1920x1080.
Independent of load.
"""

from __future__ import annotations

import json
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.films import texture, write
from benchmarks.harness import vidstyle
from benchmarks.record import environment, options, save

RATE, STYLE = 2, "starry-strokes"
SMALL, LARGE, FULL_HD = (640, 360), (3840, 2160), (1920, 1080)


def measured(size: tuple[int, int], seconds: int) -> dict[str, Any]:
    """Peak of the whole command on a film of this size and length."""
    frames = seconds * RATE
    with tempfile.TemporaryDirectory() as folder:
        film, output = Path(folder) / "film.mp4", Path(folder) / "styled.mp4"
        # The first run of a size may compile the network for it and keep the result: unmeasured.
        write(film, texture(*size, RATE), Fraction(RATE))
        vidstyle("run", film, "--style", STYLE, "-o", output, "-q")
        write(film, texture(*size, frames), Fraction(RATE))
        done = vidstyle("run", film, "--style", STYLE, "-o", output, "-y", "-q", "--json")
    report = json.loads(done.stdout)
    if report["frames"] != frames:
        raise RuntimeError(f"{report['frames']} of {frames} frames came out")
    row = {"width": size[0], "height": size[1], "film_seconds": seconds, "frames": frames, "repeats": 1}
    print(f"{size[0]}x{size[1]}, {seconds:5} s, {frames:5} frames: {done.peak_mb:7.1f} MiB", flush=True)
    return row | {key: report[key] for key in ("engine", "device", "precision")} | {"peak_mb": round(done.peak_mb, 1)}


def main() -> None:
    arguments = options(__doc__).parse_args()
    machine = environment()
    rows = [measured(SMALL, seconds) for seconds in ((20, 60) if arguments.quick else (20, 1200))]
    rows.append(measured(FULL_HD, 2) if arguments.quick else measured(LARGE, 4))
    growth = round(rows[1]["peak_mb"] - rows[0]["peak_mb"], 1)
    share = round(growth / rows[0]["peak_mb"], 3)
    print(f"growth with length: {growth} MiB ({share:.1%})")
    print(save(arguments.out, "memory", rows, machine, quick=arguments.quick, growth_mb=growth, growth_share=share))


if __name__ == "__main__":
    main()
