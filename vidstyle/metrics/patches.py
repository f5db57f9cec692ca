"""Patch distance: sliced Wasserstein distance between the 7x7 patches of two pictures. No weights; no loss of ours uses it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.imaging.resize import resize_short
from vidstyle.imaging.tensors import unit_range

SIDE = 7
"""Of a patch, pixels."""
_SCALES = 3
"""The picture, its half and its quarter."""
MOST = 1 << 14
"""Patches a scale; of larger pictures a sample, always the same for a size."""
LEAST_SIDE = SIDE * 2 ** (_SCALES - 1)
"""Of a picture that has a patch distance, pixels."""


class PatchDistance:
    """Sliced Wasserstein distance of pictures from one style.

    Patches are vectors of 147 numbers. Along each direction of an orthonormal basis (drawn once, always the same) both sets are
    sorted, and the root of the mean squared difference is taken over ranks and directions (Rabin, Peyré, Delon, Bernot 2011;
    7x7 patches at several scales after Karras et al. 2018, who use a Laplacian pyramid and W_1). A complete basis makes a
    constant added to a picture cost exactly that constant. Mean over three scales, in levels of 255.

    Args:
        style: (H, W, 3) uint8.
        short_side: of the film, at least LEAST_SIDE; the style is resized to it.
    """

    def __init__(self, style: NDArray[np.uint8], short_side: int) -> None:
        size = 3 * SIDE * SIDE
        random = torch.randn(size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        self._basis = torch.linalg.qr(random)[0].float()
        self._style = self._sorted(resize_short(style, short_side))

    @torch.inference_mode()
    def _sorted(self, picture: NDArray[np.uint8]) -> list[Tensor]:
        """Per scale the patches along each direction, sorted: (147, N) float32, N at most MOST."""
        level, out = unit_range(picture)[None] * 255, []
        for scale in range(_SCALES):
            level = F.avg_pool2d(level, 2) if scale else level
            out.append((self._basis @ _patches(level)).sort(1).values)
        return out

    def __call__(self, picture: NDArray[np.uint8]) -> float:
        """Distance of `picture`, (H, W, 3) uint8, from the style, levels of 255; 0 for the style itself at that size."""
        pairs = zip(self._sorted(picture), self._style, strict=True)
        return float(np.mean([_apart(a, b) for a, b in pairs]))


def _patches(picture: Tensor) -> Tensor:
    """(1, 3, H, W) -> (147, N): all patches, or MOST of them."""
    windows = picture[0].unfold(1, SIDE, 1).unfold(2, SIDE, 1)  # (3, rows, columns, 7, 7)
    rows, columns = windows.shape[1:3]
    count = rows * columns
    if count > MOST:
        chosen = torch.randperm(count, generator=torch.Generator().manual_seed(count))[:MOST]
    else:
        chosen = torch.arange(count)
    taken = windows[:, chosen // columns, chosen % columns]  # (3, N, 7, 7)
    return taken.permute(0, 2, 3, 1).reshape(3 * SIDE * SIDE, -1)


def _apart(a: Tensor, b: Tensor) -> float:
    """Root mean square of the difference of two sorted sets; sets of different size meet at the ranks of the smaller one."""
    count = min(a.shape[1], b.shape[1])
    return float((_at_ranks(a, count) - _at_ranks(b, count)).double().square().mean().sqrt())


def _at_ranks(values: Tensor, count: int) -> Tensor:
    """Sorted values (D, N) at the middles of `count` equal shares of their ranks, linear between neighbours: (D, count)."""
    if values.shape[1] == count:
        return values
    at = (torch.arange(count) + 0.5) * (values.shape[1] / count) - 0.5
    low = at.floor().long().clamp(0, values.shape[1] - 2)
    return torch.lerp(values[:, low], values[:, low + 1], (at - low).float())
