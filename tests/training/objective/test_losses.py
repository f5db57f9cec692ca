"""Losses on cases that can be worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vidstyle.losses import moments
from vidstyle.models.attention import cosine_code, cosine_moments, mean_variance_norm
from vidstyle.training.data.synthetic_motion import random_grid, warp
from vidstyle.training.objective import losses


def features(seed: int, batch: int = 2, side: int = 16) -> list[Tensor]:
    """What a loss network gives: non-negative, halving in size, doubling in channels."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, 4 * 2**i, side // 2**i, side // 2**i, generator=g).relu() for i in range(4)]


def numbered(features: list[Tensor]) -> dict[int, Tensor]:
    """Layers by their x."""
    return dict(enumerate(features, 1))


def style_term(out: list[Tensor], style: list[Tensor], layers: list[float]) -> Tensor:
    return moments.moment_loss(moments.layer_moments(out), moments.layer_moments(style), layers)


def test_global_style_of_two_channels_by_hand() -> None:
    """Means 1 against 3, deviations 1 against 2 (values 0, 2 against 1, 5): (3 - 1)^2 + (2 - 1)^2 = 5."""
    a = torch.tensor([0.0, 2.0]).view(1, 1, 1, 2)
    b = torch.tensor([1.0, 5.0]).view(1, 1, 1, 2)
    assert float(style_term([a], [b], [1.0])) == pytest.approx(5, abs=1e-3)
    assert float(style_term([a], [b], [0.5])) == pytest.approx(2.5, abs=1e-3)
    assert float(style_term([a, a], [b, a], [0.0, 1.0])) == pytest.approx(0, abs=1e-6)


def test_large_errors_count_linearly_by_hand() -> None:
    """delta = 1: errors 0.5 and 3 give 0.25 and 1 x (2 x 3 - 1) = 5; at delta the parabola goes over into its tangent."""
    x, y = torch.tensor([0.5, 3.0]), torch.zeros(2)
    assert float(moments.square_error(x, y, 1.0)) == pytest.approx((0.25 + 5) / 2)
    assert float(moments.square_error(x, y)) == pytest.approx((0.25 + 9) / 2)
    at = torch.tensor([1.0], requires_grad=True)
    slope = torch.autograd.grad(moments.square_error(at * 1.0001, torch.zeros(1), 1.0), at)[0]
    assert float(slope) == pytest.approx(2, rel=1e-3)
    a, b = torch.tensor([0.0, 2.0]).view(1, 1, 1, 2), torch.tensor([1.0, 5.0]).view(1, 1, 1, 2)
    pair = moments.layer_moments([a]), moments.layer_moments([b])
    assert float(moments.moment_loss(*pair, [1.0], delta=1.0)) == pytest.approx((2 * 2 - 1) + 1, abs=1e-3)
    assert float(losses.local_features([a], {1: b}, delta=1.0)) == pytest.approx((1 + 5) / 2)


def test_global_style_ignores_where_things_are() -> None:
    f = features(0)
    shuffled = [t.flatten(2)[:, :, torch.randperm(t[0, 0].numel())].view_as(t) for t in f]
    assert float(style_term(f, shuffled, [1.0] * 4)) < 1e-8


def test_local_target_of_a_flat_style_is_its_constant() -> None:
    """All values alike: mean is the value and deviation 0, whatever the weights are."""
    content = features(1)
    style = [torch.full_like(t, 2.0) for t in content]
    for attention in ("cosine", "softmax"):
        target = losses.local_target(content, style, 3, attention)
        assert float((target - 2).abs().max()) < 0.01  # the root of eps = 1e-6, times a few deviations of the content


def test_the_uniform_target_is_attention_with_equal_weights() -> None:
    """Keys that are all alike weigh every point of the style the same."""
    content, style = features(8), features(9)
    got = losses.uniform_target(content[2], moments.mean_std(style[2], eps=1e-6))
    alike = cosine_code(torch.ones(2, 3, 16), style[2].flatten(2))
    mean, var = cosine_moments(torch.ones(2, 3, 16), alike)
    shape = content[2].shape
    wanted = (var + 1e-6).sqrt().view(shape) * mean_variance_norm(content[2]) + mean.view(shape)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-4)


def test_local_features_by_hand() -> None:
    out = [torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)]
    assert float(losses.local_features(out, {1: torch.full((1, 1, 2, 2), 3.0)})) == 9
    assert float(losses.local_features(out, {1: torch.zeros(1, 1, 2, 2), 2: torch.zeros(1, 1, 2, 2)})) == 1


def test_similarity_is_over_positions_and_zero_for_an_unchanged_pair() -> None:
    f = features(2)
    g = torch.Generator().manual_seed(0)
    assert float(losses.similarity(numbered(f), f, [2, 3, 4], 64, g)) == 0
    scaled = [3 * t for t in f]  # cosines do not see a common factor
    assert float(losses.similarity(numbered(f), scaled, [2, 3], 64, g)) < 1e-3
    assert float(losses.similarity(numbered(f), features(3), [2, 3], 64, g)) > 0.1


def test_similarity_by_hand() -> None:
    """One pair, two positions each, two channels. Contents: D = [[0, 1], [1, 0]]; results all alike would have D = 0,
    so take D = [[0, 1], [0, 1]]: columns [0, 1] / 1 against [0, 0] / ~0 and [1, 0] / 1 against [1/2, 1/2]."""
    x, y = [1.0, 0.0], [0.0, 1.0]

    def pair(first: list[list[float]], second: list[list[float]]) -> Tensor:
        return torch.tensor([first, second]).transpose(1, 2).view(2, 2, 1, 2)

    content, out = pair([x, y], [x, y]), pair([x, x], [x, y])
    g = torch.Generator().manual_seed(0)
    # Column sums of |difference|: 1 (D of the result is about 0 there and normalises to [1/2, 1/2]: |0 - .5| + |1 - .5|), 1.
    assert float(losses.similarity(numbered([content]), [out], [1], 2, g)) == pytest.approx(1, abs=0.02)


def test_temporal_is_zero_for_an_equivariant_map_and_not_for_another() -> None:
    g = torch.Generator().manual_seed(5)
    c = torch.rand(2, 3, 32, 32, generator=g)
    grid = random_grid(32, [g, g])
    invert = 1 - c
    assert float(losses.temporal(1 - warp(c, grid), invert, grid)) < 1e-10
    ramp = torch.linspace(0, 1, 32).expand(2, 3, 32, 32)  # a map that looks at where a pixel is
    assert float(losses.temporal(warp(c, grid) + ramp, c + ramp, grid)) > 1e-4


def test_range_penalty_by_hand() -> None:
    x = torch.tensor([-0.5, 0.0, 0.5, 2.0]).view(1, 1, 2, 2)
    assert float(losses.out_of_range(x)) == pytest.approx(1.5 / 4)


def test_gradient_l1_sees_edges() -> None:
    flat, edge = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    edge[..., 2:] = 1
    # tone 1/2, across: one of three differences, down: none.
    assert float(losses.gradient_l1(edge, flat)) == pytest.approx(0.5 + 1 / 3)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_flat_pictures_give_finite_gradients(value: float) -> None:
    out = [torch.full_like(t, value).requires_grad_() for t in features(4)]
    style, content = features(5), [torch.full_like(t, value) for t in features(4)]
    g = torch.Generator().manual_seed(0)
    targets = {x: losses.local_target(content, style, x) for x in (3, 4)}
    total = (
        style_term(out, style, [1.0] * 4)
        + losses.local_features(out, targets)
        + losses.similarity(numbered(content), out, [2, 3], 64, g)
    )
    total.backward()
    for t in out:
        assert t.grad is not None
        assert torch.isfinite(t.grad).all()


def test_gradients_of_means_and_deviations_are_those_of_finite_differences() -> None:
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(moments.mean_std, (x,))


def test_distances_by_hand() -> None:
    """Vectors along x and along the diagonal against x and y: cosines 1, 0 and 1/sqrt 2 twice; columns sum to 1 over i."""
    r = 0.5**0.5
    a = torch.tensor([[[1.0, 2.0], [0.0, 2.0]]])  # positions (1, 0) and (2, 2): length does not count
    b = torch.tensor([[[3.0, 0.0], [0.0, 1.0]]])
    d = torch.tensor([[0.0, 1.0], [1 - r, 1 - r]])
    torch.testing.assert_close(losses.distances(a, b)[0], d / d.sum(0), rtol=0, atol=1e-4)


def test_similarity_sums_over_one_picture_and_averages_over_the_other() -> None:
    """Every position twice: each column has twice the entries of half the size, and the columns' mean is what it was."""
    content, out = features(6)[1][..., :4, :4], features(7)[1][..., :4, :4]
    doubled_content, doubled_out = (torch.cat([t, t], 3) for t in (content, out))
    g = torch.Generator().manual_seed(0)
    once = float(losses.similarity(numbered([content]), [out], [1], 1024, g))
    twice = float(losses.similarity(numbered([doubled_content]), [doubled_out], [1], 1024, g))
    assert once > 0.1
    assert twice == pytest.approx(once, rel=1e-4)
    layers = float(losses.similarity(numbered([content, content]), [out, out], [1, 2], 1024, g))
    assert layers == pytest.approx(2 * once, rel=1e-4)


def test_temporal_where_nothing_can_be_seen_is_zero_and_so_is_its_gradient() -> None:
    o = torch.rand(2, 3, 8, 8, requires_grad=True)
    grid = random_grid(8, [torch.Generator().manual_seed(0)] * 2)
    value = losses.temporal(o, 1 - o, grid, torch.zeros(2, 1, 8, 8))
    value.backward()
    assert float(value.detach()) == 0
    assert o.grad is not None
    assert not o.grad.any()
