"""What JPEG leaves of pictures: its transform and its rounding (ITU-T T.81), on the device, without writing a file.

Entropy coding loses nothing, so it is left out. What remains is YCbCr with halved chroma, the cosine transform of 8x8 blocks,
division by the standard tables scaled by the quality as libjpeg scales them, rounding, and the way back.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.training.data.transfer import upload

_BLOCK = 8
_LUMA_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Table K.1 of the standard."""
_CHROMA_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
"""Table K.2."""
_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
"""JFIF: luma and chroma of RGB in one range."""


def jpeg(x: Tensor, quality: NDArray[np.int64]) -> Tensor:
    """Pictures as they come back from JPEG files with 4:2:0 chroma.

    Args:
        x: (B, 3, H, W) float in [0, 1], any size.
        quality: (B,) 1 to 100.

    Returns:
        (B, 3, H, W) float32 in [0, 1], whole levels of 255. No gradient goes through.
    """
    height, width = x.shape[2:]
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        return _round_trip(x.float(), upload(_step_tables(quality), x.device))[:, :, :height, :width]


def _round_trip(x: Tensor, steps: Tensor) -> Tensor:
    """`jpeg` with the steps given, (B, 2, 8, 8), and the sides filled up to multiples of 16."""
    height, width = x.shape[2:]
    levels = F.pad((x * 255).round(), (0, -width % (2 * _BLOCK), 0, -height % (2 * _BLOCK)), mode="replicate")
    ycbcr = torch.stack([_sum_of(levels, row) for row in _TO_YCBCR], 1).round()
    luma = _coded(ycbcr[:, :1] - 128, steps[:, :1]) + 128
    chroma = _coded(F.avg_pool2d(ycbcr[:, 1:], 2), steps[:, 1:].expand(-1, 2, -1, -1))
    blue, red = F.interpolate(chroma, scale_factor=2.0, mode="bilinear").unbind(1)
    y = luma[:, 0]
    rgb = torch.stack([y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], 1)
    return rgb.round().clamp(0, 255) / 255


def _sum_of(x: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """(B, H, W): the channels of (B, 3, H, W), weighted and added."""
    return weights[0] * x[:, 0] + weights[1] * x[:, 1] + weights[2] * x[:, 2]


def _coded(planes: Tensor, steps: Tensor) -> Tensor:
    """(B, C, H, W) levels around 0 after transform, rounding to multiples of `steps`, (B, C, 8, 8), and back; whole levels."""
    b, c, h, w = planes.shape
    basis = upload(_cosines(), planes.device)
    blocks = planes.reshape(b, c, h // _BLOCK, _BLOCK, w // _BLOCK, _BLOCK).transpose(3, 4).flatten(4)
    steps = steps.flatten(2)[:, :, None, None]
    rounded = (blocks @ basis.T / steps).round() * steps
    back = (rounded @ basis).round().clamp(-128, 127)
    rows = back.reshape(b, c, h // _BLOCK, w // _BLOCK, _BLOCK, _BLOCK).transpose(3, 4)
    return rows.reshape(b, c, h, w)


@lru_cache
def _cosines() -> Tensor:
    """(64, 64): the orthonormal cosine transform of a block, row by row, as one matrix."""
    k, n = np.arange(_BLOCK)[:, None], np.arange(_BLOCK)[None, :]
    basis = np.cos((2 * n + 1) * k * np.pi / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    basis[0] /= np.sqrt(2)
    return torch.from_numpy(np.kron(basis, basis).astype(np.float32))


def _step_tables(quality: NDArray[np.int64]) -> NDArray[np.float64]:
    """(B, 2, 8, 8): the steps of luma and chroma for qualities (B,), scaled as libjpeg scales them."""
    tables = np.array([[_LUMA_STEPS, _CHROMA_STEPS]], np.int64)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality).reshape(-1, 1, 1, 1)
    return np.clip((tables * scale + 50) // 100, 1, 255).astype(np.float64)
