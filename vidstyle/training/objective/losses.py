"""The losses, each a function of features or pictures with its equation (DESIGN section 4; AdaAttN paper, eq. 8-13).

Features are lists of relu1_1 ... of a normalised VGG. Statistics and attention are float32 whatever the features are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.losses.moments import MeanStd, square_error
from vidstyle.models.attention import (
    cosine_code,
    cosine_moments,
    mean_variance_norm,
    softmax_moments,
    unit,
)
from vidstyle.models.style_code import SoftmaxCode
from vidstyle.training.data.synthetic_motion import inside, normal_noise, warp
from vidstyle.training.data.transfer import upload

Features = Sequence[Tensor]


def stacked_keys(features: Features, x: int) -> Tensor:
    """Keys of layer x: all features up to it, resized to its size, normalised, concatenated. x counts from 1."""
    h, w = features[x - 1].shape[2:]
    return torch.cat([mean_variance_norm(F.adaptive_avg_pool2d(f.float(), (h, w))) for f in features[:x]], 1)


def local_target(content: Features, style: Features, x: int, attention: str = "cosine") -> Tensor:
    """AdaAttN* of layer x, attention without parameters: what the output's feature should be (eq. 10), (B, C, H, W) float32."""
    q, k = stacked_keys(content, x).flatten(2), stacked_keys(style, x).flatten(2)
    c, v = content[x - 1], style[x - 1].float().flatten(2)
    if attention == "cosine":
        mean, var = cosine_moments(q, cosine_code(k, v))
    else:
        points = SoftmaxCode(k.transpose(1, 2), v.transpose(1, 2), torch.zeros_like(k[:, 0]))
        mean, var = softmax_moments(q, points)
    return (var + 1e-6).sqrt().view_as(c) * mean_variance_norm(c) + mean.view_as(c)


def uniform_target(content: Tensor, style: MeanStd) -> Tensor:
    """AdaAttN* where all points of the style weigh the same, AdaIN: std_s * norm(c) + mean_s, (B, C, H, W) float32."""
    mean, std = (t[:, :, None, None] for t in style)
    return std * mean_variance_norm(content) + mean


def local_features(out: Features, targets: dict[int, Tensor], delta: float | None = None) -> Tensor:
    """Ll = sum_x |E_x(o) - AdaAttN*(E_x(c), E_x(s))|^2, squares averaged (eq. 9); `targets` holds layer x > its target. For
    delta see `square_error`."""
    total = out[0].new_zeros((), dtype=torch.float32)
    for x, target in targets.items():
        total = total + square_error(out[x - 1].float(), target, delta)
    return total


def similarity(
    content: Mapping[int, Tensor], out: Features, layers: Sequence[int], positions: int, generator: torch.Generator
) -> Tensor:
    """Lis, the cross-image similarity loss (eq. 12-13), between each picture of the batch and its neighbour.

    With D_ij = 1 - cos(position i of one, position j of the other), the mean over j of
    sum over i of |D_ij(c1, c2) / sum_i D_ij - D_ij(o1, o2) / sum_i D_ij|, summed over layers.

    Args:
        content: layer x > features of the contents.
        out: features of their results; neighbours are pictures 2m and 2m+1 (an odd last one is left out).
        layers: x of relu x_1.
        positions: at most so many positions are drawn in each picture.
    """
    total = out[0].new_zeros((), dtype=torch.float32)
    for x in layers:
        c, o = content[x].flatten(2).float(), out[x - 1].flatten(2).float()
        pairs, n = c.shape[0] // 2, c.shape[2]
        i, j = (upload(torch.randperm(n, generator=generator)[:positions], c.device) for _ in range(2))
        first, second = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)
        dc = distances(c[first][:, :, i], c[second][:, :, j])
        do = distances(o[first][:, :, i], o[second][:, :, j])
        total = total + (dc - do).abs().sum(1).mean()
    return total


def distances(a: Tensor, b: Tensor) -> Tensor:
    """(B, N_a, N_b) cosine distances of (B, C, N) vectors, each column scaled to sum 1 over i."""
    d = 1 - torch.bmm(unit(a).transpose(1, 2), unit(b))
    return d / (d.sum(1, keepdim=True) + 1e-8)


def temporal(result_of_warped: Tensor, result: Tensor, grid: Tensor, visible: Tensor | None = None) -> Tensor:
    """Lt = mean over visible pixels of |stylise(warp(c)) - warp(stylise(c))|^2: zero for an equivariant map.

    On real clips: `result_of_warped` is the later frame's, `result` the earlier one's, and the grid leads from the later
    frame back to the earlier one.

    Args:
        result_of_warped, result: (B, C, H, W).
        grid: (B, H, W, 2) where each pixel of the first lies in the second.
        visible: (B, 1, H, W), 1 where it can be seen there; None: wherever the grid stays inside.

    Returns:
        the mean over the batch of each picture's own mean; a picture with nothing visible counts as 0.
    """
    mask = inside(grid) if visible is None else visible
    difference = (result_of_warped.float() - warp(result.float(), grid)).square().mean(1, keepdim=True)
    return ((difference * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp_min(1)).mean()


def grainy(x: Tensor, most: float, generators: Sequence[torch.Generator]) -> Tensor:
    """Pictures with normal noise, whose deviation is drawn for each from 0 to `most`; clamped to [0, 1], channels-last.

    Args:
        x: (B, C, H, W) in [0, 1].
        generators: of the processor, one for each picture.
    """
    deviation = upload(torch.stack([most * torch.rand(1, generator=g) for g in generators])[:, None, None], x.device)
    noise = normal_noise(x, generators)
    return (x + deviation * noise).clamp(0, 1).contiguous(memory_format=torch.channels_last)


def out_of_range(x: Tensor) -> Tensor:
    """Mean distance of the values from [0, 1]."""
    x = x.float()
    return (F.relu(x - 1) + F.relu(-x)).mean()


def gradient_l1(x: Tensor, y: Tensor) -> Tensor:
    """L1 of the pictures plus L1 of their horizontal and vertical differences: sharp edges count more than tone."""
    x, y = x.float(), y.float()
    across = F.l1_loss(x[..., 1:] - x[..., :-1], y[..., 1:] - y[..., :-1])
    down = F.l1_loss(x[..., 1:, :] - x[..., :-1, :], y[..., 1:, :] - y[..., :-1, :])
    return F.l1_loss(x, y) + across + down
