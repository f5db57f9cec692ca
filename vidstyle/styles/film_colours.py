"""Pictures in the colours of a film: a style whose palette is the film's before it is encoded (`--preserve-color match`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.styles.source import Style, StyleImage

_OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
"""Rows: lightness and two chromas, orthonormal, as the network's own colour transfer has them."""


@dataclass(frozen=True)
class Palette:
    """Sums over the colours of frames, from which mean and covariance follow: add what belongs together."""

    count: float
    """Frames; each counts alike, whatever its size."""
    total: NDArray[np.float64]
    """(3,) of R, G, B in [0, 1]."""
    products: NDArray[np.float64]
    """(3, 3) of their products."""

    @classmethod
    def of(cls, frame: NDArray[np.uint8]) -> Palette:
        """Of one frame (H, W, 3) uint8."""
        colours = frame.reshape(-1, 3).astype(np.float32) / 255
        return cls(1, colours.mean(0, dtype=np.float64), (colours.T @ colours).astype(np.float64) / len(colours))

    def __add__(self, other: Palette) -> Palette:
        return Palette(self.count + other.count, self.total + other.total, self.products + other.products)

    @property
    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (3,) and covariance (3, 3) of the colours."""
        mean = self.total / self.count
        return mean, self.products / self.count - np.outer(mean, mean)


def moved_to(picture: NDArray[np.uint8], palette: Palette) -> NDArray[np.uint8]:
    """A picture (H, W, 3) uint8 with the mean and covariance of a palette, as the network gives a style's colours to a frame
    (`models.color_transfer`): lightness from lightness, the chroma that lightness does not explain moved as little as can be.
    """
    import torch

    from vidstyle.models.color_transfer import along, recolour
    from vidstyle.models.style_code import MomentCode

    mean, covariance = palette.moments
    directions = along(torch.from_numpy(_OPPONENT)[None, :, :, None])[0, :, :, 0].numpy()  # (6, 3), of R, G, B
    means = directions @ mean
    squares = np.einsum("di,ij,dj->d", directions, covariance, directions) + means**2
    code = MomentCode(torch.from_numpy(means)[None], torch.from_numpy(squares)[None])
    colours = torch.from_numpy(picture.astype(np.float64) @ _OPPONENT.T / 255).permute(2, 0, 1)[None]
    moved = recolour(colours, code)[0].permute(1, 2, 0).numpy() @ _OPPONENT
    return np.asarray(np.clip(np.rint(moved * 255), 0, 255), np.uint8)


def in_palette(styles: Sequence[Style], palette: Palette) -> tuple[Style, ...]:
    """The styles in the colours of a palette. Raises UsageError for those whose picture is not there any more."""
    moved = []
    for style in styles:
        if not isinstance(style.source, StyleImage):
            raise UsageError(
                f"{style.name}: is compiled, so its colours are settled; for --preserve-color match name its picture."
            )
        moved.append(replace(style, source=StyleImage(moved_to(style.source.pixels, palette))))
    return tuple(moved)
