"""The visit to a rented GPU, dry: every step on the processor in tiny sizes, a failing step, what is left behind."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.models.model_files import read_metadata
from vidstyle.models.vgg import VGG
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.data.pack_writer import PackContents, write_pack
from vidstyle.training.recipe import Recipe, Scoring, Stage

pytestmark = pytest.mark.timeout(900)  # six processes start torch, which a busy machine takes its time for

SCRIPT = Path(__file__).resolve().parents[2] / "pipelines" / "gpu_run.py"
BLOCKED = (
    "import sys; sys.modules.update(dict.fromkeys(('av', 'decord', 'kornia', 'pydantic', 'cv2', 'openvino', 'typer')))"
)
"""What is not there on the machine; the fit needs OpenCV and must fail, alone."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    images = tuple(rng.integers(0, 255, (64, 64 + 8 * i, 3), dtype=np.uint8) for i in range(4))
    folder = ImageFolder(Path("noise"), images, 0, "0" * 64)
    stage = Stage(kind="autoencode", steps=1, crop=64, batch=2)
    config = {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8}
    plan = Recipe(stage=(stage,), config=config, precision="fp32", log_every=1, validation=Scoring(every=0))
    path = tmp_path_factory.mktemp("pack") / "x.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VGG("vgg16", 1)
    write_pack(PackContents(folder, folder, None, network, plan), path, largest=10_000_000, quality=75, settings={})
    return path


def test_the_steps_on_the_processor(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in this process; in processes of their own, one after the other, they are a slow test."""
    monkeypatch.setattr("vidstyle.training.trainer.PREVIEW_SIDE", 64)
    monkeypatch.setattr("vidstyle.training.calibration.SIDE", 64)
    monkeypatch.setattr("vidstyle.training.calibration.PAIRS", 4)
    script = runpy.run_path(str(SCRIPT))
    options = script["parsed"](["--pack", str(pack), "--out", str(tmp_path), "--minutes", "1", "--tiny"])
    options.train_minutes = 0.01
    done = {name: script["ONLY"][name](options) for name in ("device", "engine", "fps", "benchmark", "train")}
    assert done["device"]["bf16_flop_per_second"] > 0
    assert done["engine"]["levels_from_cpu_fp32"]["fp32"] == {"most": 0, "mean": 0.0, "close": True}
    assert done["fps"]["model"][0]["fps"] > 0
    assert done["benchmark"] == {"skipped": "no GPU"}
    assert done["train"]["step"] == read_metadata(tmp_path / ".work" / "run" / "model.safetensors")["steps"] >= 1


@pytest.mark.slow
def test_a_dry_run_leaves_few_files_and_loses_nothing_to_a_failing_step(pack: Path, tmp_path: Path) -> None:
    out, site = tmp_path / "out", tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(BLOCKED)  # in the steps' processes too
    command = [sys.executable, str(SCRIPT), "--pack", str(pack), "--out", str(out), "--minutes", "8", "--tiny"]
    environment = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    report, log = json.loads((out / "report.json").read_text()), (out / "log.txt").read_text()
    steps = report["steps"]
    assert steps["device"]["ok"], log
    assert steps["device"]["bf16_flop_per_second"] > 0
    assert steps["engine"]["levels_from_cpu_fp32"]["fp32"] == {"most": 0, "mean": 0.0, "close": True}
    assert steps["fps"]["model"][0]["fps"] > 0
    assert not steps["fit"]["ok"]
    assert steps["tests"]["ok"], log
    assert steps["benchmark"]["skipped"] == "no GPU"
    assert "cv2" in log
    assert steps["train"]["ok"], log
    assert steps["train"]["step"] == read_metadata(out / "model.safetensors")["steps"] >= 1
    names = {f.name for f in out.iterdir()}
    assert names == {
        "report.json", "log.txt", "model.safetensors", "state.safetensors", "log.jsonl", "preview.png",
    }  # fmt: skip
    assert all(f.stat().st_size <= 15_000_000 for f in out.iterdir())


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_what_a_step_started_ends_with_its_limit() -> None:
    limited = runpy.run_path(str(SCRIPT))["limited"]
    child = "import subprocess, sys; subprocess.run(['sleep', '300.25'], stdout=subprocess.DEVNULL)"
    start = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        limited(
            [sys.executable, "-S", "-c", f"print(1, flush=True); {child}"], 2.0, sys.stderr, {"PATH": "/usr/bin:/bin"}
        )
    assert time.monotonic() - start < 100
    assert limited([sys.executable, "-S", "-c", "import sys; print(7); sys.exit(3)"], 60.0, sys.stderr, {}) == (
        3,
        "7\n",
    )
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 300.25" not in left
