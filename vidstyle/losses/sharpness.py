"""Sharpness: how much of a picture's structure lies in each octave, and that training for steadiness does not take it away."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BANDS = 3
"""Octaves of `band_energies`: structure of about 2 to 4, 4 to 8 and 8 to 16 pixels."""
LUMA = (0.299, 0.587, 0.114)
KEPT = 0.95
"""Share of the reference's energy below which a band counts as blurred."""


def band_energies(x: Tensor) -> Tensor:
    """Mean squares of the luma's Laplacian pyramid (Burt & Adelson 1983), finest band first.

    Args:
        x: (B, 3, H, W) in [0, 1], sides at least 16.

    Returns:
        (B, BANDS) float32.
    """
    y = (x.float() * x.new_tensor(LUMA, dtype=torch.float32)[:, None, None]).sum(1, keepdim=True)
    taps = y.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    kernel = torch.outer(taps, taps)[None, None]
    energies = []
    for _ in range(BANDS):
        low = F.conv2d(F.pad(y, (2, 2, 2, 2), mode="reflect"), kernel)
        energies.append((y - low).square().mean((1, 2, 3)))
        y = low[:, :, ::2, ::2]
    return torch.stack(energies, 1)


def blur_guard(found: Tensor, reference: Tensor) -> Tensor:
    """mean over pictures and bands of max(0, 1 - e / (KEPT e_ref))^2: 0 as long as every band keeps that share of the
    reference's energy, and where the reference has next to none.

    Args:
        found, reference: (B, BANDS), of `band_energies`.
    """
    wanted = KEPT * reference
    return (F.relu(wanted - found) / (wanted + 1e-6)).square().mean()
