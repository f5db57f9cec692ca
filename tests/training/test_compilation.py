"""Compiled networks: the same numbers and names; refused on processors."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from vidstyle.core.errors import UsageError
from vidstyle.models.checkpoint import build
from vidstyle.training.compilation import check_compilable, compile_networks


def test_names_and_numbers_stay() -> None:
    torch.manual_seed(0)
    net = build("compact", {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8})
    x = torch.rand(2, 3, 32, 32)
    code = net.encode_style(x)
    plain, names = net(x, code), list(net.state_dict())
    compile_networks([net, nn.Identity()], backend="eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the compiler, which asks a code that is no leaf for its gradient
        found = net(x, code)
    torch.testing.assert_close(found, plain, rtol=0, atol=1e-6)
    found.sum().backward()
    assert all(p.grad is not None for p in net.full.parameters())
    assert list(net.state_dict()) == names


def test_processors_train_bit_for_bit_and_so_refuse_it() -> None:
    with pytest.raises(UsageError, match="leave it out"):
        check_compilable(torch.device("cpu"))
    check_compilable(torch.device("cuda"))
