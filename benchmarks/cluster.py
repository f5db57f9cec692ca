"""What a cluster costs: a film's segments through Ray against the same segments locally, on the same cores.

    python -m benchmarks.cluster overhead [--seconds S] [--quick] [--out DIR]     cluster.json
    python -m benchmarks.cluster predict                                         cluster_prediction.json
    python -m benchmarks.cluster two                                             cluster_two_nodes.json

`overhead`: one process; the Ray that it starts has all cores. Ray's start, with a first short film that starts its workers and
fills their caches, is left out and told. `predict` measures single segments on a cluster of one node with one core and writes
down what two such nodes will take (`cluster_simulation`); `two` makes that run.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cluster_simulation import Slots, simulate
from benchmarks.films import clips as real_clips
from benchmarks.films import first_frames, write
from benchmarks.record import environment, load, options, save

STYLE, SIZE, RATE = "mosaic", (640, 360), 25
SEGMENT = 10


def film(path: Path, seconds: float, folder: Path) -> Path:
    """A real clip (or the sample scene) over and over, at SIZE and RATE."""
    import cv2
    import numpy as np

    (clip,) = real_clips(1, folder)
    frames = [np.asarray(cv2.resize(f, SIZE, interpolation=cv2.INTER_AREA), np.uint8) for f in first_frames(clip, 100)]
    there_and_back = itertools.cycle([*frames, *frames[-2:0:-1]])
    write(path, itertools.islice(there_and_back, round(seconds * RATE)), Fraction(RATE))
    return path


def settings(threads: int) -> Any:
    from vidstyle.pipeline.plan.run_options import RunOptions

    return RunOptions(threads=threads, overwrite=True, segment=Fraction(SEGMENT), fit=0, chunk=2 * threads)


def over_ray(source: Path, output: Path, threads: int) -> tuple[Any, list[dict[str, Any]]]:
    """Report and figures of a film over the cluster that this process has joined."""
    from vidstyle.cluster.options import ClusterOptions, Listener
    from vidstyle.cluster.stylize_videos import stylize_videos

    reports: list[Any] = []
    opts = settings(threads)
    nodes = stylize_videos(
        [source],
        output,
        opts.style_request(STYLE),
        options=opts,
        cluster=ClusterOptions("auto"),
        listener=Listener(lambda _, result: reports.append(result())),
    )
    return reports[0], nodes


def locally(source: Path, output: Path, threads: int) -> Any:
    from vidstyle.pipeline.run import stylize_video

    return stylize_video(source, output, STYLE, options=settings(threads))


@contextmanager
def nodes_of(count: int) -> Iterator[float]:
    """Be a driver of a cluster of nodes with one core each. Yields the seconds that its start took."""
    import ray
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    begun = time.perf_counter()
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        for _ in range(count - 1):
            cluster.add_node(**node)
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR, namespace="vidstyle")
        yield time.perf_counter() - begun
    finally:
        ray.shutdown()
        cluster.shutdown()


def overhead(folder: Path, seconds: float, out: Path, quick: bool) -> Path:
    """The same film locally and through Ray, with all cores."""
    from vidstyle.cluster.connection import connected
    from vidstyle.engines.base import cores

    machine, threads = environment(), cores()
    short, source = film(folder / "short.mp4", 2, folder), film(folder / "film.mp4", seconds, folder)
    locally(short, folder / "short-local.mp4", threads)  # compiles the network for this size
    local = locally(source, folder / "local.mp4", threads)
    begun = time.perf_counter()
    with connected("local"):
        over_ray(short, folder / "short-ray.mp4", threads)
        start = time.perf_counter() - begun
        report, nodes = over_ray(source, folder / "ray.mp4", threads)
    equal = digest(folder / "local.mp4") == digest(folder / "ray.mp4")
    rows = [
        {"what": "locally", "seconds": local.seconds, "fps": local.fps, "stages": local.stages},
        {"what": "through Ray", "seconds": report.seconds, "fps": report.fps, "stages": report.stages, "nodes": nodes},
    ]
    share = report.seconds / local.seconds - 1
    print(f"locally {local.seconds:.1f} s, through Ray {report.seconds:.1f} s: {share:+.1%}; Ray's start {start:.1f} s")
    more = {"frames": report.frames, "size": list(SIZE), "segment_seconds": SEGMENT, "threads": threads}
    return save(
        out, "cluster", rows, machine, quick=quick, overhead=round(share, 4), start_seconds=start, equal=equal, **more
    )


def predict(folder: Path, seconds: float, out: Path, quick: bool) -> Path:
    """Single segments on one node, and what two nodes will take."""
    machine = environment()
    source, short = film(folder / "film.mp4", 2 * SEGMENT, folder), film(folder / "short.mp4", 2, folder)
    with nodes_of(1):
        over_ray(short, folder / "short-ray.mp4", 1)
        report, nodes = over_ray(source, folder / "out.mp4", 1)
    (node,) = nodes
    each = node["busy_seconds"] / node["segments"]
    gap = max(0.0, report.seconds - node["busy_seconds"]) / node["segments"]
    size = (folder / "out.mp4").stat().st_size // node["segments"]
    count = round(seconds / SEGMENT)
    predicted = simulate([each] * count, Slots(2, gap)).seconds
    print(
        f"a segment {each:.2f} s, {gap:.2f} s between two; {count} segments on two nodes: {predicted:.1f} s predicted"
    )
    return save(
        out,
        "cluster_prediction",
        [{"what": "a segment on one node of one core", "seconds": each, "bytes": size}],
        machine,
        quick=quick,
        segment_seconds=SEGMENT,
        gap_seconds=gap,
        input_bytes_per_second=source.stat().st_size / (2 * SEGMENT),
        segments=count,
        predicted_seconds=predicted,
    )


def two(folder: Path, out: Path, quick: bool) -> Path:
    """The run that was predicted."""
    prediction = load(out / "cluster_prediction.json")
    machine = environment()
    source, short = (
        film(folder / "film.mp4", prediction["segments"] * SEGMENT, folder),
        film(folder / "short.mp4", 2, folder),
    )
    with nodes_of(2) as start:
        over_ray(short, folder / "short-ray.mp4", 1)
        report, nodes = over_ray(source, folder / "out.mp4", 1)
    off = report.seconds / prediction["predicted_seconds"] - 1
    print(f"two nodes: {report.seconds:.1f} s, {prediction['predicted_seconds']:.1f} s predicted: {off:+.1%}")
    rows = [{"what": "two nodes of one core", "seconds": report.seconds, "fps": report.fps, "nodes": nodes}]
    return save(
        out,
        "cluster_two_nodes",
        rows,
        machine,
        quick=quick,
        start_seconds=start,
        predicted_seconds=prediction["predicted_seconds"],
        off=round(off, 4),
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("question", choices=("overhead", "predict", "two"))
    parser.add_argument("--seconds", type=float, metavar="S", help="of film; default: 60, with --quick 20")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (20 if arguments.quick else 60)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.question == "overhead":
            print(overhead(folder, seconds, arguments.out, arguments.quick))
        elif arguments.question == "predict":
            print(predict(folder, seconds, arguments.out, arguments.quick))
        else:
            print(two(folder, arguments.out, arguments.quick))


if __name__ == "__main__":
    main()
