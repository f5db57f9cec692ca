"""Images that live on the device as bytes, and crops of them by one sampled grid per batch.

An image is decoded once and stays where the computing is. A crop's zoom, place, flip and rotation are a few numbers; a batch of
them is one small upload, then gathers on the device, and nothing waits for the host.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.training.data.crop_boxes import CropBox

COLUMNS = 9
"""Numbers per crop: image, scale y, x, top, left, flip, cos, sin, whether it is sampled more than once per pixel."""


class ResidentImages:
    """Images of any sizes in one buffer of the device.

    Args:
        images: (H, W, C) each, of one number of channels and one type.
        device: where they live; 196 kB for 256x256 RGB bytes.
    """

    def __init__(self, images: Sequence[NDArray[Any]], device: torch.device) -> None:
        self.shapes = [(image.shape[0], image.shape[1]) for image in images]
        """(height, width) of each image."""
        channels = images[0].shape[2]
        counts = [height * width for height, width in self.shapes]
        offsets = [0, *np.cumsum(counts)[:-1].tolist()]
        rows = [np.ascontiguousarray(image).reshape(-1, channels) for image in images]
        self.pixels = torch.from_numpy(np.concatenate(rows)).to(device)
        """(P, C): the pixels of all images, row by row."""
        table = [[offset, *shape] for offset, shape in zip(offsets, self.shapes, strict=True)]
        self.table = torch.tensor(table, dtype=torch.int64).to(device)
        """(N, 3) int64: where an image begins, its height and width."""

    def rows(self, boxes: Sequence[CropBox]) -> NDArray[np.float64]:
        """The crops as numbers, (B, COLUMNS), for `SampleGrid`."""
        return np.array([_row(box, self.shapes[box.image]) for box in boxes], np.float64).reshape(-1, COLUMNS)


def _row(box: CropBox, shape: tuple[int, int]) -> list[float]:
    scale = [native / resized for native, resized in zip(shape, box.size, strict=True)]
    turn = (math.cos(box.angle), math.sin(box.angle)) if box.angle else (1.0, 0.0)
    return [box.image, *scale, *box.corner, box.flip, *turn, max(scale) > 1]


@dataclass(frozen=True)
class SampleGrid:
    """Where the pixels of a batch of crops lie in their images.

    The rows of `ResidentImages.rows`, on the device, and the side of the crops. What is sampled at the same places (a frame and
    the motion that leads to the one before it) shares one grid.
    """

    rows: Tensor
    """(B, COLUMNS) float32."""
    side: int
    shrinks: bool
    """Whether any crop is smaller than what it shows: then each pixel is a mean of four samples."""

    def part(self, chosen: slice | Tensor) -> SampleGrid:
        """Some of the crops."""
        return SampleGrid(self.rows[chosen], self.side, self.shrinks)

    @property
    def images(self) -> Tensor:
        """(B,) int64 numbers of the images."""
        return self.rows[:, 0].long()

    def places(self) -> tuple[Tensor, Tensor]:
        """(y, x) of every pixel in its image, each (B, S, S) float32; pixel centres are whole numbers."""
        _, scale_y, scale_x, top, left, flip, cos, sin, _ = (c[:, None, None] for c in self.rows.unbind(1))
        centre = (self.side - 1) / 2
        i = torch.arange(self.side, device=self.rows.device, dtype=torch.float32) - centre
        y, x = i[:, None], i[None, :] * (1 - 2 * flip)
        turned_y, turned_x = centre + (cos * y - sin * x), centre + (sin * y + cos * x)
        # A scale of 1 without a rotation gives whole numbers, exactly.
        return (turned_y + top + 0.5) * scale_y - 0.5, (turned_x + left + 0.5) * scale_x - 0.5

    def crop_motion(self, flow_y: Tensor, flow_x: Tensor) -> tuple[Tensor, Tensor]:
        """(dy, dx) in pixels of the crop for motion in pixels of the image, all (B, S, S)."""
        _, scale_y, scale_x, _, _, flip, cos, sin, _ = (c[:, None, None] for c in self.rows.unbind(1))
        y, x = flow_y / scale_y, flow_x / scale_x
        return cos * y + sin * x, (cos * x - sin * y) * (1 - 2 * flip)

    def sample(self, images: ResidentImages) -> Tensor:
        """Crops of resident images.

        A pixel that shows m > 1 pixels of the image is the mean of four bilinear samples m / 4 to each side, less for m < 2,
        none for m = 1: there it has the image's own bytes, at 2 and 4 exactly the mean of a square of 2x2 and 4x4.

        Args:
            images: bytes, with any number of channels.

        Returns:
            (B, C, S, S) float32 in [0, 1], channels-last.
        """
        y, x = self.places()
        at = images.table[self.images]
        if not self.shrinks:
            return bilinear(images.pixels, at, y, x).div_(255).permute(0, 3, 1, 2)
        away_y, away_x = (
            torch.minimum((scale - 1) / 2, scale / 4).clamp_min(0)[:, None, None]
            for scale in self.rows[:, 1:3].unbind(1)
        )
        total = bilinear(images.pixels, at, y - away_y, x - away_x)
        for sign_y, sign_x in ((-1, 1), (1, -1), (1, 1)):
            total += bilinear(images.pixels, at, y + sign_y * away_y, x + sign_x * away_x)
        return total.div_(4).div_(255).permute(0, 3, 1, 2)


def bilinear(pixels: Tensor, at: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Bilinear samples of images in a buffer, reflected at their borders.

    Args:
        pixels: (P, C), rows of all images one after another.
        at: (B, 3) int64: where each image begins, its height and width.
        y, x: (B, S, S) float32.

    Returns:
        (B, S, S, C) float32.
    """
    begin, height, width = (c[:, None, None] for c in at.unbind(1))
    y, x = reflect(y, height), reflect(x, width)
    top, left = y.floor(), x.floor()
    down, right = (y - top)[..., None], (x - left)[..., None]
    top, left = top.long(), left.long()
    rows = [begin + row * width for row in (top, torch.minimum(top + 1, height - 1))]
    columns = (left, torch.minimum(left + 1, width - 1))
    upper, lower = (
        torch.lerp(pixels[row + columns[0]].float(), pixels[row + columns[1]].float(), right) for row in rows
    )
    return torch.lerp(upper, lower, down)


def reflect(x: Tensor, size: Tensor) -> Tensor:
    """Coordinates brought into [0, size - 1] by reflection at -0.5 and size - 0.5; those inside stay as they are, exactly."""
    period = 2 * size
    folded = (x + 0.5).remainder(period)
    folded = torch.where(folded > size, period - folded, folded) - 0.5
    return torch.minimum(folded.clamp_min(0), (size - 1).to(x.dtype))
