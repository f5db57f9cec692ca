"""Bringing the source, or a style, to the film's geometry."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.media.input.video_info import VideoInfo

_SLACK = 2
"""Pixels by which a side may miss the source's proportions: rounding to even sizes."""


@dataclass(frozen=True)
class Geometry:
    """How frames of the two films become frames of one size."""

    width: int
    """Of the frames that are compared, pixels."""
    height: int
    resize: bool
    """The source is resized; otherwise both are cropped at the right and bottom by at most one pixel."""

    def source(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A source frame, (H, W, 3) uint8, at the common size."""
        if not self.resize:
            return frame[: self.height, : self.width]
        smaller = self.width < frame.shape[1]
        how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(frame, (self.width, self.height), interpolation=how), np.uint8)

    def styled(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A film frame, (H, W, 3) uint8, at the common size."""
        return frame[: self.height, : self.width]


def common_geometry(source: VideoInfo, styled: VideoInfo) -> Geometry:
    """The geometry to compare at: the film's, less the row or column that even padding added.

    Rotation is no matter here: the reader has applied it to both.

    Raises:
        InputError: the two have different proportions, so that pixels cannot be matched.
    """
    if max(abs(source.width - styled.width), abs(source.height - styled.height)) <= 1:
        return Geometry(min(source.width, styled.width), min(source.height, styled.height), resize=False)
    shapes = {Fraction(source.width, source.height)}
    # A film of square pixels made from a source of oblong ones has the shape the source is shown in.
    shapes.add(Fraction(source.width, source.height) * source.sample_aspect_ratio / styled.sample_aspect_ratio)
    for shape in shapes:
        if abs(styled.width - styled.height * shape) <= _SLACK or abs(styled.height - styled.width / shape) <= _SLACK:
            return Geometry(styled.width, styled.height, resize=True)
    raise InputError(
        f"{styled.path}: is {styled.width}x{styled.height}, which is not the shape of {source.path} "
        f"({source.width}x{source.height}): their pixels cannot be matched; give the source this film was made from, "
        "cropped or turned in the same way."
    )
