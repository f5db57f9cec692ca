"""Checkpoints: one safetensors file holds the weights and, as metadata, everything that says what they are.

Nothing here unpickles anything. Metadata values are JSON strings: `architecture`, `config`, and whatever the training adds
(recipe, data digest, steps, metrics, licence).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import atomic_output, cause, check_regular, write_failure
from vidstyle.models.attention import CosineCode, MomentCode, SoftmaxCode, StyleCode
from vidstyle.models.compact import CompactConfig, CompactNet
from vidstyle.models.paper import VGGImage, VGGStyleConfig, VGGVideo
from vidstyle.models.weight_change import WeightChange


class Styler(Protocol):
    """What every model offers."""

    architecture: str

    def encode_style(self, image: Tensor) -> StyleCode:
        """image: (B, 3, H, W) float in [0, 1]."""
        ...

    def __call__(self, frames: Tensor, code: StyleCode, strength: float | Tensor | None = None) -> Tensor:
        """frames: (B, 3, H, W) float in [0, 1]; the result likewise, not clamped."""
        ...


class StyleModel(nn.Module, Styler):
    """For annotations only: a module that is a Styler."""


ARCHITECTURES: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    CompactNet.architecture: lambda config: CompactNet(CompactConfig.from_dict(config)),
    VGGVideo.architecture: lambda config: VGGVideo(VGGStyleConfig.from_dict(config)),
    VGGImage.architecture: lambda config: VGGImage(VGGStyleConfig.from_dict(config)),
}
"""Name of an architecture -> its network for a configuration."""


def build(architecture: str, config: Mapping[str, Any]) -> StyleModel:
    """A model with untrained weights. Raises UsageError for an unknown architecture or a configuration that it has not."""
    if architecture not in ARCHITECTURES:
        raise UsageError(f"unknown architecture {architecture!r}; this version knows {', '.join(ARCHITECTURES)}.")
    try:
        return cast(StyleModel, ARCHITECTURES[architecture](dict(config)))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{architecture} cannot be built from its config: {error}.") from error


LOSS_NETWORKS = "vgg"
"""Files in weights/ whose names begin so are no models, but what losses are computed with."""


def shipped() -> dict[str, Path]:
    """Names of the models that came with the package, and their files."""
    folder = resources.files("vidstyle") / "weights"
    return {
        Path(f.name).stem: Path(str(f))
        for f in sorted(folder.iterdir(), key=str)
        if f.name.endswith(".safetensors") and not f.name.startswith(LOSS_NETWORKS)
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


def load_model(name_or_path: str | Path = "compact") -> StyleModel:
    """A model in evaluation mode, float32, channels-last, gradients off.

    Raises:
        InputError: the file is missing, damaged, or not a vidstyle checkpoint.
        UsageError: an unknown name.
    """
    path = model_path(name_or_path)
    tensors, metadata = read(path)
    if "architecture" not in metadata:
        raise InputError(f"{path}: not a vidstyle checkpoint (no architecture in its metadata).")
    model = build(json.loads(metadata["architecture"]), json.loads(metadata["config"]))
    try:
        model.load_state_dict({k: v.float() for k, v in tensors.items()})
    except RuntimeError as error:
        raise InputError(
            f"{path}: weights do not fit their configuration ({str(error).splitlines()[-1].strip()})."
        ) from error
    if unsound := not_finite(tensors):
        raise InputError(
            f"{path}: holds weights that are no numbers ({unsound}: infinite or NaN), as a diverged training leaves them; "
            "take an earlier model of that training (best.safetensors)."
        )
    model.requires_grad_(False).eval()
    return model.to(memory_format=torch.channels_last)


def save_model(
    model: nn.Module, path: Path, *, metadata: Mapping[str, Any] | None = None, dtype: torch.dtype = torch.float16
) -> None:
    """Write a checkpoint under its final name only when it is whole.

    Args:
        model: has `architecture` and `config.to_dict()`.
        metadata: JSON-serialisable values, kept beside `architecture` and `config`.
        dtype: of the stored weights.
    """
    described = cast(Any, model)
    about = {"architecture": described.architecture, "config": described.config.to_dict(), **(metadata or {})}
    write(
        {k: v.detach().to("cpu", dtype).contiguous() for k, v in model.state_dict().items()},
        path,
        {k: json.dumps(v) for k, v in about.items()},
    )


def not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of the first tensor that holds an infinite or undefined number; None where all are finite."""
    return next((name for name, x in tensors.items() if x.is_floating_point() and not bool(x.isfinite().all())), None)


def read_metadata(path: Path) -> dict[str, Any]:
    """A checkpoint's metadata, decoded. Raises InputError."""
    with opened(path) as file:
        return {k: json.loads(v) for k, v in (file.metadata() or {}).items()}


def int8_ranges(path: Path) -> dict[str, tuple[float, float]]:
    """What `int8.observe` found when the model was made; empty where nobody did."""
    return {name: (low, high) for name, (low, high) in read_metadata(path).get("int8_ranges", {}).items()}


def model_digest(name_or_path: str | Path = "compact") -> str:
    """SHA-256 of a model's file, 64 hex digits."""
    return hashlib.sha256(model_path(name_or_path).read_bytes()).hexdigest()


KINDS = {frozenset(f.name for f in fields(kind)): kind for kind in (CosineCode, SoftmaxCode, MomentCode)}
"""Names of a scale's tensors -> its kind."""


def named_tensors(code: StyleCode) -> dict[str, Tensor]:
    """A code's tensors, on the processor: "0.matrix", "0.offset" ..., with the number of the scale in front."""
    return {f"{i}.{k}": v.detach().cpu().contiguous() for i, s in enumerate(code.scales) for k, v in vars(s).items()}


def code_of(tensors: Mapping[str, Tensor]) -> StyleCode:
    """The code of `named_tensors`. Raises KeyError where they are not those of a code."""
    scales: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, field = name.partition(".")
        scales.setdefault(int(number), {})[field] = tensor
    return StyleCode(tuple(KINDS[frozenset(scales[i])](**scales[i]) for i in range(len(scales))))


CHANGE = "change."
"""Begins the names of a code's changes of weights in a file."""


def save_code(code: StyleCode, path: Path, model_digest: str) -> None:
    """A compiled style: its tensors, float32, and the digest of the model that made it."""
    tensors = {k: v.float() for k, v in named_tensors(code).items()}
    write(tensors, path, {"style_code": json.dumps(len(code)), "model_digest": json.dumps(model_digest)})


def save_fitted_code(code: StyleCode, path: Path, model_digest: str, metadata: Mapping[str, Any]) -> None:
    """A fitted style: as a compiled one, with its matrices and changes of weights in half precision (moments, whose
    variances are small differences of large numbers, stay in float32)."""
    tensors = {k: v.half() if v.dim() == 3 else v.float() for k, v in named_tensors(code).items()}
    if code.change is not None:
        tensors |= {CHANGE + name: delta.half().contiguous() for name, delta in code.change.deltas.items()}
    about = {"style_code": len(code), "model_digest": model_digest, **metadata}
    write(tensors, path, {k: json.dumps(v) for k, v in about.items()})


def load_code(path: Path) -> tuple[StyleCode, str]:
    """A compiled or fitted style and the digest of its model. Raises InputError."""
    tensors, metadata = read(path)
    if "style_code" not in metadata:
        raise InputError(f"{path}: not a compiled style code; make one with `vidstyle styles compile ART -o CODE`.")
    if not_finite(tensors):
        raise InputError(f"{path}: holds numbers that are infinite or NaN; compile the style again with a sound model.")
    deltas = {k.removeprefix(CHANGE): v.float() for k, v in tensors.items() if k.startswith(CHANGE)}
    code = code_of({k: v.float() for k, v in tensors.items() if not k.startswith(CHANGE)})
    change = WeightChange(deltas) if deltas else None
    return StyleCode(code.scales, change), json.loads(metadata["model_digest"])


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file. Raises InputError."""
    with opened(path) as file:
        return {k: file.get_tensor(k) for k in file.keys()}, file.metadata() or {}  # noqa: SIM118


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A safetensors file. Raises InputError where it is none, also while it is read."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({cause(error)}).") from error
    except SafetensorError as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error}).") from error


def write(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write a safetensors file that appears under its name only when it is whole; equal contents give equal bytes.

    Raises:
        InputError: the disk is full, or the place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: {write_failure(error, path)}.") from error
    with atomic_output(path) as temporary:
        temporary.write_bytes(_in_order(save(dict(tensors), dict(metadata))))


def _in_order(data: bytes) -> bytes:
    """A safetensors file with its metadata sorted by name: the library writes them in an order that changes from run to run."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    if "__metadata__" in header:
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight bytes
    return len(text).to_bytes(8, "little") + text + data[8 + size :]
