"""Boxes put into small mp4 files, and elements of small Matroska files changed, byte by byte."""

from __future__ import annotations

import struct

_WAY = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"stsd": 8, b"avc1": 78, b"hvc1": 78, b"hev1": 78}


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def in_sample_entry(data: bytes, added: bytes) -> bytes:
    """An mp4 whose `moov` comes last and whose first track is the picture, with `added` at the end of its sample entry."""
    changed = bytearray(data)
    at, end = 0, len(data)
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind not in _WAY:
            at += size
            continue
        struct.pack_into(">I", changed, at, size + len(added))
        at, end = at + 8 + _WAY[kind], at + size
    changed[end:end] = added
    return bytes(changed)


def clean_aperture(width: int, height: int) -> bytes:
    """`clap`: the middle of the picture."""
    return box(b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1))


def dolby_vision(profile: int) -> bytes:
    """`dvcC`: version 1.0, level 1, base layer and metadata, no enhancement."""
    return box(b"dvcC", struct.pack(">BBH", 1, 0, profile << 9 | 1 << 3 | 0b101), bytes(20))


def spherical(yaw: int, pitch: int, roll: int, bounds: tuple[int, int, int, int] = (0, 0, 0, 0)) -> bytes:
    """`sv3d`: equirectangular, turned by whole degrees; bounds top, bottom, left, right in 0.32."""
    pose = box(b"prhd", bytes(4), struct.pack(">3i", yaw << 16, pitch << 16, roll << 16))
    shape = box(b"equi", bytes(4), struct.pack(">4I", *bounds))
    return box(b"sv3d", box(b"svhd", bytes(4), b"test\0"), box(b"proj", pose, shape))


def stereo(mode: int) -> bytes:
    """`st3d`: 0 one eye, 1 above each other, 2 side by side."""
    return box(b"st3d", bytes(4), bytes([mode]))


def cropped_left(data: bytes, columns: int) -> bytes:
    """A Matroska file of FFmpeg's with its DisplayUnit turned into PixelCropLeft."""
    unit = b"\x54\xb2\x81\x04"
    assert data.count(unit) == 1, "no such element"
    return data.replace(unit, b"\x54\xcc\x81" + bytes([columns]))
