"""Sheets for blind choices: [style + frame | A | B] for stills, strips of six consecutive frames for moving pictures."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from benchmarks.films import Frames

WIDTH = 1600
SIDE, GAP = 300, 12
"""Width of the column with style and frame, and of the space between pictures, px."""
STRIP = 6
ENLARGED = 3
_WHITE, _INK = 255, (20, 20, 20)


def still_sheet(style: Frames, source: Frames, a: Frames, b: Frames, centre: tuple[float, float]) -> Frames:
    """A and B side by side as large as the sheet allows, and below each the same part of it enlarged three times.

    Args:
        style, source, a, b: (H, W, 3) uint8 each; a and b are brought to the source's size.
        centre: middle of the enlarged part, in shares of width and height.

    Returns:
        (height, 1600, 3) uint8.
    """
    wide = (WIDTH - SIDE - 4 * GAP) // 2
    columns = []
    for name, picture in (("A", a), ("B", b)):
        fitted = _fit(picture, source)
        part = _crop(fitted, centre, (wide, round(wide * 0.55)))
        columns.append(_stack([_title(name, wide), _to_width(fitted, wide), part]))
    return _row([_given(style, source), *columns])


def moving_sheet(
    style: Frames, source: Sequence[Frames], a: Sequence[Frames], b: Sequence[Frames], centre: tuple[float, float]
) -> Frames:
    """Two strips of six consecutive frames, and under each frame the same part of it enlarged three times.

    Args:
        style: (H, W, 3) uint8.
        source, a, b: at least six frames each, (H, W, 3) uint8.
        centre: as in `still_sheet`.
    """
    across = WIDTH - SIDE - 3 * GAP
    tile = (across - (STRIP - 1) * GAP // 2) // STRIP
    strips = []
    for name, film in (("A", a), ("B", b)):
        frames = [_fit(f, s) for f, s in zip(film[:STRIP], source[:STRIP], strict=True)]
        small = [_to_width(f, tile) for f in frames]
        parts = [_crop(f, centre, (tile, tile)) for f in frames]
        strips += [_title(name, across), _row(small, GAP // 2, 0), _row(parts, GAP // 2, 0)]
    return _row([_given(style, source[0]), _stack(strips)])


def _given(style: Frames, source: Frames) -> Frames:
    """What both were made from."""
    return _stack([_title("style", SIDE), _to_width(style, SIDE), _title("frame", SIDE), _to_width(source, SIDE)])


def _fit(picture: Frames, like: Frames) -> Frames:
    """Methods may paint at sizes of their own: all are shown at the source's."""
    height, width = like.shape[:2]
    if picture.shape[:2] == (height, width):
        return picture
    how = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _to_width(picture: Frames, width: int) -> Frames:
    height = round(picture.shape[0] * width / picture.shape[1])
    how = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _crop(picture: Frames, centre: tuple[float, float], size: tuple[int, int]) -> Frames:
    """The part around `centre` that fills `size` (width, height) when enlarged three times; less where the picture is small."""
    height, width = picture.shape[:2]
    w, h = min(width, size[0] // ENLARGED), min(height, size[1] // ENLARGED)
    left = min(max(0, round(centre[0] * width) - w // 2), width - w)
    top = min(max(0, round(centre[1] * height) - h // 2), height - h)
    part = picture[top : top + h, left : left + w]
    large = cv2.resize(part, (w * ENLARGED, h * ENLARGED), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)


def _title(text: str, width: int) -> Frames:
    bar = np.full((34, width, 3), _WHITE, np.uint8)
    cv2.putText(bar, text, (4, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.9, _INK, 2, cv2.LINE_AA)
    return bar


def _stack(pictures: Sequence[Frames], gap: int = 6) -> Frames:
    """One under the other."""
    turned = [np.ascontiguousarray(p.transpose(1, 0, 2)) for p in pictures]
    return np.ascontiguousarray(_row(turned, gap, 0).transpose(1, 0, 2))


def _row(pictures: Sequence[Frames], gap: int = GAP, margin: int = GAP) -> Frames:
    """One beside the other on white."""
    height = max(p.shape[0] for p in pictures)
    width = sum(p.shape[1] for p in pictures) + gap * (len(pictures) - 1)
    sheet = np.full((height + 2 * margin, width + 2 * margin, 3), _WHITE, np.uint8)
    x = margin
    for picture in pictures:
        sheet[margin : margin + picture.shape[0], x : x + picture.shape[1]] = picture
        x += picture.shape[1] + gap
    return sheet
