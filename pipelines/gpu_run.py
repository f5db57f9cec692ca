"""A visit to a rented GPU: what it is, whether it computes what a processor does, how fast, a fit; training with the rest.

    python pipelines/gpu_run.py --pack PACK --minutes 9 --out DIR [--resume EARLIER] [--weights MODEL] [--tiny]

Each step is a process of its own with a limit of its own; one that fails or hangs is told in `report.json` and the next begins.
DIR holds at most 8 files, none above 15 MB, the report from the first step on. Needed: Python 3.11, torch, numpy, safetensors,
Pillow; the fit needs OpenCV too (docs/gpu.md). `--tiny` is the dry run for a machine without a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
FILES, LARGEST = 8, 15_000_000
"""What may come back: files, and bytes of each."""
SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
CLOSE = {"fp32": (1, 0.5), "fp16": (3, 0.5), "bf16": (3, 0.5)}
"""Levels of 255 by which frames may differ from the processor's in fp32: the most, and on average."""


@dataclass(frozen=True)
class Step:
    """One step and its limit, as a share of the minutes."""

    name: str
    share: float


STEPS = (
    *(Step("device", 0.08), Step("engine", 0.15), Step("fps", 0.1), Step("fit", 0.08)),
    *(Step("tests", 0.1), Step("benchmark", 0.1)),
)
"""Before training, which gets what is left."""


def main() -> None:
    """Run the steps, or, called by itself, one of them."""
    options = parsed()
    if options.only:
        print(json.dumps(ONLY[options.only](options)))
        return
    work, report = options.out / ".work", {"minutes": options.minutes, "tiny": options.tiny, "steps": {}}
    work.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * options.minutes
    for step in STEPS:
        run_step(step.name, max(5.0, 60 * options.minutes * step.share), options, report)
    # Training's own clock leaves room for starting, reading the pack, and the last save.
    left = end - time.monotonic()
    planned = (left - min(40.0, left / 3)) / 60
    run_step("train", max(30.0, left), options, report, max(0.05, min(planned, 0.05 if options.tiny else planned)))
    collect(options.out, work)
    write_report(options.out, report)
    shutil.rmtree(work)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pack", type=Path, action="append", required=True, help="the pack; each of its parts")
    parser.add_argument("--minutes", type=float, required=True, help="of all steps together")
    parser.add_argument("--out", type=Path, required=True, help="folder for what comes back")
    parser.add_argument("--resume", type=Path, help="folder of an earlier visit, to go on training from")
    parser.add_argument("--weights", type=Path, help="model file to begin training with")
    parser.add_argument(
        "--compile", action="store_true", help="train with torch.compile; starting takes a minute or two"
    )
    parser.add_argument("--tiny", action="store_true", help="sizes for a dry run on a processor")
    parser.add_argument("--only", choices=list(ONLY), help=argparse.SUPPRESS)
    parser.add_argument("--train-minutes", type=float, default=1.0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def run_step(
    name: str, seconds: float, options: argparse.Namespace, report: dict[str, Any], train_minutes: float = 1.0
) -> None:
    """Run a step in a process of its own and note how it went; its output goes to log.txt."""
    print(f"{name}: at most {seconds:.0f} s", flush=True)
    command = [sys.executable, __file__, *sys.argv[1:], "--only", name, "--train-minutes", str(train_minutes)]
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}
    start = time.monotonic()
    with (options.out / "log.txt").open("a", encoding="utf-8") as log:
        log.write(f"== {name}\n")
        log.flush()
        outcome: dict[str, Any]
        try:
            code, said = limited(command, seconds, log, environment)
            log.write(said)
            if code == 0:
                outcome = {"ok": True, **json.loads(said.splitlines()[-1])}
            else:
                outcome = {"ok": False, "why": f"exit code {code}; see log.txt"}
        except subprocess.TimeoutExpired:
            outcome = {"ok": False, "why": f"stopped after {seconds:.0f} s"}
        except (OSError, ValueError, IndexError) as error:
            outcome = {"ok": False, "why": str(error)}
    report["steps"][name] = {**outcome, "seconds": round(time.monotonic() - start, 1)}
    print(f"{name}: {report['steps'][name]}", flush=True)
    write_report(options.out, report)


def limited(command: Sequence[str], seconds: float, errors: IO[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and output of a command. What it started ends with it where it takes too long (subprocess.TimeoutExpired): a
    benchmark that lives on would slow the steps behind it."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, said


def write_report(out: Path, report: dict[str, Any]) -> None:
    """Write report.json, whole or not at all."""
    partial = out / ".report.json"
    partial.write_text(json.dumps(report, indent=1), encoding="utf-8")
    partial.replace(out / "report.json")


def collect(out: Path, work: Path) -> None:
    """Bring the best of the run's files to where they are carried home, the most important first."""
    run = work / "run"
    previews = sorted((run / "preview").glob("*.png"))[-1:]
    results = [run / "log.jsonl", work / "fps.json"]
    wanted = [run / "model.safetensors", *sorted(run.glob("state*.safetensors")), *results, *previews]
    for file in wanted:
        room = FILES - len([f for f in out.iterdir() if f.is_file() and not f.name.startswith(".")])
        if file.exists() and file.stat().st_size <= LARGEST and room > 1:  # one is the report's
            shutil.copy2(file, out / ("preview.png" if file.suffix == ".png" else file.name))


def the_device() -> Any:
    """The GPU, or the processor where there is none."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_step(options: argparse.Namespace) -> dict[str, Any]:
    """What the machine is, and the two ceilings of anything it computes."""
    import torch

    from vidstyle.training.throughput import matrix_peak

    device = the_device()
    about: dict[str, Any] = {"python": sys.version.split()[0], "torch": torch.__version__, "device": device.type}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        about |= {"gpu": properties.name, "memory_gib": round(properties.total_memory / 2**30, 1)}
        about["bytes_per_second"] = copy_speed(device)
    elif not options.tiny:
        raise SystemExit("no GPU that torch sees; --tiny is the dry run without one")
    return {**about, "bf16_flop_per_second": matrix_peak(device, 0.1 if options.tiny else 0.5)}


def copy_speed(device: Any) -> float:
    """Bytes read and written per second by a large copy on the device."""
    import torch

    source = torch.empty(2**30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    times = []
    for _ in range(5):
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        target.copy_(source)
        torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return 2 * source.numel() / min(times)


def engines(options: argparse.Namespace) -> dict[str, Any]:
    """The torch engine on the device, by precision."""
    from vidstyle.engines.choose import make_engine

    device = the_device().type
    precisions = ("fp32", "bf16") if device == "cpu" else ("fp32", "fp16", "bf16")
    return {p: make_engine(engine="torch", device=device, precision=p) for p in precisions}


def noise(width: int, height: int, count: int) -> Any:
    """Smooth frames with a little grain, (N, H, W, 3) uint8, different at every call."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng()
    frames = []
    for _ in range(count):
        small = Image.fromarray(rng.integers(0, 255, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8))
        frame = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC), np.int16)
        frames.append((frame + rng.integers(-4, 5, frame.shape)).clip(0, 255).astype(np.uint8))
    return np.stack(frames)


def engine_step(options: argparse.Namespace) -> dict[str, Any]:
    """The device's frames against the processor's in fp32."""
    import numpy as np

    from vidstyle.engines.choose import make_engine

    reference = make_engine(engine="torch", device="cpu", precision="fp32")
    style, size = noise(128, 96, 1)[0], (64, 48) if options.tiny else (640, 360)
    frames = noise(*size, 2)
    expected = reference.stylize(frames, reference.encode_style(style)).astype(int)
    found: dict[str, Any] = {}
    for precision, engine in engines(options).items():
        away = np.abs(engine.stylize(frames, engine.encode_style(style)) - expected)
        most, mean = CLOSE[precision]
        close = bool(away.max() <= most and away.mean() <= mean)
        found[precision] = {"most": int(away.max()), "mean": round(float(away.mean()), 4), "close": close}
    return {"levels_from_cpu_fp32": found}


def fps_step(options: argparse.Namespace) -> dict[str, Any]:
    """Frames per second of the model alone, copies to and from the device counted."""
    import numpy as np

    rows = []
    for precision, engine in engines(options).items():
        code = engine.encode_style(noise(128, 96, 1)[0])
        for width, height in ((64, 48),) if options.tiny else SIZES:
            frames = noise(width, height, min(engine.good_batch_size(width, height), 1 if options.tiny else 64))
            for _ in range(2):
                engine.stylize(frames, code)
            times = []
            while len(times) < 3 or (sum(times) < 1.0 and not options.tiny):
                start = time.perf_counter()
                engine.stylize(frames, code)
                times.append(time.perf_counter() - start)
            row = {"precision": precision, "width": width, "height": height, "frames": len(frames)}
            rows.append({**row, "fps": round(len(frames) / float(np.median(times)), 1)})
    return {"model": rows}


def fit_step(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of a default fit of a style on the pack's photos, after one that warms up, and what the fit brought."""
    from vidstyle.models.checkpoint import load_model
    from vidstyle.styles.fit.optimise import Art, fit
    from vidstyle.styles.fit.settings import FitSettings
    from vidstyle.training.data.images import square
    from vidstyle.training.data.pack import read_pack

    pack = read_pack(options.pack)
    side = 64 if options.tiny else 256
    art = square(pack.style.images[0], side)
    settings = FitSettings(steps=1) if options.tiny else FitSettings()
    pictures = [square(image, side) for image in pack.content.images[:16]]
    model: Any = load_model()
    times = []
    for _ in range(1 if options.tiny else 2):
        start = time.perf_counter()
        found = fit(model, [Art(art, art)], settings, pictures=pictures, device=the_device().type, side=side // 2)
        times.append(time.perf_counter() - start)
    return {
        "steps": settings.steps,
        "fit_seconds": round(times[-1], 3),
        "read": found.read.total,
        "kept": found.kept.total,
    }


def tests_step(options: argparse.Namespace) -> dict[str, Any]:
    """The tests of the CUDA engine, on the GPU where they ask for one. They need pytest, hypothesis, av and OpenCV."""
    tests = ["tests/engines/cuda", "tests/engines/test_presence.py", "-q", "-p", "no:cacheprovider"]
    return {"summary": last_line(["pytest", *(["--version"] if options.tiny else tests)])}


def benchmark_step(options: argparse.Namespace) -> dict[str, Any]:
    """`benchmarks.fps` on the GPU: graphs against single launches, copies counted and not. It needs what the product needs."""
    if the_device().type != "cuda":
        return {"skipped": "no GPU"}
    folder = (options.out / ".work").resolve()
    command = ["benchmarks.fps", "--device", "cuda", "--quick", "--out", str(folder)]
    return {"summary": last_line(command), "file": "fps.json"}


def last_line(module: list[str]) -> str:
    """What a module says last, run in a process of its own; all it says goes to log.txt. Ends the step where it fails."""
    command = [sys.executable, "-m", *module]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True, cwd=ROOT, check=False)
    sys.stderr.write(done.stdout)
    if done.returncode:
        raise SystemExit(f"{module[0]} ended with exit code {done.returncode}")
    return next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "")


def train_step(options: argparse.Namespace) -> dict[str, Any]:
    """Train from the pack by the clock."""
    from vidstyle.training.session import session_from_pack
    from vidstyle.training.trainer import Limits

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    run = options.out / ".work" / "run"
    if options.resume:
        shutil.copytree(options.resume, run, ignore=shutil.ignore_patterns("*.txt", "report.json", "preview.png"))
    session = session_from_pack(options.pack, None, say)
    limits = Limits(minutes=options.train_minutes, timed=True, save_minutes=1.0)
    compiled = options.compile and the_device().type == "cuda"
    step = session.train(run, limits, say, resume=bool(options.resume), weights=options.weights, compiled=compiled)
    last = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    return {"step": step, "last": last}


ONLY: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "device": device_step,
    "engine": engine_step,
    "fps": fps_step,
    "fit": fit_step,
    "tests": tests_step,
    "benchmark": benchmark_step,
    "train": train_step,
}

if __name__ == "__main__":
    main()
