"""Files of styles, compiled or fitted, read without torch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.models.registry import opened
from vidstyle.models.style_code import StyleCode

CHANGE = "change."
"""Begins the names of a code's changes of weights in a file."""
RANGES = "int8_ranges"
"""Name of the metadata that hold `WeightChange.ranges`."""


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
