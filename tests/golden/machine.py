"""Which kind of machine this is: bytes are promised on one kind only."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "opencv-python-headless", "openvino", "av", "pillow", "kornia", "safetensors")
FEATURES = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "asimd", "sve")


def kind() -> dict[str, Any]:
    """What decides about the last bit: processor, its vector instructions, how many cores, versions of what computes."""
    info = Path("/proc/cpuinfo")
    text = info.read_text().split("\n\n")[0] if info.is_file() else ""
    fields = {k.strip(): v.strip() for k, _, v in (line.partition(":") for line in text.splitlines())}
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    return {
        "machine": platform.machine(),
        "vendor": fields.get("vendor_id", platform.processor()),
        "features": " ".join(f for f in FEATURES if f in flags),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: _version(name) for name in PACKAGES},
    }


def other(one: dict[str, Any], two: dict[str, Any]) -> str:
    """How two kinds differ, in words; empty where they do not."""
    keys = [k for k in {**one, **two} if one.get(k) != two.get(k)]
    return ", ".join(f"{k} {two.get(k)} instead of {one.get(k)}" for k in keys)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
