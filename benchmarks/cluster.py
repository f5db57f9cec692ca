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
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.cluster_simulation import Slots, simulate
from benchmarks.films import clips as real_clips
from benchmarks.films import first_frames, write
from benchmarks.record import environment, load, options, save

STYLE, SIZE, RATE = "mosaic", (320, 180), 25
SEGMENT = 10


def film(path: Path, seconds: float, folder: Path) -> Path:
    """A real clip (or the sample scene) over and over, at SIZE and RATE; one that is there already is taken."""
    if path.exists():
        return path
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


@contextmanager
def processor_seconds() -> Iterator[Callable[[], float]]:
    """Yields a function that tells, afterwards, the processor time that this process and all below it took: Ray's own and its
    workers', as far as they are still there. Unlike the wall clock it does not count what others take of a busy machine."""
    import psutil

    def each() -> dict[int, float]:
        found = {}
        for process in (own := psutil.Process(), *own.children(recursive=True)):
            with suppress(psutil.Error):
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
        return found

    before, after = each(), dict[int, float]()
    yield lambda: sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
    after.update(each())


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make` gives, or gave when it was written to `path`: of a measurement that is broken off, what is done stays."""
    if not path.exists():
        path.write_text(json.dumps(make()))
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def local_part(short: Path, source: Path, folder: Path, threads: int) -> dict[str, Any]:
    """The film in this process."""
    locally(short, folder / "short-local.mp4", threads)  # compiles the network for this size
    with processor_seconds() as spent:
        report = locally(source, folder / "local.mp4", threads)
    row = {"what": "locally", "seconds": report.seconds, "cpu_seconds": spent(), "fps": report.fps}
    print(row, flush=True)
    return {**row, "stages": report.stages, "frames": report.frames, "digest": digest(folder / "local.mp4")}


def ray_part(short: Path, source: Path, folder: Path, threads: int) -> dict[str, Any]:
    """The film through a Ray of this process's own."""
    from vidstyle.cluster.connection import connected

    begun = time.perf_counter()
    with connected("local"):
        over_ray(short, folder / "short-ray.mp4", threads)
        start = time.perf_counter() - begun
        with processor_seconds() as spent:
            report, nodes = over_ray(source, folder / "ray.mp4", threads)
    row = {"what": "through Ray", "seconds": report.seconds, "cpu_seconds": spent(), "fps": report.fps}
    print(row, flush=True)
    more = {"stages": report.stages, "nodes": nodes, "start_seconds": start}
    return {**row, **more, "frames": report.frames, "digest": digest(folder / "ray.mp4")}


def overhead(folder: Path, seconds: float, out: Path, quick: bool) -> Path:
    """The same film locally and through Ray, with all cores."""
    from vidstyle.engines.base import cores

    machine, threads = environment(), cores()
    short, source = film(folder / "short.mp4", 2, folder), film(folder / f"film-{seconds:g}.mp4", seconds, folder)
    local = kept(folder / "local.json", lambda: local_part(short, source, folder, threads))
    ray = kept(folder / "ray.json", lambda: ray_part(short, source, folder, threads))
    share, cpu = (ray[key] / local[key] - 1 for key in ("seconds", "cpu_seconds"))
    print(f"overhead {share:+.1%}, in processor seconds {cpu:+.1%}; Ray's start {ray['start_seconds']:.1f} s")
    more = {
        "size": list(SIZE),
        "segment_seconds": SEGMENT,
        "threads": threads,
        "equal": local["digest"] == ray["digest"],
    }
    return save(
        out, "cluster", [local, ray], machine, quick=quick, overhead=round(share, 4), cpu_overhead=round(cpu, 4), **more
    )


def predict(folder: Path, seconds: float, out: Path, quick: bool) -> Path:
    """Single segments on one node, and what two nodes will take."""
    machine = environment()
    source, short = film(folder / f"film-{2 * SEGMENT}.mp4", 2 * SEGMENT, folder), film(folder / "short.mp4", 2, folder)
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
        film(folder / f"film-{prediction['segments'] * SEGMENT}.mp4", prediction["segments"] * SEGMENT, folder),
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
    parser.add_argument("--work", type=Path, metavar="DIR", help="where films lie, and stay; default: a folder for now")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (20 if arguments.quick else 60)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with TemporaryDirectory() as name:
        folder = arguments.work or Path(name)
        folder.mkdir(exist_ok=True)
        if arguments.question == "overhead":
            print(overhead(folder, seconds, arguments.out, arguments.quick))
        elif arguments.question == "predict":
            print(predict(folder, seconds, arguments.out, arguments.quick))
        else:
            print(two(folder, arguments.out, arguments.quick))


if __name__ == "__main__":
    main()
