"""Does int8 pay? The model quantised after training (NNCF), beside bf16 and fp32: speed, levels off, steadiness and style.

    python -m benchmarks.int8 --vgg FILE [--quick] [--out DIR] [--model NAME|FILE]

Convolutions between the first and the last become int8, calibrated on frames of a clip that is not measured; attention,
normalisation, first and last convolution keep the precision that the engine gives them. Needs `pip install nncf`. The three
forms are timed in turn, in one process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import openvino

from benchmarks.films import Frames, clips, first_frames, shortened
from benchmarks.harness import Timing
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, extent, line, one_model
from benchmarks.validation import KEYS, WIDTH, Rulers, Source, means, measured, sources, styles
from vidstyle.engines import openvino_graph as graphs
from vidstyle.engines.graph import tensors_of
from vidstyle.engines.openvino_engine import OpenVINOEngine, shared
from vidstyle.models.attention import StyleCode

CALIBRATION = 24
"""Frames that ranges of activations are taken from."""
SPEED_FRAMES, ROUNDS = 8, 12


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, count = extent(arguments, quick=(1, 1, 6), full=(4, 5, 8))
    rulers = Rulers(arguments.vgg)
    rows: list[dict[str, Any]] = []
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        chosen = styles(style_count)
        engine = OpenVINOEngine(arguments.model, precision="fp32")
        codes = {s.name: engine.encode_style(s.picture) for s in chosen}
        seen = list(sources(clip_count, count, work))
        # The last clip of the set is left for calibration.
        taken = list(first_frames(shortened(clips(8, work)[-1], work, width=WIDTH, frames=CALIBRATION), CALIBRATION))
        forms: dict[str, Callable[[Frames, StyleCode], Frames]] = {}
        for source in seen:
            size = source.frames.shape[1:3]
            forms = made(engine, size, taken, list(codes.values()))
            for style in chosen:
                code, exact = codes[style.name], None
                for name, paint in forms.items():
                    frames = np.concatenate([paint(f[None], code) for f in source.frames])
                    exact = frames if exact is None else exact
                    rows.append(row(name, source, style.name, frames, exact, rulers.get(style, source.short_side)))
            print(source.name, flush=True)
        times = timed(forms, seen[-1], next(iter(codes.values())))
    found = {n: means([r for r in rows if r["form"] == n], (*KEYS, "levels")) | {"seconds": times[n]} for n in forms}
    for name, numbers in found.items():
        print(line(name, numbers, (*KEYS, "levels")), f"  {1e3 * numbers['seconds'].median:.2f} ms a frame")
    table = {n: {**f, "seconds": vars(f["seconds"])} for n, f in found.items()}
    more = {"quick": arguments.quick, "width": WIDTH, "model_digest": digest, "means": table}
    print(save(arguments.out, "int8", rows, machine, **more))


def made(
    engine: OpenVINOEngine, size: tuple[int, int], taken: list[Frames], codes: list[StyleCode]
) -> dict[str, Callable[[Frames, StyleCode], Frames]]:
    """The three forms, fp32 first; each call one frame, both cores on it."""
    graph = graphs.convert(engine.reference.model, *size, codes[0], strength=False)
    reduced = quantised(graph, size, taken, codes)
    forms = {"fp32": (graph, "f32"), "bf16": (graphs.with_float32_kept(graph), "bf16"), "int8": (reduced, "bf16")}
    return {name: partial(painted, compiled(*form)) for name, form in forms.items()}


def compiled(graph: openvino.Model, hint: str) -> openvino.InferRequest:
    config = {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": 1}
    return openvino.Core().compile_model(graph, "CPU", config).create_infer_request()


def painted(request: openvino.InferRequest, frames: Frames, code: StyleCode) -> Frames:
    """(1, H, W, 3) uint8 in and out."""
    request.infer([shared(v) for v in (frames, *(t.numpy() for t in tensors_of(code)))])
    return np.array(request.get_output_tensor().data)


def quantised(
    graph: openvino.Model, size: tuple[int, int], taken: list[Frames], codes: list[StyleCode]
) -> openvino.Model:
    """A copy with int8 convolutions."""
    import cv2
    import nncf

    convolutions = [n.get_friendly_name() for n in graph.get_ordered_ops() if n.get_type_name() == "Convolution"]

    def example(at: int) -> list[Any]:
        frame = np.asarray(cv2.resize(taken[at], size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        return [frame[None], *(t.numpy() for t in tensors_of(codes[at % len(codes)]))]

    delicate = nncf.IgnoredScope(
        types=["MatMul", "ReduceMean", "Multiply", "Add", "Subtract", "Divide", "Interpolate", "AvgPool", "Concat"],
        names=[convolutions[0], convolutions[-1]],
    )
    return nncf.quantize(
        graph.clone(), nncf.Dataset(list(range(len(taken))), example), subset_size=len(taken), ignored_scope=delicate
    )


def row(form: str, source: Source, style: str, frames: Frames, exact: Frames, ruler: Any) -> dict[str, Any]:
    """Numbers of one film; `levels`: mean distance from fp32, of 255."""
    levels = float(np.abs(frames.astype(int) - exact).mean())
    return {"form": form, "clip": source.name, "style": style, "levels": levels, **measured(frames, source, ruler)}


def timed(
    forms: dict[str, Callable[[Frames, StyleCode], Frames]], source: Source, code: StyleCode
) -> dict[str, Timing]:
    """Seconds a frame of each form: rounds in turn, so that the machine's drift falls on all."""
    from benchmarks.harness import measure

    frames = source.frames[:SPEED_FRAMES]
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(ROUNDS):
        for name, paint in forms.items():
            once = measure(lambda p=paint: [p(f[None], code) for f in frames], warmup=1, repeats=1)  # type: ignore[misc]
            times[name].append(once.median / len(frames))
    return {name: Timing.of(values) for name, values in times.items()}


if __name__ == "__main__":
    main()
