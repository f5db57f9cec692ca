"""Which engine runs a model: the first row of a table that this machine can do, never a guess."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast, get_args

from vidstyle.core.errors import UsageError
from vidstyle.engines.base import Engine, Precision
from vidstyle.engines.presence import absent
from vidstyle.models.registry import ModelDescriptor, find_model

_MODULES = {
    ("torch", "cuda"): "vidstyle.engines.cuda.engine",
    ("torch", "mps"): "vidstyle.engines.torch_engine",
    ("openvino", "cpu"): "vidstyle.engines.openvino_engine",
    ("torch", "cpu"): "vidstyle.engines.torch_engine",
    ("torch-compile", "cpu"): "vidstyle.engines.compiled_engine",
}
"""(engine, kind of device) -> module; fastest first, by measurement (benchmarks/); the last starts slowly and has to be asked
for by name. A module has `why_not(device) -> str | None`, `best_precision(device, model) -> (precision, why)` and
`build(model, *, device, precision, threads) -> Engine`, with `model` a ModelDescriptor."""

PREFERENCE = list(_MODULES)
"""Rows of the table in order of preference."""


@dataclass(frozen=True)
class Choice:
    """A row of the table on this machine."""

    engine: str
    device: str
    usable: bool
    precision: Precision | None
    """What `--precision auto` means here; None where the row is not usable."""
    why: str
    """Why it is not usable, or why this precision."""


def make_engine(
    model: str | Path | ModelDescriptor = "compact",
    *,
    engine: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Engine:
    """A model, ready on a device.

    Args:
        model: shipped name or checkpoint file, or one that has been found.
        engine: "auto", "torch", "openvino" or "torch-compile".
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        precision: "auto", "fp32", "bf16", "fp16" or "int8".
        threads: processor threads; None lets the engine decide.

    Raises:
        UsageError: a combination that does not exist, or not on this machine.
        InputError: an unreadable model.
    """
    if precision not in ("auto", *get_args(Precision)):
        raise UsageError(f"unknown precision {precision!r}; use auto, fp32, bf16, fp16 or int8.")
    found = model if isinstance(model, ModelDescriptor) else find_model(model)
    choice = choose(engine, device, found)
    wanted = choice.precision if precision == "auto" else precision
    build = _module(choice.engine, choice.device).build
    return cast(Engine, build(found, device=choice.device, precision=wanted, threads=threads))


def choose(engine: str = "auto", device: str = "auto", model: ModelDescriptor | None = None) -> Choice:
    """The first usable row that fits, with the precision that suits the model (None: the default one).

    Raises:
        UsageError: with the reason where there is none.
    """
    model = model or find_model()
    names = ("auto", *dict.fromkeys(name for name, _ in _MODULES))
    if engine not in names:
        raise UsageError(f"unknown engine {engine!r}; use {', '.join(names)}.")
    fitting = []
    for row in PREFERENCE:
        if engine not in ("auto", row[0]) or device.partition(":")[0] not in ("auto", row[1]):
            continue
        choice = examine(row[0], row[1] if device == "auto" else device, model)
        if choice.usable:
            return choice
        fitting.append(f"{choice.engine} on {choice.device}: {choice.why}")
    reasons = "; ".join(fitting) or "no engine runs on such a device"
    raise UsageError(f"--engine {engine} --device {device} cannot be had ({reasons}); see: vidstyle info.")


def explain() -> list[Choice]:
    """The table as it is on this machine, in order of preference; `auto` takes the first usable row."""
    model = find_model()
    return [examine(*row, model) for row in PREFERENCE]


def examine(engine: str, device: str, model: ModelDescriptor) -> Choice:
    if (reason := absent(device)) is not None:
        return Choice(engine, device, False, None, reason)
    try:
        module = _module(engine, device)
    except ImportError as error:
        missing = error.name or str(error)
        return Choice(engine, device, False, None, f'{missing} is not installed; pip install "vidstyle[openvino]"')
    reason = module.why_not(device)
    if reason is not None:
        return Choice(engine, device, False, None, reason)
    precision, why = module.best_precision(device, model)
    return Choice(engine, device, True, precision, why)


def _module(engine: str, device: str) -> Any:
    return import_module(_MODULES[engine, device.partition(":")[0]])
