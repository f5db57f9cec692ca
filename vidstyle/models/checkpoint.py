"""Checkpoints: one safetensors file holds the weights and, as metadata, everything that says what they are.

Nothing here unpickles anything. Metadata values are JSON strings: `architecture`, `config`, and whatever the training adds
(recipe, data digest, steps, metrics, licence).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from safetensors.torch import save
from torch import Tensor, nn

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import atomic_output, write_failure
from vidstyle.models.compact import CompactConfig, CompactNet
from vidstyle.models.model_files import CHANGE, RANGES, model_path, opened, read_style
from vidstyle.models.paper import VGGImage, VGGStyleConfig, VGGVideo
from vidstyle.models.style_code import StyleCode


class Styler(Protocol):
    """What every model offers."""

    architecture: str

    def encode_style(self, image: Tensor) -> StyleCode:
        """image: (B, 3, H, W) float in [0, 1]."""
        ...

    def __call__(
        self, frames: Tensor, code: StyleCode, strength: float | Tensor | None = None, *, beyond: bool = False
    ) -> Tensor:
        """frames: (B, 3, H, W) float in [0, 1]; the result likewise, not clamped."""
        ...


class StyleModel(nn.Module, Styler):
    """For annotations only: a module that is a Styler."""


_ARCHITECTURES: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    CompactNet.architecture: lambda config: CompactNet(CompactConfig.from_dict(config)),
    VGGVideo.architecture: lambda config: VGGVideo(VGGStyleConfig.from_dict(config)),
    VGGImage.architecture: lambda config: VGGImage(VGGStyleConfig.from_dict(config)),
}
"""Name of an architecture -> its network for a configuration."""


def build(architecture: str, config: Mapping[str, Any]) -> StyleModel:
    """A model with untrained weights. Raises UsageError for an unknown architecture or a configuration that it has not."""
    if architecture not in _ARCHITECTURES:
        raise UsageError(f"unknown architecture {architecture!r}; this version knows {', '.join(_ARCHITECTURES)}.")
    try:
        return cast(StyleModel, _ARCHITECTURES[architecture](dict(config)))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{architecture} cannot be built from its config: {error}.") from error


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


def named_tensors(code: StyleCode) -> dict[str, Tensor]:
    """A code's tensors, on the processor, as its file names them."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in code.tensors().named().items()}


def save_style(code: StyleCode, path: str | Path) -> None:
    """Write a compiled style (.safetensors): its tensors, float32, and the digest of its model. Raises InputError."""
    tensors = {k: v.float() for k, v in named_tensors(code).items()}
    write(tensors, Path(path), {"style_code": json.dumps(len(code)), "model_digest": json.dumps(code.model)})


def save_fitted_code(code: StyleCode, path: Path, model_digest: str, metadata: Mapping[str, Any]) -> None:
    """A fitted style: as a compiled one, with its matrices and changes of weights in half precision (moments, whose
    variances are small differences of large numbers, stay in float32)."""
    tensors = {k: v.half() if v.dim() == 3 else v.float() for k, v in named_tensors(code).items()}
    if code.change is not None:
        tensors |= {CHANGE + name: delta.half().contiguous() for name, delta in code.change.deltas.items()}
    about = {"style_code": len(code), "model_digest": model_digest, **metadata}
    if code.change is not None and code.change.ranges:
        about[RANGES] = {name: list(ends) for name, ends in code.change.ranges.items()}
    write(tensors, path, {k: json.dumps(v) for k, v in about.items()})


def load_style(path: str | Path) -> StyleCode:
    """A compiled or fitted style, which knows its model. Raises InputError."""
    return read_style(Path(path)).tensors()


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file. Raises InputError."""
    with opened(path, "pt") as file:
        return {k: file.get_tensor(k) for k in file.keys()}, file.metadata() or {}  # noqa: SIM118


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
