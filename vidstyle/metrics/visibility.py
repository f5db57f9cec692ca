"""Which pixels of a frame can be seen again in another one, and looking them up there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vidstyle.imaging.warp import places, warp

_EDGE = 1e-3
"""Pixels by which a place may lie outside the picture and still count as inside: rounding of exact motion."""


@dataclass(frozen=True)
class Visibility:
    """What hides a pixel of the first frame, each (H, W) bool."""

    occluded: Tensor
    """Forward and backward flow disagree, or the pixel leaves the picture."""
    boundary: Tensor
    """The flow itself changes quickly: its border is not where the object's is."""

    @property
    def visible(self) -> Tensor:
        """(H, W) bool: neither occluded nor at a motion boundary."""
        return ~(self.occluded | self.boundary)


def occlusion(forward: Tensor, backward: Tensor) -> Tensor:
    """Pixels that the second frame does not show (Sundaram, Brox and Keutzer, ECCV 2010; Ruder et al. 2016).

    Occluded where |f + b|^2 > 0.01 (|f|^2 + |b|^2) + 0.5, with b sampled at the place f points to, or where that place
    lies outside the picture.

    Args:
        forward: (2, H, W) flow from the first frame to the second, pixels.
        backward: (2, H, W) flow from the second to the first.

    Returns:
        (H, W) bool, in the first frame.
    """
    h, w = forward.shape[1:]
    there = warp(backward, forward)
    gap = (forward + there).square().sum(0)
    size = forward.square().sum(0) + there.square().sum(0)
    x, y = places(forward)
    outside = (x < -_EDGE) | (y < -_EDGE) | (x > w - 1 + _EDGE) | (y > h - 1 + _EDGE)
    return (gap > 0.01 * size + 0.5) | outside


def motion_boundary(flow: Tensor) -> Tensor:
    """Pixels where |grad u|^2 + |grad v|^2 > 0.01 |f|^2 + 0.002 (central differences; Sundaram et al. 2010).

    Args:
        flow: (2, H, W), pixels.

    Returns:
        (H, W) bool.
    """
    steep = torch.zeros_like(flow[0])
    for axis in (1, 2):
        if flow.shape[axis] > 1:
            steep += torch.gradient(flow, dim=axis)[0].square().sum(0)
    return steep > 0.01 * flow.square().sum(0) + 0.002


def visibility(forward: Tensor, backward: Tensor) -> Visibility:
    """Occlusion and motion boundaries of the first frame; arguments as in `occlusion`."""
    return Visibility(occlusion(forward, backward), motion_boundary(forward))
