"""`imaging.detail` on tensors, for GPUs: batches, in RGB or on 4:2:0 planes, in float32 on whatever device the tensors are."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.imaging.detail import EPS, LIMIT, RADIUS
from vidstyle.imaging.yuv import CHROMA_LEVELS, LUMA_LEVELS, LUMA_WEIGHTS, yuv_matrix


def upsample(image: Tensor, size: tuple[int, int], *, mode: str = "bicubic") -> Tensor:
    """(N, C, h, w) at `size` (height, width); the bicubic kernel is OpenCV's (a = -0.75)."""
    return F.interpolate(image, size=size, mode=mode, align_corners=False)


def box_mean(image: Tensor, radius: int) -> Tensor:
    """Mean of the (2 radius + 1)^2 pixels around each, those beyond the border repeated."""
    padded = F.pad(image, (radius, radius, radius, radius), mode="replicate")
    return F.avg_pool2d(padded, 2 * radius + 1, 1)


def coefficients(guide: Tensor, channels: Tensor, *, radius: int = RADIUS, eps: float = EPS) -> Tensor:
    """mean(a) for each channel of the painting.

    Args:
        guide: (N, 1, h, w) luma of the shrunk frame, in [0, 1].
        channels: (N, C, h, w), of the painting, in units of the same scale.

    Returns:
        (N, C, h, w).
    """
    mean = box_mean(guide, radius)
    spread = (box_mean(guide * guide, radius) - mean * mean).clamp_min(0)
    slope = (box_mean(guide * channels, radius) - mean * box_mean(channels, radius)) / (spread + eps)
    return box_mean(slope.clamp(-LIMIT, LIMIT), radius)


def luma(rgb: Tensor, weights: tuple[float, float, float] = LUMA_WEIGHTS["bt709"]) -> Tensor:
    """(N, 1, H, W) of (N, 3, H, W), in the same units."""
    return (rgb * rgb.new_tensor(weights)[:, None, None]).sum(1, keepdim=True)


def add_detail(painting: Tensor, shrunk: Tensor, source: Tensor, detail: float = 1.0) -> Tensor:
    """The painting of `shrunk` at the size of `source`, in RGB; differentiable in all three.

    Args:
        painting, shrunk: (N, 3, h, w) in [0, 1].
        source: (N, 3, H, W) in [0, 1].
        detail: d, in [0, 1].

    Returns:
        (N, 3, H, W), clamped to [0, 1].
    """
    size = (source.shape[2], source.shape[3])
    out = upsample(painting, size)
    if detail:
        low = luma(shrunk)
        band = luma(source) - upsample(low, size)
        out = out + detail * upsample(coefficients(low, painting), size, mode="bilinear") * band
    return out.clamp(0, 1)


def add_detail_yuv(
    painting: Tensor, shrunk_luma: Tensor, source_luma: Tensor, detail: float = 1.0
) -> tuple[Tensor, Tensor]:
    """The painting at full size, as BT.709 luma and half-size chroma in limited range.

    Args:
        painting: (N, 3, h, w) RGB in [0, 1].
        shrunk_luma: (N, 1, h, w) of the frame that was painted, in [0, 1] from black to white.
        source_luma: (N, 1, H, W), both sides even, likewise.
        detail: d, in [0, 1].

    Returns:
        (N, 1, H, W) luma in levels of 255, in [16, 235], and (N, 2, H / 2, W / 2) Cb and Cr, in [16, 240]; not rounded.
    """
    size = (source_luma.shape[2], source_luma.shape[3])
    half = (size[0] // 2, size[1] // 2)
    matrix = painting.new_tensor(yuv_matrix("bt709").tolist())
    channels = torch.einsum("kc,nchw->nkhw", matrix, painting)
    luma_out, chroma = upsample(channels[:, :1], size), _enlarged_chroma(channels[:, 1:], size)
    if detail:
        slopes = detail * coefficients(shrunk_luma, channels)
        band = source_luma - upsample(shrunk_luma, size)
        luma_out = luma_out + upsample(slopes[:, :1], size, mode="bilinear") * band
        chroma = chroma + upsample(slopes[:, 1:], half, mode="bilinear") * F.avg_pool2d(band, 2)
    return (16 + LUMA_LEVELS * luma_out).clamp(16, 235), (128 + CHROMA_LEVELS * chroma).clamp(16, 240)


def _enlarged_chroma(chroma: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, 2, h, w) at half of `size`; by way of `size` itself where half of it is smaller than the painting."""
    half = (size[0] // 2, size[1] // 2)
    if half[0] >= chroma.shape[2] and half[1] >= chroma.shape[3]:
        return upsample(chroma, half)
    return F.avg_pool2d(upsample(chroma, size), 2)
