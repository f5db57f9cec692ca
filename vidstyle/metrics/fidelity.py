"""Fidelity: what is left of the film's content (SSIM), and how near its statistics are to the style's."""

from __future__ import annotations

import numpy as np
import torch
from kornia.metrics import ssim
from numpy.typing import NDArray
from torch import Tensor, nn

from vidstyle.imaging.resize import resize_short
from vidstyle.imaging.tensors import unit_range
from vidstyle.losses.gram import gram, gram_loss

_WINDOW = 11
"""SSIM's Gaussian window, pixels (sigma 1.5)."""
MULTI_SCALE = 176
"""Of a picture that has an MS-SSIM, pixels: the window has to fit in a sixteenth of it."""
_BLOCKS = 4
"""Style distance looks at relu1_1 ... relu4_1."""
LEAST_SIDE = 2 ** (_BLOCKS - 1) + 1
"""Of a picture that has a style distance, pixels: the last layer is at 1/8, and one row has nothing that could be reflected."""
DEPTH = 5
DEEP_LEAST_SIDE = 2 ** (DEPTH - 1) + 1
"""Of a picture that has a Gram distance at relu5_1, for the same reason."""


def luma(frame: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 RGB -> (1, 1, H, W) float32 in [0, 1]: BT.601 weights on the coded values."""
    return (unit_range(frame) * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0)[None, None]


def content_ssim(source: NDArray[np.uint8], styled: NDArray[np.uint8]) -> float | None:
    """Mean SSIM of luma (Wang et al. 2004): Gaussian window 11, sigma 1.5, K1 0.01, K2 0.03, whole windows only.

    Args:
        source: (H, W, 3) uint8.
        styled: (H, W, 3) uint8.

    Returns:
        in [-1, 1], 1 for equal pictures; None below 11 px a side.
    """
    if min(source.shape[:2]) < _WINDOW:
        return None
    value = ssim(luma(source), luma(styled), _WINDOW, max_val=1.0, eps=0.0, padding="valid")
    return float(value.double().mean())


def content_ms_ssim(source: NDArray[np.uint8], styled: NDArray[np.uint8]) -> float | None:
    """Multi-scale SSIM of luma (Wang, Simoncelli, Bovik 2003): five scales with the paper's exponents, torchmetrics.

    Args:
        source: (H, W, 3) uint8.
        styled: (H, W, 3) uint8.

    Returns:
        in [0, 1], 1 for equal pictures (a scale on which they are opposed counts as 0); None below 176 px a side.
    """
    if min(source.shape[:2]) < MULTI_SCALE:
        return None
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure,
    )  # seconds, so only when used

    value = multiscale_structural_similarity_index_measure(luma(styled), luma(source), data_range=1.0, normalize="relu")
    return float(value)


def detail(frame: NDArray[np.uint8]) -> float:
    """Mean absolute difference of luma between neighbours, in [0, 1]: 0 for a flat picture."""
    grey = luma(frame)[0, 0]
    steps = [(grey[1:] - grey[:-1]).abs(), (grey[:, 1:] - grey[:, :-1]).abs()]
    return float(sum(float(s.mean()) for s in steps if s.numel())) / 2


class StyleDistance:
    """Distance of pictures from one style, in the space of a normalised VGG.

    Sum over relu1_1 ... relu4_1 of MSE of channel means + MSE of channel standard deviations (Huang and Belongie 2017, eq.
    13, squared and averaged over channels).

    Args:
        network: `vidstyle.models.vgg.load_vgg` of normalised weights: (N, 3, H, W) in [0, 1], blocks -> list of features.
        style: (H, W, 3) uint8.
        short_side: of the film, at least LEAST_SIDE; the style is resized to it.
        device: where the network runs.
    """

    def __init__(
        self, network: nn.Module, style: NDArray[np.uint8], short_side: int, device: torch.device | str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self._network = network.to(self.device).eval()
        self._style = self._statistics(resize_short(style, short_side))

    @torch.inference_mode()
    def _statistics(self, picture: NDArray[np.uint8]) -> list[tuple[Tensor, Tensor]]:
        features = self._network(unit_range(picture)[None].to(self.device), _BLOCKS)
        flat = (f[0].float().flatten(1) for f in features)
        return [(f.mean(1), f.std(1, correction=0)) for f in flat]

    def __call__(self, picture: NDArray[np.uint8]) -> float:
        """Distance of `picture`, (H, W, 3) uint8, from the style; 0 for the style itself at that size."""
        pairs = zip(self._statistics(picture), self._style, strict=True)
        return float(sum(float((m - n).square().mean() + (s - t).square().mean()) for (m, s), (n, t) in pairs))


class DeepGram:
    """Distance of pictures from one style in the Gram matrix of relu5_1, a layer that no loss of ours sees.

    |G(o) - G(s)|^2 / |G(s)|^2 with G = f f^T / (H W) (Gatys, Ecker, Bethge 2016; relative, so that it has no unit).

    Args:
        network: as of `StyleDistance`, of depth 5.
        style: (H, W, 3) uint8.
        short_side: of the film, at least DEEP_LEAST_SIDE; the style is resized to it.
        device: where the network runs.
    """

    def __init__(
        self, network: nn.Module, style: NDArray[np.uint8], short_side: int, device: torch.device | str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self._network = network.to(self.device).eval()
        self._style = gram(self._features(resize_short(style, short_side)))

    @torch.inference_mode()
    def _features(self, picture: NDArray[np.uint8]) -> Tensor:
        deepest: Tensor = self._network(unit_range(picture)[None].to(self.device), DEPTH)[-1]
        return deepest

    @torch.inference_mode()
    def __call__(self, picture: NDArray[np.uint8]) -> float:
        """Distance of `picture`, (H, W, 3) uint8, from the style; 0 for the style itself at that size."""
        return float(gram_loss([self._features(picture)], [self._style]))
