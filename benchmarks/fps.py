"""Frames per second: the model alone, and `vidstyle run` as a whole, by frame size, engine and precision.

    python -m benchmarks.fps [--quick] [--device auto|cpu|cuda|cuda:N|mps] [--out DIR]
                             [--high [--frames N] [--options "..."].. [--size 720p|1080p|4K]..]

Model alone: as many frames per call as the engine takes at a time (`frames`; `seconds`: of the call), uint8 in and out,
the style encoded before. Whole command: a fresh process on an H.264 film of moving texture, from the start of Python to the
finished file; `stages` are the seconds in which decoding, model and encoding worked (they overlap), as `run --json` reports
them. --threads is for the model alone; `taskset` limits both. `bound` says what the processor could do at best. Beside each
command stands `transcode`: the same source decoded and the same finished frames encoded, nothing between; with both, the files'
sizes, and of the command its peak memory.

--high measures the command and `transcode` at 720p, 1080p and 4K instead, on two clips and the demo scene (transcode.py);
with --quick on one clip. With several --options each clip is measured with one set after the other. A command that takes
longer than ENOUGH is run once, not three times.

With --device cuda only the GPU is measured, and more closely: which one and its driver, in each precision; CUDA graphs beside
single launches; with the copies to and from the GPU and without; the whole command with FFmpeg's decoder and encoder and, where
they start, with the GPU's. The command's segments last a second, so that several GPUs have something to share.
"""

from __future__ import annotations

import json
import shlex
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.bound import multiplications, peaks
from benchmarks.cuda import PRECISIONS, gpu, model_rows
from benchmarks.films import Frames, texture, write
from benchmarks.harness import Timing, measure, vidstyle
from benchmarks.record import environment, options, save, timing_options
from benchmarks.transcode import HIGH, high_clips, transcode_row
from vidstyle.engines.base import Precision, cores
from vidstyle.engines.choose import PREFERENCE, examine, explain, make_engine
from vidstyle.media.output.codecs import opens
from vidstyle.models.registry import find_model
from vidstyle.styles.resolve import resolve

STYLE = "starry-strokes"
SIZES = ((256, 144), (512, 288), (640, 360), (1280, 720), (1920, 1080), (3840, 2160))
QUICK = SIZES[:2] + SIZES[3:4]
SECONDS = 5.0
"""Of measuring a row, about."""
ENOUGH = 30.0
"""Seconds of a command that need no second run: what disturbs it for a moment no longer counts."""
SLOW_START, ONE_SIZE = "torch-compile", ((512, 288),)
"""An engine that compiles for so long that it is measured at one size."""


def settings(quick: bool, device: str = "auto") -> list[tuple[str, str, str]]:
    """(engine, device, precision) that this machine can do: what `auto` takes, half precision and float32 beside it."""
    rows: list[tuple[str, str, str]] = []
    for choice in explain():
        if choice.usable and device in ("auto", choice.device):
            others: tuple[str, ...] = () if choice.engine == SLOW_START else ("fp32",)
            if choice.precision == "int8":
                from vidstyle.engines.openvino_engine import has_bf16

                others = ("bf16", "fp32") if has_bf16() else others
            rows += [(choice.engine, choice.device, p) for p in dict.fromkeys((str(choice.precision), *others))]
    return rows[:2] if quick else rows


def model_alone(
    setting: tuple[str, str, str], sizes: Sequence[tuple[int, int]], *, budget: float, threads: int | None, clock: str
) -> Iterator[dict[str, Any]]:
    """A row a size."""
    engine, device, precision = setting
    made = make_engine(engine=engine, device=device, precision=precision, threads=threads)
    style = resolve(STYLE)
    assert not isinstance(style, Path)
    code = made.encode_style(style)
    for width, height in ONE_SIZE if engine == SLOW_START else sizes:
        count = made.good_batch_size(width, height)
        frames = np.stack(list(texture(width, height, count)))
        first = measure(partial(made.stylize, frames, code), warmup=0, repeats=1)
        time = measure(partial(made.stylize, frames, code), warmup=2, repeats=30, budget=budget, clock=clock)
        row = {"what": "model", "engine": engine, "device": device, "precision": precision, "threads": made.threads}
        yield {
            **row,
            "width": width,
            "height": height,
            "frames": count,
            "first_call": first,
            "seconds": time,
            "fps": round(count / time.median, 2),
        }


def whole_command(
    setting: tuple[str, str, str], pictures: Iterable[Frames], repeats: int, clock: str, more: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Two rows: the median run's report beside the wall clocks of all; and `transcode`, where the output is our H.264.

    Args:
        setting: (engine, device, precision).
        pictures: of the film, (H, W, 3) uint8 each.
        more: further options of the command.
    """
    engine, device, precision = setting
    with tempfile.TemporaryDirectory() as folder:
        film, output = Path(folder) / "film.mp4", Path(folder) / "styled.mp4"
        write(film, pictures, Fraction(25))
        chosen = ["--engine", engine, "--device", device, "--precision", precision, *more]
        command: list[str | Path] = ["run", film, "--style", STYLE, "-o", output, "-y", "-q", "--json", *chosen]
        done = [vidstyle(*command)]
        while len(done) < repeats and done[0].seconds < ENOUGH:
            done.append(vidstyle(*command))
        files = {"source_bytes": film.stat().st_size, "output_bytes": output.stat().st_size}
        bare = None if "--codec" in more else transcode_row(film, output, repeats=repeats, clock=clock)
    taken = {d: d.cpu_seconds if clock == "cpu" else d.seconds for d in done}
    time = Timing.of(list(taken.values()), clock)
    report = json.loads(min(done, key=lambda d: abs(taken[d] - time.median)).stdout)
    busy, frames = sum(report["stages"].values()), report["frames"]
    yield {
        "what": "command",
        "engine": report["engine"],
        "device": report["device"],
        **({"options": " ".join(more)} if more else {}),
        "precision": report["precision"],
        "width": report["width"],
        "height": report["height"],
        "frames": frames,
        "seconds": time,
        "fps": round(frames / time.median, 2),
        "fps_after_start": round(report["fps"], 2),
        "stages": {k: round(v, 3) for k, v in report["stages"].items()},
        "stage_shares": {k: round(v / busy, 3) for k, v in report["stages"].items()},
        "peak_mb": round(statistics.median(d.peak_mb for d in done), 1),
        **files,
    }
    if bare is not None:
        yield bare


def high_rows(
    setting: tuple[str, str, str],
    sizes: Sequence[str],
    *,
    quick: bool,
    frames: int,
    clock: str,
    sets: Sequence[Sequence[str]],
) -> Iterator[dict[str, Any]]:
    """The command and `transcode` at 720p, 1080p and 4K: for each clip, two rows a set of options."""
    for size in sizes:
        for clip, pictures in islice(high_clips(size, frames), 1 if quick else None):
            kept = list(pictures)
            for more in sets:
                for row in whole_command(setting, kept, 1 if quick else 3, clock, more):
                    yield {**row, "size": size, "clip": clip}


def bound(threads: int) -> dict[str, Any]:
    """The network's multiplications for a pixel, and how many a second this processor does in matrix products."""
    return {"multiplications": multiplications(find_model().load()), "peaks": peaks(threads), "threads": threads}


def missing(device: str) -> str | None:
    """Why there is no such device here; None where there is."""
    rows = [examine(engine, device, find_model()) for engine, known in PREFERENCE if known == device.partition(":")[0]]
    return None if any(r.usable for r in rows) else "; ".join(r.why for r in rows) or "no such device is known"


def cuda_rows(
    device: str, sizes: Sequence[tuple[int, int]], *, budget: float, threads: int | None
) -> Iterator[dict[str, Any]]:
    """The model alone on a GPU."""
    import torch

    from vidstyle.engines.cuda.engine import CudaEngine

    def make(precision: str, graph: bool) -> CudaEngine:
        known = cast(Precision, precision)
        return CudaEngine(find_model(), device=device, precision=known, threads=threads, graph=graph)

    style = resolve(STYLE)
    assert not isinstance(style, Path)
    precisions = [p for p in PRECISIONS if p != "bf16" or torch.cuda.is_bf16_supported(including_emulation=False)]
    return model_rows(make, style, sizes, budget=budget, precisions=precisions)


def gpu_words(row: dict[str, Any]) -> list[str]:
    """What a row of a GPU says besides."""
    if "graph" not in row:
        return [row["options"]] if "options" in row else []
    return ["graph" if row["graph"] else "eager", "with copies" if row["copies"] else "without copies"]


def main() -> None:
    parser = options(__doc__)
    timing_options(parser)
    parser.add_argument("--device", default="auto", help="measure this one alone; default: all")
    parser.add_argument(
        "--high", action="store_true", help="the command at 720p, 1080p and 4K, written to fps_high.json"
    )
    parser.add_argument("--frames", type=int, default=25, metavar="N", help="of each film of --high")
    parser.add_argument("--options", action="append", metavar="TEXT", help="of `vidstyle run`, for --high; repeatable")
    parser.add_argument("--size", action="append", choices=list(HIGH), help="of --high, repeatable; default: all")
    arguments = parser.parse_args()
    kind = arguments.device.partition(":")[0]
    if kind != "auto" and (reason := missing(arguments.device)) is not None:
        raise SystemExit(f"benchmarks.fps: --device {arguments.device}: {reason}; nothing was measured.")
    machine, digest = environment(), find_model().digest
    sizes, budget = (QUICK, 1.5) if arguments.quick else (SIZES, SECONDS)
    rows: list[dict[str, Any]] = []

    def add(row: dict[str, Any]) -> None:
        rows.append(row)
        name = f"{row['what']:8} {row['engine']:8} {row['precision']:5} {row['width']}x{row['height']}"
        print(f"{name:36} {row['fps']:8.2f} fps", row.get("stage_shares", ""), *gpu_words(row), flush=True)

    if kind == "cuda":
        machine |= gpu(arguments.device)
        print(", ".join(f"{k} {v}" for k, v in gpu(arguments.device).items()), flush=True)
    chosen = settings(arguments.quick, kind)
    if arguments.high:
        sets = [shlex.split(text) for text in arguments.options or [""]]
        kept = {"quick": arguments.quick, "frames": arguments.frames, "clock": arguments.clock}
        for row in high_rows(chosen[0], arguments.size or list(HIGH), sets=sets, **kept):
            add(row)
        about = {"quick": arguments.quick, "model": "compact", "model_digest": digest, "style": STYLE}
        print(save(arguments.out, "fps_high", rows, machine, **about))
        return
    if kind == "cuda":
        chosen = [(engine, arguments.device, precision) for engine, _, precision in chosen]
        for row in cuda_rows(arguments.device, sizes, budget=budget, threads=arguments.threads):
            add(row)
    for setting in chosen if kind != "cuda" else []:
        for row in model_alone(setting, sizes, budget=budget, threads=arguments.threads, clock=arguments.clock):
            add(row)
    speeds = {(r["engine"], r["precision"], r["width"]): r["fps"] for r in rows if r.get("copies", True)}
    for setting in chosen[:1]:  # what `auto` takes
        for size in sizes:
            # As many frames as the model needs for the budget; films shorter than a second would measure the start alone.
            frames = int(min(250, max(10 if arguments.quick else 25, speeds[setting[0], setting[2], size[0]] * budget)))
            repeats = 1 if arguments.quick else 3
            more = ["--segment", "1"] if kind == "cuda" else []
            for row in whole_command(setting, texture(*size, frames), repeats, arguments.clock, more):
                add(row)
            if kind == "cuda" and opens("h264_nvenc"):
                more = [*more, "--decoder", "cuda", "--codec", "h264_nvenc"]
                for row in whole_command(setting, texture(*size, frames), repeats, arguments.clock, more):
                    add(row)
    print(
        save(
            arguments.out,
            "fps",
            rows,
            machine,
            quick=arguments.quick,
            model="compact",
            model_digest=digest,
            style=STYLE,
            bound=bound(arguments.threads or cores()),
        )
    )


if __name__ == "__main__":
    main()
