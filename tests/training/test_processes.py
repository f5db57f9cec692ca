"""Several processes: two with a batch each compute the gradients of one with both batches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

SCRIPT = Path(__file__).with_name("ddp_gradients.py")
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def gradients(pictures: Path, out: Path, *, processes: int, batch: int, parts: int = 1) -> dict[str, Tensor]:
    """Of one step of every kind of stage, by the number of processes."""
    launch = TWO if processes == 2 else []
    command = [sys.executable, *launch, str(SCRIPT), str(pictures), str(out), str(batch), str(parts)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with safe_open(out, "pt") as file:
        assert file.metadata()["processes"] == str(processes)
        return {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118


def test_two_processes_have_the_gradients_of_one_with_the_doubled_batch(pictures: Path, tmp_path: Path) -> None:
    one = gradients(pictures, tmp_path / "one", processes=1, batch=4)
    two = gradients(pictures, tmp_path / "two", processes=2, batch=2)
    assert set(one) == set(two)
    for kind, least in (("distil", 8), ("autoencode", 40), ("style", 40)):
        names = [k for k in one if k.startswith(kind)]
        assert len(names) > least, names
        for name in names:
            size = float(one[name].abs().max())
            torch.testing.assert_close(two[name], one[name], rtol=0, atol=max(2e-3 * size, 1e-7), msg=name)


def test_accumulated_batches_have_the_gradients_of_one_batch(pictures: Path, tmp_path: Path) -> None:
    one = gradients(pictures, tmp_path / "one", processes=1, batch=4)
    parts = gradients(pictures, tmp_path / "parts", processes=1, batch=2, parts=2)
    for name in (k for k in one if not k.startswith("distil") and not k.endswith("loss")):
        size = float(one[name].abs().max())
        torch.testing.assert_close(parts[name], one[name], rtol=0, atol=max(2e-3 * size, 1e-7), msg=name)
