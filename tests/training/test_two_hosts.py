"""`torchrun` on two hosts has the gradients of one process with both batches."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tests.helpers.two_hosts import two_hosts

SCRIPT = Path(__file__).with_name("ddp_gradients.py")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hosts_have_the_gradients_of_one(pictures: Path, tmp_path: Path) -> None:
    with two_hosts() as (one, two):
        alone = [sys.executable, str(SCRIPT), str(pictures), str(tmp_path / "alone"), "4", "1"]
        one.run(alone)

        def node(rank: int) -> list[str]:
            where = ["--nnodes", "2", "--node-rank", str(rank), "--nproc-per-node", "1"]
            meet = ["--master-addr", one.address, "--master-port", "29511"]
            script = [str(SCRIPT), str(pictures), str(tmp_path / "both"), "2", "1"]
            return [sys.executable, "-m", "torch.distributed.run", *where, *meet, *script]

        second = two.start(node(1), {"GLOO_SOCKET_IFNAME": two.card})
        try:
            one.run(node(0), {"GLOO_SOCKET_IFNAME": one.card})
            assert second.wait(60) == 0
        finally:
            second.kill()
            second.wait()
    with safe_open(tmp_path / "alone", "pt") as a, safe_open(tmp_path / "both", "pt") as b:
        assert b.metadata()["processes"] == "2"
        names = list(a.keys())
        assert len(names) > 80
        for name in names:
            expected = a.get_tensor(name)
            size = float(expected.abs().max())
            torch.testing.assert_close(b.get_tensor(name), expected, rtol=0, atol=max(2e-3 * size, 1e-7), msg=name)
