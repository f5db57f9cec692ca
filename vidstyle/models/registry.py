"""Which models there are: by shipped name or file, known by what their files hold, loaded only where they have to run.

Nothing here imports torch; `ModelDescriptor.load` does.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import cause, check_regular

if TYPE_CHECKING:
    from vidstyle.models.checkpoint import StyleModel


@dataclass(frozen=True)
class ModelDescriptor:
    """A model that is known: what results and remembered things depend on, and how to get its network."""

    name: str
    """As the user gave it: a shipped name or a path."""
    digest: str
    """SHA-256 of the file, 64 hex digits; of the weights, where there is no file."""
    load: Callable[[], StyleModel] = field(repr=False, compare=False)
    """The network in evaluation mode, float32 and on the processor, anew with each call. Raises InputError."""
    int8_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)
    """Range of each layer's input (`quantization.observe`); empty where nobody looked when the model was made."""

    @classmethod
    def in_memory(cls, network: StyleModel, name: str = "network") -> ModelDescriptor:
        """A network that was not read from a file; `load` gives the very same one."""
        digest = hashlib.sha256()
        for key, tensor in sorted(network.state_dict().items()):
            digest.update(f"{key} {tuple(tensor.shape)} {tensor.dtype} ".encode())
            digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
        return cls(name, digest.hexdigest(), lambda: network)


def find_model(name_or_path: str | Path = "compact") -> ModelDescriptor:
    """A model by shipped name or file.

    Raises:
        UsageError: an unknown name.
        InputError: the file is missing, or no vidstyle checkpoint.
    """
    path = model_path(name_or_path)

    def load() -> StyleModel:
        from vidstyle.models.checkpoint import load_model

        return load_model(path)

    metadata = read_metadata(path)
    if "architecture" not in metadata:
        raise InputError(f"{path}: not a vidstyle checkpoint (no architecture in its metadata).")
    ranges = {layer: (low, high) for layer, (low, high) in metadata.get("int8_ranges", {}).items()}
    return ModelDescriptor(str(name_or_path), hashlib.sha256(path.read_bytes()).hexdigest(), load, ranges)


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
