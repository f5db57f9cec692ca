"""Files of models and of styles: which ship, where a named one lies, what it holds. Read without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import cause, check_regular
from vidstyle.models.style_code import StyleCode

CHANGE = "change."
"""Begins the names of a code's changes of weights in a file."""
RANGES = "int8_ranges"
"""Name of the metadata that hold `WeightChange.ranges`."""
_LOSS_NETWORKS = "vgg"
"""Files in weights/ whose names begin so are no models, but what losses are computed with."""


def shipped() -> dict[str, Path]:
    """Names of the models that came with the package, and their files."""
    folder = resources.files("vidstyle") / "weights"
    return {
        Path(f.name).stem: Path(str(f))
        for f in sorted(folder.iterdir(), key=str)
        if f.name.endswith(".safetensors") and not f.name.startswith(_LOSS_NETWORKS)
    }


def model_path(name_or_path: str | Path = "compact") -> Path:
    """The file of a model given by shipped name or by path. Raises UsageError or InputError when there is none."""
    known = shipped()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    path = Path(name_or_path)
    if path.is_file():
        return path
    check_regular(path)
    if path.suffix or os.sep in str(name_or_path):
        raise InputError(
            f"{path}: no such model file; give a .safetensors file or one of: {', '.join(known) or 'none'}."
        )
    raise UsageError(f"unknown model {str(name_or_path)!r}; shipped models: {', '.join(known) or 'none'}.")


def read_metadata(path: Path) -> dict[str, Any]:
    """A checkpoint's metadata, decoded. Raises InputError."""
    with opened(path) as file:
        return {k: json.loads(v) for k, v in (file.metadata() or {}).items()}


@contextmanager
def opened(path: Path, framework: str = "np") -> Iterator[Any]:
    """A safetensors file ("pt": with torch's tensors). Raises InputError where it is none, also while it is read."""
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({cause(error)}).") from error
    except SafetensorError as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error}).") from error


def read_style(path: Path) -> StyleCode:
    """A compiled or fitted style, which knows its model; in NumPy's arrays, float32. Raises InputError."""
    with opened(path) as file:
        metadata = file.metadata() or {}
        if "style_code" not in metadata:
            raise InputError(f"{path}: not a compiled style code; make one with `vidstyle styles compile ART -o CODE`.")
        arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise InputError(f"{path}: holds numbers that are infinite or NaN; compile the style again with a sound model.")
    code = StyleCode.of(
        {k: v for k, v in arrays.items() if not k.startswith(CHANGE)}, json.loads(metadata["model_digest"])
    )
    deltas = {k.removeprefix(CHANGE): v for k, v in arrays.items() if k.startswith(CHANGE)}
    if not deltas:
        return code
    import torch

    from vidstyle.models.weight_change import WeightChange

    change = {name: torch.from_numpy(delta) for name, delta in deltas.items()}
    ranges = {name: (low, high) for name, (low, high) in json.loads(metadata.get(RANGES, "{}")).items()}
    return replace(code, change=WeightChange(change, ranges))
