"""Rows of `benchmarks.fps --device cuda`: the GPU and its driver; graphs against single launches; copies counted and not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.films import texture
from benchmarks.harness import measure

if TYPE_CHECKING:
    from vidstyle.engines.cuda.engine import CudaEngine
    from vidstyle.models.style_code import StyleCode

PRECISIONS = ("fp16", "bf16", "fp32")


def gpu(device: str) -> dict[str, Any]:
    """What a number from a GPU means nothing without."""
    import torch

    from vidstyle.engines.cuda.devices import kind, spread

    about = torch.cuda.get_device_properties(torch.device(device))
    return {
        "gpu": kind(device),
        "memory_gib": round(about.total_memory / 2**30, 1),
        "multiprocessors": about.multi_processor_count,
        "driver": driver(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "gpus_of_this_kind": len(spread("cuda")),
    }


def driver() -> str | None:
    """Version of NVIDIA's driver; None where nvidia-smi does not tell."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return words[0] if done.returncode == 0 and words else None


def model_rows(
    make: Callable[[str, bool], CudaEngine],
    style: NDArray[np.uint8],
    sizes: Sequence[tuple[int, int]],
    *,
    budget: float,
    precisions: Sequence[str] = PRECISIONS,
) -> Iterator[dict[str, Any]]:
    """Four rows a precision and size.

    Args:
        make: an engine for (precision, whether with graphs).
        budget: seconds a row, about.
    """
    for precision in precisions:
        engines = {graph: make(precision, graph) for graph in (True, False)}
        code = engines[True].encode_style(style)
        for width, height in sizes:
            for engine in engines.values():
                count = engine.good_batch_size(width, height)
                frames = np.stack(list(texture(width, height, count)))
                whole = partial(engine.stylize, frames, code)
                whole()
                alone, computed = computing(engine, code, width, height, count)
                for copies, call, n in ((True, whole, count), (False, alone, computed)):
                    time = measure(call, warmup=2, repeats=30, budget=budget)
                    yield {
                        "what": "model",
                        "engine": engine.name,
                        "device": engine.device,
                        "precision": precision,
                        "threads": engine.threads,
                        "width": width,
                        "height": height,
                        "graph": all(p.captured for p in engine.programs.values()),
                        "copies": copies,
                        "frames": n,
                        "seconds": time,
                        "fps": round(n / time.median, 2),
                    }
                engine.forget()  # the next size needs the memory


def computing(
    engine: CudaEngine, code: StyleCode, width: int, height: int, count: int
) -> tuple[Callable[[], None], int]:
    """A call that has the model work on about `count` frames that lie in the GPU's memory already, and waits; their number."""
    import torch

    part = engine.part(width, height)
    turns = max(1, count // part)
    with torch.inference_mode():
        program = engine.program((part, height, width, 3), code, 1.0)
        program.load(code, 1.0)
        engine.on.drain()

    def call() -> None:
        with torch.inference_mode():
            for _ in range(turns):
                engine.on.launch(engine.compute, program.work)
            engine.on.drain()

    return call, turns * part
