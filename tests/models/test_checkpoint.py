"""Checkpoints and compiled styles: what is written comes back, and rubbish gets a sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vidstyle.core.errors import InputError, UsageError
from vidstyle.models import checkpoint
from vidstyle.models.compact import CompactNet
from vidstyle.models.model_files import read_metadata


def test_a_model_comes_back_with_its_story(tiny_model: Path, tmp_path: Path) -> None:
    model = checkpoint.load_model(tiny_model)
    assert isinstance(model, CompactNet)
    assert not model.training
    copy = tmp_path / "folder" / "copy.safetensors"
    checkpoint.save_model(model, copy, metadata={"steps": 7, "recipe": {"seed": 1}})
    again = checkpoint.load_model(copy)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))
    about = read_metadata(copy)
    assert about["architecture"] == "compact"
    assert about["steps"] == 7
    assert [f.name for f in copy.parent.iterdir()] == ["copy.safetensors"]  # no partial file stays


def test_a_code_comes_back_bit_for_bit(tiny_model: Path, tmp_path: Path) -> None:
    code = replace(checkpoint.load_model(tiny_model).encode_style(torch.rand(1, 3, 40, 40)), model="digest")
    path = tmp_path / "code.safetensors"
    checkpoint.save_style(code, path)
    again = checkpoint.load_style(path)
    assert again.model == "digest"
    for a, b in zip(code.scales, again.scales, strict=True):
        assert type(a) is type(b)
        assert all(torch.equal(x, y) for x, y in zip(vars(a).values(), vars(b).values(), strict=True))


def test_rubbish_is_refused_with_a_sentence(tiny_model: Path, tmp_path: Path) -> None:
    text, plain, wrong = (tmp_path / f"{n}.safetensors" for n in ("text", "plain", "wrong"))
    text.write_text("not a model")
    save_file({"x": torch.zeros(1)}, plain)
    save_file({"x": torch.zeros(1)}, wrong, {"architecture": '"compact"', "config": "{}"})
    for path in (text, plain, wrong, tmp_path / "missing.safetensors"):
        with pytest.raises(InputError, match=path.name):
            checkpoint.load_model(path)
    with pytest.raises(InputError, match=r"not a compiled style"):
        checkpoint.load_style(tiny_model)
    with pytest.raises(UsageError, match="no-such-model"):
        checkpoint.load_model("no-such-model")


def test_a_failed_write_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"m\.safetensors: the disk of .* is full"):
        checkpoint.write({"x": torch.zeros(1)}, tmp_path / "m.safetensors", {})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file is no folder"):
        checkpoint.write({"x": torch.zeros(1)}, tmp_path / "file" / "m.safetensors", {})


def test_equal_contents_are_equal_files(tmp_path: Path) -> None:
    """The library writes metadata in the order of a hash map with a random seed: one in 120 orders is right by chance."""
    about = {name: f"value of {name} ü" for name in "edcba"}
    tensors = {"x": torch.arange(5.0), "y": torch.zeros(3, dtype=torch.float16)}
    files = [tmp_path / f"{i}.safetensors" for i in range(4)]
    for file in files:
        checkpoint.write(tensors, file, about)
    assert len({file.read_bytes() for file in files}) == 1
    found, metadata = checkpoint.read(files[0])
    assert metadata == about
    assert all(torch.equal(found[k], v) for k, v in tensors.items())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_model_with_weights_that_are_no_numbers_is_refused(tiny_model: Path, tmp_path: Path, bad: float) -> None:
    model, path = checkpoint.load_model(tiny_model), tmp_path / "diverged.safetensors"
    code = model.encode_style(torch.rand(1, 3, 40, 40))
    next(model.parameters())[0, 0, 0, 0] = bad
    checkpoint.save_model(model, path)
    with pytest.raises(InputError, match=r"diverged\.safetensors: holds weights that are no numbers \(encoder"):
        checkpoint.load_model(path)
    next(iter(vars(code.scales[0]).values())).fill_(bad)
    checkpoint.save_style(code, tmp_path / "code.safetensors")
    with pytest.raises(InputError, match=r"code\.safetensors: holds numbers that are infinite or NaN"):
        checkpoint.load_style(tmp_path / "code.safetensors")


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(InputError, match="is a pipe"):
        checkpoint.load_model(tmp_path / "pipe.safetensors")
