"""torch.compile: the same frames as without, asked for and never taken by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from vidstyle.core.errors import UsageError
from vidstyle.engines import compiled_engine
from vidstyle.engines.choose import explain, make_engine


def test_auto_prefers_every_other_engine() -> None:
    names = [(c.engine, c.device) for c in explain()]
    assert names.index(("torch", "cpu")) < names.index(("torch-compile", "cpu"))


def test_without_a_compiler_it_is_refused(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UsageError, match="C\\+\\+ compiler"):
        make_engine(tiny_model, engine="torch-compile")
    assert compiled_engine.why_not("cuda")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of inductor, about itself
def test_same_frames_as_without(tiny_model: Path) -> None:
    if compiled_engine.why_not("cpu"):
        pytest.skip("there is no C++ compiler")
    plain, compiled = (
        make_engine(tiny_model, engine=e, device="cpu", precision="fp32") for e in ("torch", "torch-compile")
    )
    rng = np.random.default_rng(0)
    code = compiled.encode_style(rng.integers(0, 256, (40, 56, 3), dtype=np.uint8))
    frames = rng.integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    for strength in (1.0, 0.5):
        a, b = (e.stylize(frames, code, strength=strength).astype(int) for e in (plain, compiled))
        assert np.abs(a - b).max() <= 1
