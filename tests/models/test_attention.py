"""AdaAttN against a naive N x N form, and the algebra of codes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vidstyle.models.attention import (
    NORM_EPS,
    AdaAttN,
    AttentionKind,
    adain,
    blend,
    cosine_code,
    cosine_moments,
    mean_variance_norm,
    moment_code,
    moments,
    softmax_moments,
    unit,
)
from vidstyle.models.style_code import CosineCode, SoftmaxCode, StyleCode


def naive_moments(
    q: Tensor, k: Tensor, v: Tensor, kind: AttentionKind, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The definition: q (B, K, N), k (B, K, M), v (B, C, M), weights (M,) of the points; builds the N x M matrix."""
    w = torch.ones(v.shape[2], dtype=v.dtype) / v.shape[2] if weights is None else weights
    if kind == "cosine":
        a = (torch.einsum("bkn,bkm->bnm", unit(q), unit(k)) + 1) * w
        # The denominator's epsilon is part of the definition (upstream adds it), at the scale of a mean over the points.
        a = a / (a.sum(2, keepdim=True) + NORM_EPS)
        centre = v.mean(2, keepdim=True) if weights is None else (v * w).sum(2, keepdim=True)
    else:
        a = torch.softmax(torch.einsum("bkn,bkm->bnm", q, k) + w.log(), 2)
        centre = torch.zeros_like(v[:, :, :1])
    d = v - centre
    mean = torch.einsum("bnm,bcm->bcn", a, d)
    second = torch.einsum("bnm,bcm->bcn", a, d * d)
    return mean + centre, (second - mean * mean).clamp_min(0)


def points(kind: AttentionKind, k: Tensor, v: Tensor) -> CosineCode | SoftmaxCode:
    if kind == "cosine":
        return cosine_code(k, v)
    return SoftmaxCode(k.transpose(1, 2), v.transpose(1, 2), torch.zeros_like(k[:, 0]))


@pytest.mark.parametrize("kind", ["cosine", "softmax"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@given(
    b=st.integers(1, 3), key=st.integers(4, 20), c=st.integers(1, 12), n=st.integers(1, 70), m=st.integers(1, 90),
    seed=st.integers(0, 2**16),
)  # fmt: skip
def test_moments_equal_the_naive_form(
    kind: AttentionKind, dtype: torch.dtype, tolerance: float, b: int, key: int, c: int, n: int, m: int, seed: int
) -> None:
    # From 4 key channels on: in one or two a query can be opposite to every key, and then all weights are nearly 0 / 0.
    g = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(b, d, e, generator=g, dtype=torch.float64) for d, e in ((key, n), (key, m), (c, m)))
    v = v.relu() + 0.5
    expected = naive_moments(q, k, v, kind)
    got = moments(q.to(dtype), points(kind, k.to(dtype), v.to(dtype)))
    for e, o in zip(expected, got, strict=True):
        assert o.dtype == dtype
        scale = float(v.abs().max()) ** 2
        assert float((e - o).abs().max()) <= tolerance * scale


def test_large_values_far_from_zero_keep_their_variance_in_fp32() -> None:
    """E[v^2] - E[v]^2 about zero would lose 1e4^2 * 1e-7 = 10 of a variance of 1."""
    g = torch.Generator().manual_seed(0)
    q, k = torch.randn(1, 8, 50, generator=g), torch.randn(1, 8, 60, generator=g)
    v = 1e4 + torch.randn(1, 4, 60, generator=g)
    _, expected = naive_moments(q.double(), k.double(), v.double(), "cosine")
    _, got = cosine_moments(q, cosine_code(k, v))
    # The values themselves are rounded to 1e-3 at 1e4: that is what is left.
    assert float((expected - got).abs().max()) < 1e-4


@pytest.mark.parametrize("kind", ["cosine", "softmax"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_layer_equals_its_definition_for_unequal_sizes_and_a_shared_code(
    kind: AttentionKind, dtype: torch.dtype
) -> None:
    torch.manual_seed(1)
    layer = AdaAttN(6, 10, width=7, attention=kind).to(dtype)
    content, ck = torch.randn(2, 6, 5, 8, dtype=dtype), torch.randn(2, 10, 5, 8, dtype=dtype)
    style, sk = torch.randn(1, 6, 9, 4, dtype=dtype).relu(), torch.randn(1, 10, 9, 4, dtype=dtype)
    got = layer(content, ck, layer.encode(style, sk))
    q, k, v = (
        layer.f(ck).flatten(2),
        layer.g(sk).flatten(2).expand(2, -1, -1),
        layer.h(style).flatten(2).expand(2, -1, -1),
    )
    mean, var = naive_moments(q, k, v, kind)
    expected = (var + 1e-5).sqrt().view_as(content) * mean_variance_norm(content) + mean.view_as(content)
    assert got.dtype == dtype
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-10 if dtype == torch.float64 else 2e-5)


@pytest.mark.parametrize("kind", ["cosine", "softmax"])
@pytest.mark.parametrize("flat", ["content", "style", "both"])
def test_flat_pictures_give_finite_results_and_gradients(kind: AttentionKind, flat: str) -> None:
    """Zero variance and zero-norm keys: what a black frame gives."""
    torch.manual_seed(0)
    layer = AdaAttN(4, 4, attention=kind)
    with torch.no_grad():
        for conv in (layer.f, layer.g):
            assert conv.bias is not None
            conv.bias.zero_()
    content = torch.zeros(1, 4, 6, 6) if flat != "style" else torch.rand(1, 4, 6, 6)
    style = torch.zeros(1, 4, 5, 5) if flat != "content" else torch.rand(1, 4, 5, 5)
    content.requires_grad_()
    style.requires_grad_()
    out = layer(content, mean_variance_norm(content), layer.encode(style, mean_variance_norm(style)))
    out.square().sum().backward()
    assert torch.isfinite(out).all()
    for t in (content.grad, style.grad, *(p.grad for p in layer.parameters())):
        assert t is not None
        assert torch.isfinite(t).all()


@pytest.mark.parametrize("kind", ["cosine", "softmax"])
def test_gradients_are_those_of_finite_differences(kind: AttentionKind) -> None:
    torch.manual_seed(2)
    q, k, v = (torch.randn(2, d, n, dtype=torch.float64, requires_grad=True) for d, n in ((3, 4), (3, 5), (2, 5)))

    def run(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        return moments(q, points(kind, k, v))

    assert torch.autograd.gradcheck(run, (q, k, v))


def test_autocast_does_not_round_the_attention() -> None:
    torch.manual_seed(3)
    layer = AdaAttN(8, 8)
    content, style = torch.randn(1, 8, 9, 9), torch.randn(1, 8, 7, 7)
    plain = layer(content, content, layer.encode(style, style))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = layer(content, content, layer.encode(style, style))
    torch.testing.assert_close(cast, plain, rtol=0, atol=0)


def scale_of(code: StyleCode) -> CosineCode | SoftmaxCode:
    """The only scale of a code."""
    (scale,) = code.scales
    assert isinstance(scale, CosineCode | SoftmaxCode)
    return scale


@pytest.mark.parametrize("kind", ["cosine", "softmax"])
def test_a_blend_is_attention_over_the_weighted_union(kind: AttentionKind) -> None:
    g = torch.Generator().manual_seed(4)
    q = torch.randn(1, 5, 30, generator=g, dtype=torch.float64)
    k1, v1 = (torch.randn(1, d, 17, generator=g, dtype=torch.float64) for d in (5, 3))
    k2, v2 = (torch.randn(1, d, 40, generator=g, dtype=torch.float64) for d in (5, 3))
    codes = [StyleCode((points(kind, k1, v1),)), StyleCode((points(kind, k2, v2),))]
    got = moments(q, scale_of(blend(codes, [0.3, 0.7])))
    w = torch.cat([torch.full((17,), 0.3 / 17), torch.full((40,), 0.7 / 40)]).double()
    expected = naive_moments(q, torch.cat([k1, k2], 2), torch.cat([v1, v2], 2), kind, w)
    for e, o in zip(expected, got, strict=True):
        # Weights are float32 numbers: 0.3 is 0.3 to 1e-8.
        torch.testing.assert_close(o, e, rtol=0, atol=2e-7)


def test_a_blend_may_differ_over_the_batch_and_its_ends_are_its_codes() -> None:
    g = torch.Generator().manual_seed(5)
    a, b = (
        StyleCode((cosine_code(torch.randn(1, 4, 9, generator=g), torch.randn(1, 3, 9, generator=g)),))
        for _ in range(2)
    )
    mixed = blend([a, b], [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])])
    q = torch.randn(2, 4, 11, generator=g)
    mean, var = moments(q, scale_of(mixed))
    for i, code in enumerate((a, b)):
        m, v = moments(q[i : i + 1], scale_of(code))
        torch.testing.assert_close(mean[i : i + 1], m, rtol=0, atol=1e-6)
        torch.testing.assert_close(var[i : i + 1], v, rtol=0, atol=1e-6)


def test_moments_of_a_code_are_those_of_its_values() -> None:
    g = torch.Generator().manual_seed(6)
    k, v = torch.randn(2, 4, 50, generator=g), torch.randn(2, 3, 50, generator=g) + 5
    for code in (points("cosine", k, v), points("softmax", k, v)):
        mean, var = code.moments()
        torch.testing.assert_close(mean, v.mean(2), rtol=0, atol=1e-5)
        torch.testing.assert_close(var, v.var(2, correction=0), rtol=0, atol=1e-4)


def test_a_layers_code_blends_like_the_union_of_its_points() -> None:
    """Two styles of equally many points at equal weights are one style with all the points."""
    g = torch.Generator().manual_seed(8)
    a, b = (torch.randn(2, 3, 4, 5, generator=g) * s + 2 for s in (1, 3))
    mixed = blend([StyleCode((moment_code(x),)) for x in (a, b)], [0.5, 0.5]).scales[0]
    mean, var = mixed.moments()
    union = torch.cat([a, b], 3)
    torch.testing.assert_close(mean, union.mean((2, 3)), rtol=0, atol=1e-6)
    torch.testing.assert_close(var, union.var((2, 3), correction=0), rtol=0, atol=1e-5)


def test_adain_by_hand() -> None:
    """Values 0 and 2 (mean 1, deviation 1) in a style of mean 5 and deviation 3: 2 and 8; the style's own values stay."""
    x = torch.tensor([0.0, 2.0], dtype=torch.float64).view(1, 1, 1, 2)
    style = torch.tensor([2.0, 8.0], dtype=torch.float64).view(1, 1, 1, 2)
    torch.testing.assert_close(adain(x, moment_code(style)), style, rtol=0, atol=1e-4)
    assert torch.equal(adain(style, moment_code(style)), style)
    flat = torch.full((1, 1, 2, 2), 7.0)
    assert torch.isfinite(adain(flat, moment_code(style.float()))).all()


def test_bad_blends_are_refused() -> None:
    code = StyleCode((cosine_code(torch.randn(1, 2, 3), torch.randn(1, 2, 3)),))
    soft = StyleCode((points("softmax", torch.randn(1, 2, 3), torch.randn(1, 2, 3)),))
    for codes, weights in (
        ([], []),
        ([code], [0.5]),
        ([code, code], [1.5, -0.5]),
        ([code, code], [1.0]),
        ([code, soft], [0.5, 0.5]),
    ):
        with pytest.raises(ValueError, match=r"weight|kinds"):
            blend(codes, weights)


def test_softmax_weight_zero_leaves_a_style_out() -> None:
    g = torch.Generator().manual_seed(7)
    a, b = (
        StyleCode((points("softmax", torch.randn(1, 4, 9, generator=g), torch.randn(1, 3, 9, generator=g)),))
        for _ in range(2)
    )
    q = torch.randn(1, 4, 6, generator=g)
    only, alone = blend([a, b], [1.0, 0.0]).scales[0], a.scales[0]
    assert isinstance(only, SoftmaxCode)
    assert isinstance(alone, SoftmaxCode)
    for x, y in zip(softmax_moments(q, only), softmax_moments(q, alone), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-6)
