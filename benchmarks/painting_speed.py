"""Where the time of a frame goes: processor time of each step at 720p, 1080p and 4K, by painting size.

    python -m benchmarks.painting_speed [--quick] [--out DIR]

A 720p clip, enlarged where it has to be, goes step by step through what `vidstyle run` does on the road of planes: decode,
small copy, carrying, encode; beside them the steps of a film painted at full size: decode, RGB, encode from RGB. Processor time
of all threads per frame: on a machine with nothing else to do, frames per second are at most the number of cores over the sum.
Decode and encode are the transcode. What the model takes is in fps.json.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import av
import cv2
import numpy as np

from benchmarks.films import Frames, clips, data_folder, first_frames, write
from benchmarks.record import environment, options, save
from benchmarks.transcode import CLIPS_720P, HIGH
from vidstyle.imaging import detail_yuv
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.sizes import painting_size
from vidstyle.media.colour import to_rgb
from vidstyle.media.input.planar_reader import full_planes, small_copy
from vidstyle.media.input.probe import probe
from vidstyle.media.output.writer import EncodeSettings, VideoWriter

A = TypeVar("A")

SIZES = (480, 400, 360)
FRAMES = 8


def enlarged(clip: Path, height: int, count: int) -> Iterator[Frames]:
    """The first frames of a clip at 16:9 of this height."""
    size = (height * 16 // 9, height)
    for frame in first_frames(clip, count):
        yield np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), np.uint8)


class Clock:
    """Processor time of calls, per frame, the median of each."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    def __call__(self, name: str, call: Callable[[], A], frames: int = 1) -> A:
        begun = time.process_time()
        result = call()
        self._seconds.setdefault(name, []).append((time.process_time() - begun) / frames)
        return result

    def milliseconds(self) -> dict[str, float]:
        return {name: round(1000 * float(np.median(seconds)), 2) for name, seconds in self._seconds.items()}


def steps(film: Path, height: int, work: Path) -> Iterator[dict[str, Any]]:
    """A row of a film painted at full size (without the model), then one for each painting size."""
    info, size = probe(film), (height * 16 // 9, height)
    clock = Clock()

    def decoded() -> list[av.VideoFrame]:
        with av.open(str(film)) as container:
            container.streams.video[0].thread_type = "AUTO"
            return list(container.decode(video=0))

    def encoded(frames: list[Frame]) -> None:
        settings = EncodeSettings(threads=2)
        path = work / "out.part"
        with VideoWriter(path, width=size[0], height=size[1], time_base=Fraction(1, 25), settings=settings) as writer:
            for frame in frames:
                writer.write(frame)

    found = clock("decode", decoded, FRAMES)
    pictures = [clock("to RGB", partial(to_rgb, f, info.colour, width=size[0], height=size[1])) for f in found]
    whole = [Frame(np.asarray(p.to_ndarray(), np.uint8), i, 1, Fraction(1, 25)) for i, p in enumerate(pictures)]
    clock("encode from RGB", partial(encoded, whole), FRAMES)
    yield {"paint_size": "source", **clock.milliseconds()}
    for short in SIZES:
        clock, small_size, done = Clock(), painting_size(size, short), []
        for i, frame in enumerate(found):
            full = clock("planes", partial(full_planes, frame, info, size))
            small, guide = clock("small copy", partial(small_copy, frame, info, small_size))
            out = clock("carry", partial(detail_yuv.add_detail, small, guide, full))
            done.append(replace(whole[i], full=out))
        clock("encode planes", partial(encoded, done), FRAMES)
        yield {"paint_size": short, **clock.milliseconds()}


def main() -> None:
    parser = options(__doc__)
    arguments = parser.parse_args()
    machine, rows = environment(), []
    cv2.setNumThreads(1)
    data = data_folder()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        clip = data / "clips" / CLIPS_720P[1] if data else clips(1, work)[0]
        for name, height in list(HIGH.items())[: 1 if arguments.quick else None]:
            film = work / f"{name}.mp4"
            write(film, enlarged(clip, height, FRAMES), Fraction(25))
            for row in steps(film, height, work):
                rows.append({"size": name, **row})
                print(rows[-1], flush=True)
    print(save(arguments.out, "painting_speed", rows, machine, quick=arguments.quick, frames=FRAMES))


if __name__ == "__main__":
    main()
