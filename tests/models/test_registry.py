"""Models are known before they are loaded: name, digest and ranges, without torch."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.model_files import shipped
from vidstyle.models.registry import ModelDescriptor, find_model


def test_a_file_is_known_by_what_it_holds(tiny_model: Path, tmp_path: Path) -> None:
    found = find_model(tiny_model)
    assert (found.name, found.digest) == (str(tiny_model), hashlib.sha256(tiny_model.read_bytes()).hexdigest())
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(tiny_model.read_bytes())
    assert find_model(copy).digest == found.digest
    assert found.load().architecture == "compact"
    assert found.load() is not found.load()


def test_the_shipped_model_has_ranges() -> None:
    found = find_model()
    assert found.name == "compact"
    assert found.int8_ranges
    assert all(low < high for low, high in found.int8_ranges.values())


def test_a_network_in_memory_is_known_by_its_weights(tiny_model: Path) -> None:
    network = find_model(tiny_model).load()
    known = ModelDescriptor.in_memory(network)
    assert known.load() is network
    assert known.digest == ModelDescriptor.in_memory(find_model(tiny_model).load()).digest
    with torch.no_grad():
        next(network.parameters()).add_(1)
    assert ModelDescriptor.in_memory(network).digest != known.digest


def test_finding_a_model_imports_no_torch() -> None:
    program = "import sys; from vidstyle.models.registry import find_model; find_model(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"unknown model 'compct'; shipped models: {', '.join(shipped())}"):
        find_model("compct")
    with pytest.raises(InputError, match=r"gone\.safetensors: no such model file"):
        find_model(tmp_path / "gone.safetensors")
    (tmp_path / "text.safetensors").write_text("no model")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        find_model(tmp_path / "text.safetensors")
