"""Which models there are: by shipped name or file, known by what their files hold, loaded only where they have to run.

Nothing here imports torch; `ModelDescriptor.load` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.core.errors import InputError
from vidstyle.models.model_files import model_path, read_metadata

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
