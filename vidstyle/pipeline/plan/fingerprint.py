"""What the bytes of a result depend on, as plain values that can be compared and told apart in words (`core.differences`)."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vidstyle._version import __version__

SAMPLES, SAMPLE_BYTES = 64, 1 << 16
_LIBRARIES = ("torch", "av", "numpy", "opencv-python-headless", "openvino")


def file_sample(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of evenly spread samples (4 MiB in all) of a file: quick however large it is, first and last bytes
    included. A file up to that size is read whole."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    last = max(0, size - SAMPLE_BYTES)
    offsets = sorted({last * i // (SAMPLES - 1) for i in range(SAMPLES)})
    if size <= SAMPLES * SAMPLE_BYTES:
        digest.update(path.read_bytes())
    else:
        with path.open("rb") as file:
            for offset in offsets:
                file.seek(offset)
                digest.update(file.read(SAMPLE_BYTES))
    return {"bytes": size, "sample_sha256": digest.hexdigest()}


def pictures_sample(paths: Sequence[Path]) -> dict[str, Any]:
    """Number and SHA-256 of the names, sizes and times of change of many pictures: their contents would take as long to read as
    the film."""
    digest = hashlib.sha256()
    for path in paths:
        about = path.stat()
        digest.update(json.dumps([path.name, about.st_size, about.st_mtime_ns]).encode())
    return {"pictures": len(paths), "sample_sha256": digest.hexdigest()}


def machine() -> dict[str, str]:
    """Versions of what computes, and the kind of processor it computes on."""
    found = {"vidstyle": __version__, "python": platform.python_version(), "processor": platform.machine()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found
