"""Colour of a stream (ITU-T H.273) and exact conversion between its YUV and full-range RGB.

libswscale converts; what it is told always comes from here, never from its defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

# H.273 code points that occur in files, by the names FFmpeg prints.
_MATRICES = {0: "rgb", 1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020",
    11: "dci-p3",
    12: "p3",
}
_TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    13: "srgb",
    14: "bt2020",
    15: "bt2020",
    16: "pq",
    18: "hlg",
}
_SWS_MATRIX = {
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "bt601": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M,
    "bt2020": Colorspace.BT2020,
}
# Without these flags libswscale takes table look-ups that skip chroma interpolation and lose up to 2 levels of 255.
_EXACT = (
    Interpolation.BICUBIC
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
)


@dataclass(frozen=True)
class ColourTags:
    """How samples become colours; every field is resolved, `guessed` tells that the file did not say all."""

    matrix: str = "bt709"
    """YUV matrix: "bt601", "bt709", "bt2020", "fcc", "smpte240m", or "rgb" where samples are RGB already."""
    range: str = "limited"
    """"limited" (16..235 of 255) or "full"."""
    primaries: str = "bt709"
    transfer: str = "bt709"
    """Transfer characteristics; "pq" and "hlg" are HDR."""
    guessed: bool = False

    @property
    def hdr(self) -> bool:
        return self.transfer in ("pq", "hlg")

    @property
    def wide(self) -> bool:
        """The primaries are those of BT.2020."""
        return self.primaries == "bt2020"


# libswscale takes 255 * 256 for white in 16-bit RGB, everyone else 65535.
_SWS_WHITE = 65280


def from_sws_deep(image: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """16-bit RGB as libswscale makes it, scaled so that white is 65535."""
    clipped = np.minimum(image, _SWS_WHITE).astype(np.uint16)
    return clipped + (clipped >> np.uint16(8))


def resolve_tags(
    matrix: int, range_: int, primaries: int, transfer: int, *, pix_fmt: str, width: int, height: int
) -> ColourTags:
    """Tags from H.273 code points; what the file leaves unsaid follows the usual rule.

    BT.709 where height >= 720 or width >= 1280, else BT.601; limited range, except for yuvj* and RGB formats.
    """
    rgb = av.VideoFormat(pix_fmt).is_rgb or pix_fmt == "pal8"
    default = "bt709" if height >= 720 or width >= 1280 else "bt601"
    name = "rgb" if rgb else _MATRICES.get(matrix, default)
    if name == "rgb" and not rgb:
        name = default
    full = rgb or pix_fmt.startswith("yuvj") or range_ == ColorRange.JPEG
    return ColourTags(
        matrix=name,
        range="full" if full else "limited",
        primaries=_PRIMARIES.get(primaries, "bt709" if default == "bt709" else "smpte170m"),
        transfer=_TRANSFERS.get(transfer, "bt709"),
        guessed=not rgb and matrix not in _MATRICES,
    )


def to_rgb(
    frame: av.VideoFrame, tags: ColourTags, *, width: int, height: int, pix_fmt: str = "rgb24", threads: int = 1
) -> av.VideoFrame:
    """Full-range RGB frame (`pix_fmt`: "rgb24", "rgba", "rgb48le" ...) of a decoded frame; scaled if its size differs."""
    matrix = _SWS_MATRIX.get(tags.matrix)
    return frame.reformat(
        width=width,
        height=height,
        format=pix_fmt,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG if tags.range == "full" else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=_EXACT,
        threads=threads,
    )


def from_rgb(frame: av.VideoFrame, pix_fmt: str, tags: ColourTags, *, threads: int = 1) -> av.VideoFrame:
    """Frame in `pix_fmt` and the matrix and range of `tags`, from a full-range RGB frame."""
    matrix = _SWS_MATRIX.get(tags.matrix)
    return frame.reformat(
        format=pix_fmt,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG if tags.range == "full" else ColorRange.MPEG,
        interpolation=_EXACT,
        threads=threads,
    )
