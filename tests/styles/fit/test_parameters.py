"""A code stays a code whatever its numbers become."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.models.checkpoint import load_model
from vidstyle.models.color_transfer import covariance
from vidstyle.models.compact import CompactNet
from vidstyle.models.style_code import CosineCode, MomentCode, SoftmaxCode, StyleCode
from vidstyle.styles.fit.parameters import CodeParameters


@pytest.fixture(scope="module")
def net(tiny_model: Path) -> CompactNet:
    model = load_model(tiny_model)
    assert isinstance(model, CompactNet)
    return model


@pytest.fixture(scope="module")
def read(net: CompactNet) -> StyleCode:
    picture = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    return net.encode_style(picture)


def test_it_begins_with_what_was_read(read: StyleCode) -> None:
    again = CodeParameters(read, colour=True).code()
    for a, b in zip(again.scales, read.scales, strict=True):
        assert type(a) is type(b)
        for name, value in vars(b).items():
            torch.testing.assert_close(getattr(a, name), value, rtol=1e-3, atol=1e-3)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 1.0, 10.0, 1000.0]))
def test_whatever_the_numbers_variances_are_positive_and_mass_is_one(read: StyleCode, seed: int, size: float) -> None:
    parameters = CodeParameters(read, colour=True)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in parameters.tensors():
            tensor.copy_(size * torch.randn(tensor.shape, generator=generator))
    code = parameters.code().map(lambda t: t.detach())
    for scale, before in zip(code.scales, read.scales, strict=True):
        if isinstance(scale, CosineCode):
            assert isinstance(before, CosineCode)
            torch.testing.assert_close(scale.offset[:, -1], before.offset[:, -1], rtol=0, atol=0)
            torch.testing.assert_close(scale.matrix[:, :, -1], before.matrix[:, :, -1], rtol=0, atol=0)
        assert isinstance(scale, CosineCode | MomentCode)
        assert bool((scale.moments()[1] >= 0).all())
    colours = code.scales[0]
    assert isinstance(colours, MomentCode)
    if size <= 10:  # beyond that float32 has no digits left for a variance beside a squared mean
        s = covariance(colours)
        corner = torch.stack(
            [torch.cat([s.ll, s.lp, s.lq], 1), torch.cat([s.lp, s.pp, s.pq], 1), torch.cat([s.lq, s.pq, s.qq], 1)], 1
        )
        scale_of = float(corner.abs().max())
        assert float(torch.linalg.eigvalsh(corner.double()).min()) > -1e-2 * scale_of


@settings(max_examples=10)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0]))
def test_every_code_paints_numbers(net: CompactNet, read: StyleCode, seed: int, strength: float) -> None:
    parameters = CodeParameters(read, colour=True)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in parameters.tensors():
            tensor.copy_(torch.randn(tensor.shape, generator=generator))
        frames = torch.rand(1, 3, 32, 40, generator=generator)
        assert bool(net(frames, parameters.code(), strength).isfinite().all())


def test_gradients_reach_every_number(net: CompactNet, read: StyleCode) -> None:
    parameters = CodeParameters(read, colour=True)
    frames = torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(3))
    net(frames, parameters.code()).square().mean().backward()
    assert all(t.grad is not None and bool(t.grad.isfinite().all()) for t in parameters.tensors())


def test_points_are_no_numbers_to_fit() -> None:
    points = SoftmaxCode(torch.zeros(1, 4, 2), torch.zeros(1, 4, 3), torch.zeros(1, 4))
    with pytest.raises(ValueError, match="softmax"):
        CodeParameters(StyleCode((points,)), colour=False)
