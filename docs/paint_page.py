"""What the page that paints in the browser needs besides itself: ONNX Runtime Web, from npm, and a style's graph."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

RUNTIME = "onnxruntime-web@1.30.0"
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
GRAPH = "style.onnx"


def missing() -> str | None:
    """Why the page cannot be completed here; None where it can."""
    if shutil.which("npm") is None:
        return "npm is missing"
    return None if importlib.util.find_spec("onnxscript") else "onnxscript is missing (pip install 'vidstyle[onnx]')"


def complete(folder: Path, *, model: str = "compact", style: str = "mosaic") -> None:
    """Put runtime and graph beside the page in `folder`. Raises CalledProcessError where npm or the export fails."""
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(
            ["npm", "pack", "--silent", RUNTIME], cwd=name, check=True, stdout=subprocess.PIPE, text=True
        )
        with tarfile.open(Path(name) / done.stdout.split()[-1]) as package:
            for file in FILES:
                member = package.extractfile(f"package/dist/{file}")
                assert member is not None
                (folder / file).write_bytes(member.read())
    words = [
        "export",
        "--bake",
        style,
        "--model",
        model,
        "--format",
        "onnx",
        "--size",
        "any",
        "-o",
        str(folder / GRAPH),
    ]
    subprocess.run([sys.executable, "-m", "vidstyle", *words, "-y"], check=True)


def failure(folder: Path) -> str | None:
    """`complete`; why it failed, None where it did not: a site can do without this page."""
    try:
        complete(folder)
    except subprocess.CalledProcessError as error:
        return f"{error.cmd[0]} failed"
    return None
