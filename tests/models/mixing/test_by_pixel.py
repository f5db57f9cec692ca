"""Styles mixed from pixel to pixel: with equal shares everywhere it is the blend, whatever the strength."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle.engines.base import MixingEngine
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.models.attention import blend, cosine_code, cosine_moments, moments
from vidstyle.models.compact import CompactNet
from vidstyle.models.mixing.by_pixel import CosineByPixel
from vidstyle.models.registry import ModelDescriptor
from vidstyle.models.style_code import CosineCode, SoftmaxCode, StyleCode, can_mix


@pytest.fixture(scope="module")
def codes(net: CompactNet) -> list[StyleCode]:
    return [
        net.encode_style(torch.rand(1, 3, 40, 33, generator=torch.Generator().manual_seed(i)) ** i) for i in (1, 2, 3)
    ]


def stacked(codes: list[StyleCode]) -> StyleCode:
    named = [code.named() for code in codes]
    return StyleCode.of({key: torch.cat([n[key] for n in named]) for key in named[0]}, None)


def frames(n: int = 2) -> Tensor:
    return torch.rand(n, 3, 30, 44, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize(("strength", "beyond"), [(None, False), (0.4, False), (1.7, True)])
def test_equal_shares_everywhere_are_the_blend(
    net: CompactNet, codes: list[StyleCode], strength: float | None, beyond: bool
) -> None:
    shares = torch.tensor([0.5, 0.2, 0.3])
    found = net.mixed(
        frames(), stacked(codes), shares.reshape(1, 3, 1, 1).expand(2, 3, 30, 44), strength, beyond=beyond
    )
    wanted = net(frames(), blend(codes, shares.tolist()), strength, beyond=beyond)
    torch.testing.assert_close(found, wanted, rtol=0, atol=2e-5)


def test_each_side_has_its_style_and_the_edge_is_soft(net: CompactNet, codes: list[StyleCode]) -> None:
    one = torch.zeros(1, 3, 64, 128)
    one[:, 0, :, :64] = one[:, 1, :, 64:] = 1
    frame = torch.rand(1, 3, 64, 128, generator=torch.Generator().manual_seed(9))
    found = net.mixed(frame, stacked(codes), one)
    first, second = (
        net.mixed(frame, stacked(codes), torch.eye(3)[i].reshape(1, 3, 1, 1).expand(1, 3, 64, 128)) for i in (0, 1)
    )
    # Layers take their own moments from a side, so it is not the style alone to the last digit, but near it.
    for side, near, far in ((np.s_[..., :32], first, second), (np.s_[..., 96:], second, first)):
        assert float((found[side] - near[side]).abs().mean()) < 0.5 * float((found[side] - far[side]).abs().mean())


def test_attention_mixes_before_it_divides() -> None:
    generator = torch.Generator().manual_seed(0)

    def points(n: int) -> Tensor:
        return torch.randn(1, 5, n, generator=generator, dtype=torch.float64)

    a, b = cosine_code(points(30), points(30)), cosine_code(points(20), 2 + points(20))
    queries = points(12)
    shares = torch.rand(1, 12, generator=generator, dtype=torch.float64)
    both = CosineCode(*(torch.cat(pair) for pair in zip(vars(a).values(), vars(b).values(), strict=True)))
    mean, var = moments(queries, CosineByPixel(both, torch.stack([shares, 1 - shares], 1), None, None))
    for i, w in enumerate(shares[0].tolist()):
        here = blend([StyleCode((a,)), StyleCode((b,))], [torch.tensor([w]), torch.tensor([1 - w])]).scales[0]
        assert isinstance(here, CosineCode)
        wanted = cosine_moments(queries[:, :, i : i + 1], here)
        torch.testing.assert_close(mean[:, :, i : i + 1], wanted[0], rtol=0, atol=1e-4)
        torch.testing.assert_close(var[:, :, i : i + 1], wanted[1], rtol=0, atol=1e-4)


def test_what_can_be_mixed(net: CompactNet, codes: list[StyleCode]) -> None:
    assert can_mix(codes)
    assert not can_mix([StyleCode(codes[0].scales[1:2])])
    assert not can_mix([StyleCode((SoftmaxCode(*(torch.zeros(1, 2, 3),) * 2, torch.zeros(1, 2)),))])


def test_engines_agree(net: CompactNet, codes: list[StyleCode]) -> None:
    pytest.importorskip("openvino")
    from vidstyle.engines.openvino_engine import OpenVINOEngine

    model = ModelDescriptor.in_memory(cast(Any, net))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 30, 44, 3), np.uint8)
    shares = np.random.default_rng(1).random((2, 3, 30, 44), np.float32)
    shares /= shares.sum(1, keepdims=True)
    torch_engine = TorchEngine(model, device="cpu", precision="fp32", threads=1)
    engine = OpenVINOEngine(model, precision="fp32", threads=1)
    assert isinstance(engine, MixingEngine)
    wanted = torch_engine.stylize_mixed(pixels, stacked(codes), shares, strength=1.5)
    found = engine.stylize_mixed(pixels, stacked(codes), shares, strength=1.5)
    assert np.abs(found.astype(int) - wanted).max() <= 1
    assert wanted.std() > 5
