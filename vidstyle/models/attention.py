r"""AdaAttN (Liu et al., ICCV 2021, arXiv 2108.03647) and the codes a style image becomes.

Let :math:`q_i, k_j` be L2-normalised queries and keys and :math:`v_j` the style's values. The video variant weighs with
:math:`A_{ij} = (\cos(q_i, k_j) + 1) / \sum_j (\cos(q_i, k_j) + 1)`. The weight is linear in :math:`q_i`, so with
:math:`u_j = [v_j, v_j^2, 1]` the moments that AdaAttN needs are exactly

.. math:: n_i = q_i^T \frac1N \sum_j k_j u_j^T + \frac1N \sum_j u_j, \qquad
          \mu_i = n_i[v] / n_i[1], \quad \sigma_i^2 = n_i[v^2] / n_i[1] - \mu_i^2

and the content-by-style matrix never exists: a style is a matrix (K, 2C+1) and a vector (2C+1), whatever its size. The values
are centred per channel before they are squared (the centre travels in the code), which keeps fp32 moments exact to 1e-5.

The image variant (softmax) has no such form; its code is the style's points themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.models.mixing.by_pixel import CosineByPixel
from vidstyle.models.mixing.extrapolation import carried_on
from vidstyle.models.style_code import AttentionCode, Beyond, CosineCode, MomentCode, ScaleCode, SoftmaxCode, StyleCode

AttentionKind = Literal["cosine", "softmax"]

NORM_EPS = 1e-5
"""Added to L2 norms and to attention denominators, as upstream does."""
STD_EPS = 1e-5
"""Added to variances before the root, for our own networks (imported ones use 0)."""


def blend(codes: Sequence[StyleCode], weights: Sequence[float | Tensor]) -> StyleCode:
    """sum_r w_r StyleCode_r: attention over the weighted union of the styles' points.

    Args:
        codes: codes of one network.
        weights: one a code, non-negative, summing to 1; a number, or a (B,) tensor for weights that differ over the batch.

    Raises:
        ValueError: no codes, unequal counts, or weights that do not sum to 1.
    """
    if not codes or len(codes) != len(weights):
        raise ValueError(f"need one weight a code, got {len(codes)} codes and {len(weights)} weights")
    if any(code.change is not None for code in codes):
        raise ValueError("codes that change weights cannot be blended; mix their pictures")
    codes = [code.tensors() for code in codes]
    w = [torch.as_tensor(x, dtype=torch.float32).reshape(-1, 1) for x in weights]
    # A graph has no values to look at, and to look at those of an accelerator is to wait for it.
    if not torch.compiler.is_exporting() and all(type(x) is Tensor and x.device.type == "cpu" for x in w):
        total = torch.stack(list(torch.broadcast_tensors(*w))).sum(0)
        if not torch.allclose(total, torch.ones_like(total), atol=1e-5) or min(float(x.min()) for x in w) < 0:
            raise ValueError("weights must be non-negative and sum to 1")
    scales = tuple(_blend_scale([c.scales[i] for c in codes], w) for i in range(len(codes[0])))
    return StyleCode(scales, model=codes[0].model)


def _blend_scale(scales: Sequence[ScaleCode], weights: Sequence[Tensor]) -> ScaleCode:
    if len({type(s) for s in scales}) > 1:
        raise ValueError("codes of different kinds of attention cannot be blended")
    if isinstance(scales[0], SoftmaxCode):
        return _blend_softmax(cast(Sequence[SoftmaxCode], scales), weights)
    if isinstance(scales[0], MomentCode):
        layers = cast(Sequence[MomentCode], scales)
        return MomentCode(_total([s.mean for s in layers], weights), _total([s.square for s in layers], weights))
    return _blend_cosine(cast(Sequence[CosineCode], scales), weights)


def _total(parts: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    """The weighted sum of tensors of one shape, whose batches may be 1."""
    terms = [w.to(p).reshape(-1, *[1] * (p.dim() - 1)) * p for w, p in zip(weights, parts, strict=True)]
    return torch.stack(torch.broadcast_tensors(*terms)).sum(0)


def _blend_cosine(scales: Sequence[CosineCode], weights: Sequence[Tensor]) -> CosineCode:
    centre = _total([s.centre for s in scales], weights)
    moved = [s.recentred(centre) for s in scales]
    return CosineCode(_total([s.matrix for s in moved], weights), _total([s.offset for s in moved], weights), centre)


def _blend_softmax(scales: Sequence[SoftmaxCode], weights: Sequence[Tensor]) -> SoftmaxCode:
    # A style counts by its weight, not by how many points it has.
    points = scales[0].keys.shape[1]
    logs = [
        s.log_weights + w.to(s.keys).log() + math.log(points / s.keys.shape[1])
        for s, w in zip(scales, weights, strict=True)
    ]
    batch = max(t.shape[0] for t in logs)

    def join(parts: Sequence[Tensor]) -> Tensor:
        return torch.cat([p.expand(batch, *p.shape[1:]) for p in parts], 1)

    return SoftmaxCode(join([s.keys for s in scales]), join([s.values for s in scales]), join(logs))


def mean_variance_norm(x: Tensor, eps: float = STD_EPS, *, correction: int = 0) -> Tensor:
    """(x - mean) / sqrt(var + eps) over the positions of (B, C, H, W), in float32 or wider; the variance is the sum of squares
    over N - correction (upstream takes 1)."""
    x = x if x.dtype == torch.float64 else x.float()
    # E[x^2] after centring: `var` on channels-last CPU tensors is slow.
    x = x - x.mean((2, 3), keepdim=True)
    var = (x * x).mean((2, 3), keepdim=True)
    if correction:
        n = x.shape[2] * x.shape[3]
        var = var * (n / max(1, n - correction))
    return x * (var + eps).rsqrt()


def standardise(x: Tensor, code: MomentCode) -> Tensor:
    """x (B, C, H, W) less the code's mean, by its deviation. Pooled features with the moments of the features themselves are
    what `mean_variance_norm` gives before it is pooled, without a large tensor on the way."""
    mean, var = (t[:, :, None, None] for t in code.moments())
    return (x - mean) * (var + STD_EPS).rsqrt()


class _ChannelMoments(torch.autograd.Function):
    """Its gradient is one pass over x in x's own precision, where autograd would keep two float32 copies of features that are
    half of all the memory that a step of training moves."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x)
        n, wide = x.shape[2] * x.shape[3], torch.promote_types(x.dtype, torch.float32)
        return x.mean((2, 3), dtype=wide), torch.linalg.vector_norm(x, dim=(2, 3), dtype=wide) ** 2 / n

    @staticmethod
    def backward(ctx: Any, mean: Tensor, square: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        n = x.shape[2] * x.shape[3]
        shift, scale = (g[:, :, None, None].to(x.dtype) for g in (mean / n, 2 * square / n))
        return torch.addcmul(shift, x, scale)


def channel_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """E[x] and E[x^2] over the positions of (B, C, H, W), each (B, C) float32 or wider."""
    if torch.is_grad_enabled() and x.requires_grad:
        return cast(tuple[Tensor, Tensor], _ChannelMoments.apply(x))
    wide = x if x.dtype == torch.float64 else x.float()
    return wide.mean((2, 3)), (wide * wide).mean((2, 3))


def moment_code(values: Tensor) -> MomentCode:
    """The code of a style's layer (B, C, H, W)."""
    return MomentCode(*channel_moments(values))


def adain(x: Tensor, code: MomentCode, own: MomentCode | None = None) -> Tensor:
    """x with the style's mean and deviation in every channel: std_s (x - mean_x) / std_x + mean_s (Huang & Belongie 2017).

    Args:
        x: (B, C, H, W); moments are float32 or wider, the one product and sum that a value takes are in x's own precision.
        code: batch B or 1; or moments (B, C, H, W) that differ from pixel to pixel.
        own: what x is brought from, likewise; None: its moments over all positions.
    """
    (mean, var), (wanted, spread) = ((own or moment_code(x)).moments(), code.moments())
    if wanted.dim() == 2:
        wanted, spread = wanted[:, :, None, None], spread[:, :, None, None]
    if mean.dim() == 2:
        mean, var = mean[:, :, None, None], var[:, :, None, None]
    scale = ((spread + STD_EPS) / (var + STD_EPS)).sqrt()
    shift = wanted - scale * mean
    return torch.addcmul(shift.to(x.dtype), x, scale.to(x.dtype))


def unit(x: Tensor, dim: int = 1) -> Tensor:
    """x / (|x| + 1e-5) along `dim`; a zero vector stays zero (its attention is uniform)."""
    return cast(Tensor, x / (torch.linalg.vector_norm(x, dim=dim, keepdim=True) + NORM_EPS))


def cosine_code(keys: Tensor, values: Tensor) -> CosineCode:
    """The code of style points.

    Args:
        keys: (B, K, N), any scale (normalised here).
        values: (B, C, N).
    """
    k = unit(keys)
    centre = values.mean(2)
    v = values - centre[:, :, None]
    u = torch.cat([v, v * v, torch.ones_like(v[:, :1])], 1)
    return CosineCode(torch.bmm(k, u.transpose(1, 2)) / keys.shape[2], u.mean(2), centre)


def cosine_moments(queries: Tensor, code: CosineCode) -> tuple[Tensor, Tensor]:
    """Attention-weighted mean and variance of the style's values at each query.

    Args:
        queries: (B, K, N), any scale (normalised here).
        code: with batch B or 1.

    Returns:
        mean, variance: each (B, C, N); variance >= 0.
    """
    c = code.centre.shape[1]
    b = queries.shape[0]
    # A query a row: how channels-last features lie in memory. Three products, so that nothing large is cut apart afterwards.
    rows = unit(queries.transpose(1, 2), dim=2)

    def attend(part: slice) -> Tensor:
        offset, matrix = (t.expand(b, *t.shape[1:]) for t in (code.offset[:, None, part], code.matrix[:, :, part]))
        return torch.baddbmm(offset, rows, matrix)

    weight = attend(slice(2 * c, None)) + NORM_EPS
    mean, second = attend(slice(c)) / weight, attend(slice(c, 2 * c)) / weight
    var = (second - mean * mean).clamp_min(0)
    return (mean + code.centre[:, None]).transpose(1, 2), var.transpose(1, 2)


def softmax_moments(queries: Tensor, code: SoftmaxCode) -> tuple[Tensor, Tensor]:
    """As `cosine_moments`, with weights softmax_j(q_i . k_j + log w_j): AdaAttN's image variant, unscaled."""
    b, _, n = queries.shape
    centre = code.values.mean(1, keepdim=True)
    v = (code.values - centre).expand(b, -1, -1)
    u = torch.cat([v, v * v], -1)
    # The log-weight rides along as one more key channel, against a query of 1. Query, key and value are padded to one width,
    # a multiple of 8, which is what torch's memory-efficient kernels ask for.
    q = torch.cat([queries.transpose(1, 2), queries.new_ones(b, n, 1)], -1)
    k = torch.cat([code.keys, code.log_weights[..., None]], -1).expand(b, -1, -1)
    width = -(-max(q.shape[-1], u.shape[-1]) // 8) * 8
    q, k, u = (F.pad(t, (0, width - t.shape[-1])) for t in (q, k, u))
    out = F.scaled_dot_product_attention(q[:, None], k[:, None], u[:, None], scale=1.0)[:, 0]
    c = code.values.shape[2]
    mean, second = out[..., :c], out[..., c : 2 * c]
    return (mean + centre).transpose(1, 2), (second - mean * mean).clamp_min(0).transpose(1, 2)


def _moments_by_pixel(queries: Tensor, code: CosineByPixel) -> tuple[Tensor, Tensor]:
    """As `cosine_moments`, of the styles' mixture at each query."""
    rows = unit(queries.transpose(1, 2), dim=2)
    styles = code.styles
    centre = styles.centre.mean(0, keepdim=True)
    c = centre.shape[1]

    def sums(one: CosineCode) -> Tensor:
        moved = one.recentred(centre.expand(len(one.centre), -1))
        return torch.matmul(rows, moved.matrix) + moved.offset[:, None]

    def divided(total: Tensor) -> tuple[Tensor, Tensor]:
        weight = total[..., 2 * c :] + NORM_EPS
        mean, second = total[..., :c] / weight, total[..., c : 2 * c] / weight
        return (mean + centre[:, None]).transpose(1, 2), (second - mean * mean).clamp_min(0).transpose(1, 2)

    parts = [CosineCode(*(t[r : r + 1] for t in vars(styles).values())) for r in range(len(styles.centre))]
    terms = [code.shares[:, r, :, None].to(rows) * sums(part) for r, part in enumerate(parts)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    if code.strength is None or code.own is None:
        return divided(total)
    a = code.strength.amount
    if code.strength.beyond:
        return carried_on(divided(total), cosine_moments(queries, code.own), a - 1)
    a = a.reshape(-1, 1, 1)
    return divided(a * total + (1 - a) * sums(code.own))


def moments(queries: Tensor, code: AttentionCode | Beyond | CosineByPixel) -> tuple[Tensor, Tensor]:
    """Attention-weighted mean and variance, each (B, C, N), by the kind of the code."""
    if isinstance(code, CosineByPixel):
        return _moments_by_pixel(queries, code)
    if isinstance(code, Beyond):
        return carried_on(moments(queries, code.style), moments(queries, code.own), code.excess)
    return cosine_moments(queries, code) if isinstance(code, CosineCode) else softmax_moments(queries, code)


class AdaAttN(nn.Module):
    """Adaptive attention normalisation: out_i = std_i * norm(content)_i + mean_i (paper eq. 7).

    Everything runs in float32 (or float64 where the input is), whatever autocast says: differences of moments do not survive
    half precision.

    Args:
        channels: C, channels of the content feature that is normalised.
        key_channels: channels of the concatenated key features.
        value_channels: channels of the style feature that values are made of (default C).
        width: K, channels of queries and keys after f and g (default key_channels).
        attention: "cosine" (video) or "softmax" (image).
        std_eps: added to the variance before the root.
        correction: of the content's variance, see `mean_variance_norm`.
    """

    def __init__(
        self,
        channels: int,
        key_channels: int,
        *,
        value_channels: int | None = None,
        width: int | None = None,
        attention: AttentionKind = "cosine",
        std_eps: float = STD_EPS,
        correction: int = 0,
    ) -> None:
        super().__init__()
        self.channels, self.attention, self.std_eps, self.correction = channels, attention, std_eps, correction
        self.f = nn.Conv2d(key_channels, width or key_channels, 1)
        self.g = nn.Conv2d(key_channels, width or key_channels, 1)
        self.h = nn.Conv2d(value_channels or channels, channels, 1)

    def encode(self, values: Tensor, keys: Tensor) -> AttentionCode:
        """The style's code at this scale.

        Args:
            values: (B, C, H, W) style feature.
            keys: (B, key_channels, H, W) normalised, concatenated style features.
        """
        with torch.autocast(values.device.type, enabled=False):
            wide = values.dtype if values.dtype == torch.float64 else torch.float32
            k = self.g(keys.to(wide)).flatten(2)
            v = self.h(values.to(wide)).flatten(2)
            if self.attention == "cosine":
                return cosine_code(k, v)
            return SoftmaxCode(k.transpose(1, 2), v.transpose(1, 2), torch.zeros_like(k[:, 0]))

    def forward(self, content: Tensor, keys: Tensor, code: ScaleCode | CosineByPixel) -> Tensor:
        """Args:
            content: (B, C, H, W) content feature.
            keys: (B, key_channels, H, W) normalised, concatenated content features.
            code: of the style, batch B or 1.

        Returns:
            (B, C, H, W) float32 (float64 for float64 input).
        """
        with torch.autocast(content.device.type, enabled=False):
            wide = content.dtype if content.dtype == torch.float64 else torch.float32
            queries = self.f(keys.to(wide)).permute(0, 2, 3, 1)  # no copy where features are channels-last
            mean, var = moments(queries.flatten(1, 2).transpose(1, 2), cast("AttentionCode | CosineByPixel", code))

            def planes(x: Tensor) -> Tensor:
                return x.transpose(1, 2).reshape(-1, *content.shape[2:], x.shape[1]).permute(0, 3, 1, 2)

            var = planes(var)
            std = (var + self.std_eps).sqrt() if self.std_eps else var.sqrt()
            return std * mean_variance_norm(content, correction=self.correction) + planes(mean)
