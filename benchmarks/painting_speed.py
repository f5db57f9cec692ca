"""What a painting size costs: processor time per frame of `vidstyle run` at 720p, 1080p and 4K, beside that of the transcode.

    python -m benchmarks.painting_speed [--quick] [--out DIR]

A film of two lengths goes through the command; the difference of their processor times over the difference of their frames is
what a frame costs, without the start. `transcode` is the same film decoded and the same frames encoded, nothing between: the
limit. Processor time, of all threads: on a machine that has nothing else to do and cores to share among the stages, frames per
second are about the number of cores over it. The film is a 720p clip, enlarged where it has to be.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.films import Frames, clips, data_folder, first_frames, write
from benchmarks.harness import vidstyle
from benchmarks.record import environment, options, save
from benchmarks.transcode import CLIPS_720P, HIGH, transcode_row

STYLE = "starry-strokes"
SIZES = ("source", "480", "400", "360")
LENGTHS = {"720p": (4, 16), "1080p": (3, 11), "4K": (2, 5)}
"""Frames of the two films."""


def enlarged(clip: Path, height: int, count: int) -> Iterator[Frames]:
    """The first frames of a clip at 16:9 of this height."""
    size = (height * 16 // 9, height)
    for frame in first_frames(clip, count):
        yield np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def command_rows(size: str, films: tuple[Path, Path], work: Path, wanted: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """A row for each painting size, then the transcode."""
    counts = LENGTHS[size]
    out = work / "styled.mp4"
    for paint_size in wanted:
        taken, peak, stages = [], 0.0, []
        for film in films:
            command: list[str | Path] = [
                "run",
                film,
                "--style",
                STYLE,
                "-o",
                out,
                "-y",
                "-q",
                "--json",
                "--paint-size",
                paint_size,
            ]
            done = vidstyle(*command)
            taken.append(done.cpu_seconds)
            peak = max(peak, done.peak_mb)
            stages.append(json.loads(done.stdout))
        report = stages[1]
        yield {
            "size": size,
            "what": "command",
            "paint_size": paint_size,
            "road": report["road"],
            "engine": report["engine"],
            "precision": report["precision"],
            "cpu_ms_per_frame": round(1000 * (taken[1] - taken[0]) / (counts[1] - counts[0]), 1),
            "peak_mb": round(peak, 1),
        }
    row = transcode_row(films[1], out, repeats=1, clock="cpu")
    yield {"size": size, "what": "transcode", "cpu_ms_per_frame": round(1000 * row["seconds"].median / counts[1], 1)}


def main() -> None:
    parser = options(__doc__)
    arguments = parser.parse_args()
    machine, rows = environment(), []
    data = data_folder()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        clip = data / "clips" / CLIPS_720P[1] if data else clips(1, work)[0]
        for size in list(HIGH)[: 1 if arguments.quick else None]:
            films = []
            for count in LENGTHS[size]:
                films.append(work / f"{size}-{count}.mp4")
                write(films[-1], enlarged(clip, HIGH[size], count), Fraction(25))
            for row in command_rows(size, (films[0], films[1]), work, SIZES[:2] if arguments.quick else SIZES):
                rows.append(row)
                print(*row.values(), flush=True)
    print(save(arguments.out, "painting_speed", rows, machine, quick=arguments.quick, style=STYLE))


if __name__ == "__main__":
    main()
