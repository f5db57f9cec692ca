"""Grid: the two-pixel pattern that upsampling leaves behind."""

from __future__ import annotations

import torch
from torch import Tensor


def checkerboard(x: Tensor, reference: Tensor) -> Tensor:
    """Energy of a picture at the two-pixel grid (the 2x2 pattern + - - + and stripes of one pixel, per channel) beyond what
    a reference has there, relative to it: what upsampling leaves behind, and no painting has.

    Args:
        x: (B, 3, H, W) in [0, 1].
        reference: (1, 3), `grid_energy` of the style at painting size.
    """
    return torch.relu(grid_energy(x) / (reference + 1e-5) - 1).mean()


def grid_energy(x: Tensor) -> Tensor:
    """(B, 3): mean squares of the three Haar details of 2x2 squares together, averaged over both phases of the grid."""
    energies = []
    for shift in (0, 1):
        y = x[:, :, shift:, shift:]
        y = y[:, :, : y.shape[2] // 2 * 2, : y.shape[3] // 2 * 2].float()
        a, b, c, d = y[:, :, ::2, ::2], y[:, :, ::2, 1::2], y[:, :, 1::2, ::2], y[:, :, 1::2, 1::2]
        details = ((a - b - c + d) / 2, (a - b + c - d) / 2, (a + b - c - d) / 2)
        energies.append(sum((t.square().mean((2, 3)) for t in details), torch.zeros((), device=x.device)))
    return (energies[0] + energies[1]) / 2
