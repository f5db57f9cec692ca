"""What `benchmarks.fps --device cuda` prints: measured here on a device that is not there, refused where there is none."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import fps
from benchmarks.cuda import driver, model_rows
from tests.engines.fake_device import FakeDevice
from vidstyle.engines.cuda.engine import CudaEngine
from vidstyle.models.registry import find_model


def test_graphs_and_copies_beside_what_is_without(tiny_model: Path) -> None:
    def make(precision: str, graph: bool) -> CudaEngine:
        return CudaEngine(
            find_model(tiny_model),
            device="cuda",
            precision="bf16" if precision == "bf16" else "fp32",
            threads=1,
            graph=graph,
            on=FakeDevice(),
        )

    style = np.random.default_rng(0).integers(0, 256, (40, 52, 3), dtype=np.uint8)
    rows = list(model_rows(make, style, [(32, 16), (24, 24)], budget=0.01, precisions=["bf16", "fp32"]))
    told = [(r["precision"], r["width"], r["graph"], r["copies"]) for r in rows]
    assert told == [
        (p, w, g, c) for p in ("bf16", "fp32") for w in (32, 24) for g in (True, False) for c in (True, False)
    ]
    assert all(r["fps"] > 0 and r["frames"] == 16 for r in rows)
    assert fps.gpu_words(rows[0]) == ["graph", "with copies"]
    assert fps.gpu_words(rows[3]) == ["eager", "without copies"]
    assert fps.gpu_words({"what": "command", "options": "--segment 1"}) == ["--segment 1"]
    assert fps.gpu_words({"what": "command"}) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_without_a_gpu_it_says_so(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["fps", "--device", device])
    with pytest.raises(SystemExit, match=f"benchmarks.fps: --device {device}: .*CUDA.*; nothing was measured.$") as end:
        fps.main()
    assert isinstance(end.value.code, str)  # which Python prints on stderr, and exits with 1


def test_driver() -> None:
    assert driver() is None or driver()[0].isdigit()  # type: ignore[index]
