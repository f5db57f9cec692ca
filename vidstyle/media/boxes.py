"""Boxes of mp4 and mov files (ISO/IEC 14496-12), as far as FFmpeg's muxer has to be helped."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

_ENTRY = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"stsd": 8}
"""The way to the description of a track's samples, with the bytes before the first box inside."""
_VISUAL = 78  # bytes of a visual sample entry before its boxes


def box(kind: bytes, *content: bytes) -> bytes:
    """A box with this content."""
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def full_box(kind: bytes, *content: bytes) -> bytes:
    """A box of version 0 without flags."""
    return box(kind, bytes(4), *content)


def boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """(kind, start, start of the content, end) of the boxes in data[start:end]."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1 and start + 16 <= end:
            (size,), header = struct.unpack_from(">Q", data, start + 8), 16
        size = size or end - start
        if size < header or start + size > end:
            return
        yield kind, start, start + header, start + size
        start += size


def _visual_entry(data: bytes | bytearray) -> list[tuple[int, int]]:
    """(start, end) of the boxes from `moov` down to the first video track's sample entry; empty where there is none."""
    return _down(data, list(_ENTRY), 0, len(data))


def _down(data: bytes | bytearray, way: Sequence[bytes], start: int, end: int) -> list[tuple[int, int]]:
    if not way:
        found = next(boxes(data, start, end), None)
        return [(found[1], found[3])] if found else []
    for kind, at, inside, after in boxes(data, start, end):
        if kind != way[0] or (kind == b"trak" and b"vide" not in data[inside:after]):
            continue
        below = _down(data, way[1:], inside + _ENTRY[kind], after)
        if below:
            return [(at, after), *below]
    return []


def with_boxes(data: bytes, added: bytes) -> bytes:
    """A file whose `moov` comes last, with `added` put into its first video track's sample entry."""
    way = _visual_entry(data)
    if not way:
        raise ValueError("no video track")
    changed = bytearray(data)
    for start, end in way:
        struct.pack_into(">I", changed, start, end - start + len(added))
    changed[way[-1][1] : way[-1][1]] = added
    return bytes(changed)


def child(data: bytes | bytearray, kind: bytes) -> int | None:
    """Where the box `kind` of the first video track's sample entry begins; None where it has none."""
    way = _visual_entry(data)
    inside = boxes(data, way[-1][0] + 8 + _VISUAL, way[-1][1]) if way else iter(())
    return next((start for name, start, _, _ in inside if name == kind), None)
