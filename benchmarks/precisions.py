"""What a precision costs and what it changes: fp32, bf16 and int8 under OpenVINO, on the validation set.

    python -m benchmarks.precisions --vgg FILE [--quick] [--out DIR] [--model NAME|FILE]

`levels` is the mean distance of a sample from fp32, of 255, `most` the largest; the rest is as in `benchmarks.quality`.
The precisions are timed in turn, in one process, as many frames per call as the engine takes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.films import Frames
from benchmarks.harness import Timing, measure
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, extent, line, one_model
from benchmarks.validation import KEYS, WIDTH, Rulers, Source, means, measured, sources, styles
from vidstyle.engines.base import Precision
from vidstyle.engines.openvino_engine import OpenVINOEngine, has_bf16
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import StyleCode

ROUNDS = 12
DISTANCE = ("levels", "most")


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, count = extent(arguments, quick=(1, 1, 3), full=(4, 10, 3))
    rulers = Rulers(arguments.vgg)
    rows: list[dict[str, Any]] = []
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        chosen = styles(style_count)
        engines = {p: OpenVINOEngine(find_model(arguments.model), precision=p) for p in known(arguments.model)}
        codes = {s.name: engines["fp32"].encode_style(s.picture) for s in chosen}
        for source in sources(clip_count, count, Path(folder)):
            for style in chosen:
                films = {p: engine.stylize(source.frames, codes[style.name]) for p, engine in engines.items()}
                for precision, film in films.items():
                    rows.append(
                        {"precision": precision, "clip": source.name, "style": style.name, "kind": style.kind}
                        | apart(film, films["fp32"])
                        | measured(film, source, rulers.get(style, source.short_side))
                    )
            print(source.name, flush=True)
        times = timed(engines, source, next(iter(codes.values())))
    found = {p: means([r for r in rows if r["precision"] == p], (*KEYS, *DISTANCE)) for p in engines}
    for precision, numbers in found.items():
        print(line(precision, numbers, (*KEYS, *DISTANCE)), f"  {1e3 * times[precision].median:.2f} ms a frame")
    table = {p: {**numbers, "seconds": vars(times[p])} for p, numbers in found.items()}
    more = {"quick": arguments.quick, "width": WIDTH, "frames": count, "model_digest": digest, "means": table}
    print(save(arguments.out, "precisions", rows, machine, **more))


def known(model: str) -> list[Precision]:
    """What this processor and the model can do, fp32 first."""
    more: list[tuple[Precision, bool]] = [("bf16", has_bf16()), ("int8", bool(find_model(model).int8_ranges))]
    return ["fp32", *(precision for precision, here in more if here)]


def apart(film: Frames, exact: Frames) -> dict[str, float]:
    """Mean and largest distance of the samples, of 255."""
    distance = np.abs(film.astype(int) - exact)
    return {"levels": float(distance.mean()), "most": float(distance.max())}


def timed(engines: dict[Precision, OpenVINOEngine], source: Source, code: StyleCode) -> dict[Precision, Timing]:
    """Seconds per frame of each precision: rounds in turn, so that the machine's drift falls on all."""
    height, width = source.frames.shape[1:3]
    times: dict[Precision, list[float]] = {precision: [] for precision in engines}
    for _ in range(ROUNDS):
        for precision, engine in engines.items():
            frames = np.resize(source.frames, (engine.good_batch_size(width, height), *source.frames.shape[1:]))
            call = measure(lambda e=engine, f=frames: e.stylize(f, code), warmup=1, repeats=2)  # type: ignore[misc]
            times[precision].append(call.median / len(frames))
    return {precision: Timing.of(values) for precision, values in times.items()}


if __name__ == "__main__":
    main()
