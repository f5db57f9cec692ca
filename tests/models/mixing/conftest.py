"""A small network whose layers all do something."""

import pytest
import torch

from vidstyle.models.compact import CompactConfig, CompactNet


@pytest.fixture(scope="module")
def net() -> CompactNet:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        net = CompactNet(CompactConfig(widths=(8, 8, 16), key_widths=(8, 8), output_width=8))
        for p in net.parameters():
            torch.nn.init.normal_(p, std=(0.7 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1)
        return net.eval().requires_grad_(False)
