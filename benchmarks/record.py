"""What every result carries: the machine, its load, versions, the commit. Results are versioned JSON."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import CLOCKS, Timing

SCHEMA = 1
"""Version of the JSON; raised when a key changes its meaning."""
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("vidstyle", "torch", "torchvision", "av", "numpy", "opencv-python-headless", "kornia", "openvino")


def options(description: str | None) -> argparse.ArgumentParser:
    """The options that all scripts have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a part of it, in under a minute")
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build" / "bench",
        metavar="DIR",
        help="default: build/bench, not kept in git",
    )
    return parser


def timing_options(parser: argparse.ArgumentParser) -> None:
    """The options of the scripts that measure time."""
    parser.add_argument("--threads", type=int, metavar="N", help="of the model; default: one a core")
    parser.add_argument(
        "--clock",
        choices=sorted(CLOCKS),
        default="wall",
        help="cpu with --threads 1 where the machine is not yours alone",
    )


def environment() -> dict[str, Any]:
    """Machine, load, versions, commit: what a number means nothing without."""
    import torch

    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch_threads": torch.get_num_threads(),
        "load_1min": round(os.getloadavg()[0], 2),
        "versions": {name: _version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "package_changed": _git("status", "--porcelain", "--", "vidstyle") != "",
    }


def _processor() -> str:
    """The model's name where the system tells it; which wide instructions it has decides precisions."""
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in info.read_text().split("\n\n")[0].splitlines() if ":" in line)
    known = {k.strip(): v.strip() for k, v in fields.items()}
    wide = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in known.get("flags", "").split()]
    name = known.get("model name", platform.machine())
    return f"{name} (family {known.get('cpu family', '?')}, {' '.join(wide)})" if wide else name


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def save(folder: Path, name: str, rows: Sequence[dict[str, Any]], machine: dict[str, Any], **more: Any) -> Path:
    """Write `folder/name.json`.

    Args:
        rows: one object a measurement; a `Timing` in it is spelled out.
        machine: `environment()`, taken before measuring; the load afterwards is added.
        more: settings of the script, and what it derived from the rows.
    """
    result = {
        "schema": SCHEMA,
        "benchmark": name,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "machine": {**machine, "load_1min_after": round(os.getloadavg()[0], 2)},
        **more,
        "rows": [{k: asdict(v) if isinstance(v, Timing) else v for k, v in row.items()} for row in rows],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    return path


def load(path: Path) -> dict[str, Any]:
    """A result. Raises ValueError for a schema that this version does not know."""
    result: dict[str, Any] = json.loads(path.read_text())
    if result.get("schema") != SCHEMA:
        raise ValueError(f"{path}: schema {result.get('schema')}, this version reads {SCHEMA}")
    return result
