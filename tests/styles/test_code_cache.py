"""A remembered code is the encoded one to the bit, of this picture and this model, or it is not taken."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidstyle.engines.base import Engine
from vidstyle.engines.torch_engine import build
from vidstyle.models.checkpoint import save_model
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import StyleCode
from vidstyle.styles.code_cache import style_code


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Counting:
    """An engine that counts how often it encodes."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.model, self.threads, self.calls = engine, engine.model, engine.threads, 0

    def encode_style(self, image: Any) -> StyleCode:
        self.calls += 1
        return self.engine.encode_style(image)


@pytest.fixture
def engine(tiny_model: Path) -> Counting:
    return Counting(build(find_model(tiny_model), device="cpu", precision="fp32", threads=1))


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def same(a: StyleCode, b: StyleCode) -> bool:
    pairs = zip(a.scales, b.scales, strict=True)
    return all(torch.equal(v, vars(t)[k]) for s, t in pairs for k, v in vars(s).items())


def test_encoded_once(engine: Any, tiny_model: Path) -> None:
    first, second = (style_code(picture(), engine) for _ in range(2))
    assert engine.calls == 1
    assert len(first) == 3 + 8
    assert same(first, second)


def test_another_picture_size_model_or_thread_count_is_another_code(
    engine: Any, tiny_model: Path, tmp_path: Path
) -> None:
    style_code(picture(), engine)
    other = style_code(picture(1), engine)
    assert same(other, engine.engine.encode_style(picture(1)))
    style_code(picture().reshape(32, 24, 3), engine)
    assert engine.calls == 3
    copy = tmp_path / "other.safetensors"
    save_model(find_model(tiny_model).load(), copy, metadata={"steps": 1})
    engine.model = find_model(copy)
    style_code(picture(), engine)
    engine.model = find_model(tiny_model)
    engine.threads = 2
    style_code(picture(), engine)
    assert engine.calls == 5


def test_a_damaged_entry_is_ignored_and_rewritten(engine: Any, tiny_model: Path, place: Path) -> None:
    first = style_code(picture(), engine)
    (entry,) = place.iterdir()
    data = bytearray(entry.read_bytes())
    data[-5] ^= 1  # one bit of one number
    entry.write_bytes(bytes(data))
    assert same(style_code(picture(), engine), first)
    assert engine.calls == 2
    style_code(picture(), engine)
    assert engine.calls == 2


def test_a_remembered_code_needs_no_torch(engine: Any) -> None:
    """Where nothing has imported torch, the code is the same numbers in NumPy's arrays."""
    first = style_code(picture(), engine)
    program = (
        "import sys, types, numpy as np\n"
        "from vidstyle.styles.code_cache import style_code\n"
        "model = types.SimpleNamespace(digest=sys.argv[1])\n"
        "picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)\n"
        "code = style_code(picture, types.SimpleNamespace(model=model, threads=1))\n"
        "assert 'torch' not in sys.modules\n"
        "np.savez(sys.argv[2], **code.named())\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "code.npz")
        subprocess.run([sys.executable, "-c", program, engine.model.digest, str(file)], check=True)
        named = dict(np.load(file))
    assert same(StyleCode.of(named, engine.model.digest).tensors(), first)
