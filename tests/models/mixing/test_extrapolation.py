"""Past a style: which moments there are, that nothing leaves its bounds, and that the style is where it begins."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vidstyle.models.attention import cosine_code, cosine_moments, moment_code, moments
from vidstyle.models.compact import CompactNet
from vidstyle.models.mixing.extrapolation import carried_on, past
from vidstyle.models.style_code import Beyond, StyleCode

REAL = {"allow_nan": False, "allow_infinity": False, "width": 32}


def numbers(low: float, high: float) -> st.SearchStrategy[Tensor]:
    return st.lists(st.floats(low, high, **REAL), min_size=3, max_size=3).map(lambda x: torch.tensor([x]).double())  # type: ignore[arg-type]


@given(numbers(-1e3, 1e3), numbers(0, 1e3), numbers(-1e3, 1e3), numbers(0, 1e3), st.floats(0, 1))
def test_moments_stay_within_their_bounds(mean: Tensor, var: Tensor, own: Tensor, own_var: Tensor, e: float) -> None:
    found, spread = carried_on((mean, var), (own, own_var), torch.tensor([e]).double())
    std, slack = var.sqrt(), 1e-9 * (1 + mean.abs())
    assert bool((spread.sqrt() >= std / 2 - 1e-9).all())
    assert bool((spread.sqrt() <= 2 * std + 1e-9).all())
    assert bool(((found - mean).abs() <= std + slack).all())
    assert bool((torch.sign(found - mean) * torch.sign(mean - own) >= 0).all())  # away from the frame, or nowhere


def test_within_the_bounds_it_is_a_straight_line() -> None:
    mean, std = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 1.0]])
    own_mean, own_std = torch.tensor([[0.9, 2.5]]), torch.tensor([[0.6, 0.8]])
    for e in (0.0, 0.5, 1.0):
        found, var = carried_on((mean, std**2), (own_mean, own_std**2), torch.tensor([e]))
        torch.testing.assert_close(found, (1 + e) * mean - e * own_mean)
        torch.testing.assert_close(var.sqrt(), (1 + e) * std - e * own_std)


def test_the_bounds_are_reached() -> None:
    style = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    own = torch.tensor([[9.0, -9.0]]), torch.tensor([[100.0, 0.0]])
    found, var = carried_on(style, own, torch.tensor([1.0]))
    assert found.tolist() == [[-1, 1]]
    assert var.tolist() == [[0.25, 4]]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), e=st.floats(0, 1))
def test_attention_past_a_style_is_that_of_both_codes(seed: int, e: float) -> None:
    generator = torch.Generator().manual_seed(seed)

    def points(n: int) -> Tensor:
        return torch.randn(1, 5, n, generator=generator, dtype=torch.float64)

    style, own = cosine_code(points(30), points(30)), cosine_code(points(20), 3 + points(20))
    queries, excess = points(12), torch.tensor([e]).double()
    found = moments(queries, Beyond(style, own, excess))
    wanted = carried_on(cosine_moments(queries, style), cosine_moments(queries, own), excess)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_colours_keep_the_style_s_covariance() -> None:
    style, own = (moment_code(torch.rand(1, 6, 4, 4, generator=torch.Generator().manual_seed(i))) for i in (0, 1))
    (scale,) = past(StyleCode((style,)), StyleCode((own,)), torch.tensor([1.0]), colour=0).scales
    torch.testing.assert_close(scale.moments()[1], style.moments()[1])
    assert not torch.equal(scale.moments()[0], style.moments()[0])


FRAMES: dict[str, Callable[[], Tensor]] = {
    "noise": lambda: torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(1)),
    "black": lambda: torch.zeros(1, 3, 32, 40),
    "two colours": lambda: torch.eye(2).repeat(1, 3, 16, 20),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_picture_past_its_style_is_finite_and_begins_at_the_style(net: CompactNet, frame: str) -> None:
    frames, code = (
        FRAMES[frame](),
        net.encode_style(torch.rand(1, 3, 50, 30, generator=torch.Generator().manual_seed(3))),
    )
    whole = net(frames, code)
    torch.testing.assert_close(net(frames, code, 1.0, beyond=True), whole, rtol=0, atol=1e-4)
    steps = [float((net(frames, code, a, beyond=True) - whole).abs().mean()) for a in (1.25, 1.5, 2.0)]
    assert all(torch.tensor(steps).isfinite())
    assert min(steps) > 0


def test_each_frame_may_have_a_strength_of_its_own(net: CompactNet) -> None:
    frames, code = FRAMES["noise"](), net.encode_style(torch.rand(1, 3, 50, 30))
    together = net(frames, code, torch.tensor([1.2, 1.9]), beyond=True)
    alone = [net(f[None], code, a, beyond=True) for f, a in zip(frames, (1.2, 1.9), strict=True)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-5)
