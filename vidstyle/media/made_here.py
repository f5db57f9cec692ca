"""The mark that a film of ours carries, so that a folder can be styled twice: its results are not taken for sources.

It is the tag "encoder" of the video stream, which every container has room for, and a line of the comment; a GIF has the
comment alone.
"""

from __future__ import annotations

from pathlib import Path

from vidstyle.core.errors import InputError
from vidstyle.core.provenance import STATEMENT
from vidstyle.media.container import open_source


def mark_gif(path: Path) -> None:
    """Put the mark into a finished GIF: a comment behind its header."""
    data = path.read_bytes()
    table = 3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0
    at = 13 + table
    comment = b"\x21\xfe" + bytes([len(STATEMENT)]) + STATEMENT.encode() + b"\0"
    path.write_bytes(data[:at] + comment + data[at:])


def made_here(path: Path) -> bool:
    """Whether a film carries our mark; no for what cannot be opened."""
    try:
        with open_source(path) as container:
            found = [stream.metadata for stream in container.streams.video] + [container.metadata]
    except InputError:
        return False
    tags = [(key.lower(), value) for metadata in found for key, value in metadata.items()]
    lines = [line for key, value in tags if key in ("encoder", "comment") for line in value.splitlines()]
    return any(line.startswith("vidstyle ") for line in lines)
