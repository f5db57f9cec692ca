"""Marks of spherical and stereo films: how a picture of a whole sphere or of two eyes is to be shown.

Read from FFmpeg's side data (AVSphericalMapping, AVStereo3D), written as boxes of Google's Spherical Video V2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vidstyle.media.boxes import box, full_box

_STEREO_BOX = {0: 0, 2: 1, 1: 2}  # AVStereo3DType (flat, above each other, side by side) to st3d's numbers
_EQUIRECTANGULAR, _CUBEMAP, _TILE = 0, 1, 2  # AVSphericalProjection


@dataclass(frozen=True)
class SphericalMarks:
    """What a film says of its projection."""

    mapping: tuple[int, ...] | None = None
    """AVSphericalMapping: kind; yaw, pitch, roll (16.16 degrees); left, top, right, bottom (0.32); padding. None: flat."""
    stereo: int = 0
    """AVStereo3DType; 0: one eye."""

    @classmethod
    def parse(cls, mapping: bytes | None, stereo: bytes | None) -> SphericalMarks | None:
        """From side data of a frame; None where neither says anything."""
        fields = struct.unpack("=i3i5I", mapping[:36]) if mapping and len(mapping) >= 36 else None
        eyes = struct.unpack_from("=i", stereo)[0] if stereo and len(stereo) >= 4 else 0
        eyes = 0 if eyes == 8 else eyes  # unspecified
        return cls(fields, eyes) if fields is not None or eyes else None

    def boxes(self) -> bytes | None:
        """`st3d` and `sv3d`; None for what they cannot say."""
        if self.stereo not in _STEREO_BOX or (
            self.mapping and self.mapping[0] not in (_EQUIRECTANGULAR, _CUBEMAP, _TILE)
        ):
            return None
        stereo = full_box(b"st3d", bytes([_STEREO_BOX[self.stereo]])) if self.stereo else b""
        if self.mapping is None:
            return stereo
        projection, yaw, pitch, roll, left, top, right, bottom, padding = self.mapping
        if projection == _CUBEMAP:
            shape = full_box(b"cbmp", struct.pack(">2I", 0, padding))
        else:
            shape = full_box(b"equi", struct.pack(">4I", top, bottom, left, right))
        pose = full_box(b"prhd", struct.pack(">3i", yaw, pitch, roll))
        return stereo + box(b"sv3d", full_box(b"svhd", b"\0"), box(b"proj", pose, shape))
