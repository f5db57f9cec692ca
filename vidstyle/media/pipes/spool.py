"""Films that lie in no file here: standard input and addresses, brought into a file first.

A run reads its source more than once (what it is, its frames, its sound), seeks in it and compares it when it is resumed; a
pipe gives its bytes once. So they are kept in a temporary file, for as long as the run lasts.
"""

from __future__ import annotations

import http.client
import re
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import write_failure
from vidstyle.media.paths import PIPE
from vidstyle.media.pipes.record import record

_RESERVE = 256 << 20
"""Bytes that are left free on the disk."""
_PATIENCE = 30.0
"""Seconds without a byte from a server after which it is given up."""
_CHUNK = 1 << 20
_PLAYLISTS = (b"#EXTM3U", b"\xef\xbb\xbf#EXTM3U", b"<?xml", b"<MPD")
"""How playlists of HLS and DASH begin: their films lie elsewhere, and FFmpeg collects them."""


def spool(source: str, folder: Path, *, seconds: Fraction | None = None) -> Path:
    """Bring a film into a file in `folder`.

    Args:
        source: "-" or an address: http and https are copied byte for byte; playlists and all other protocols that FFmpeg
            reads are written down packet by packet.
        seconds: how much of a stream to write down; None: to its end.

    Returns:
        The file, named after the address.

    Raises:
        InputError: nothing came, it broke off, or the disk is nearly full.
        UsageError: standard input is a terminal.
    """
    if source == PIPE:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "-: nothing is piped into standard input; name a file, or write `... | vidstyle run - ...`."
            )
        path = folder / "stdin"
        _copy(sys.stdin.buffer, path, source)
        return path
    path = folder / (re.sub(r"[^\w.-]+", "_", unquote(Path(urlsplit(source).path).name)).lstrip(".")[-100:] or "stream")
    if source.partition(":")[0].lower() not in ("http", "https") or _download(source, path):
        path = path.with_suffix(".nut")
        record(source, path, seconds=seconds, check_room=lambda: _check_room(path))
    return path


def _download(source: str, path: Path) -> bool:
    """Copy what lies at an address; whether it is a playlist instead, of which nothing is kept. Raises InputError."""
    try:
        with urllib.request.urlopen(source, timeout=_PATIENCE) as answer:
            size = answer.headers.get("Content-Length", "")
            begin = answer.read(8)
            if begin.startswith(_PLAYLISTS):
                return True
            came = _copy(answer, path, source, begin=begin)
    except urllib.error.HTTPError as error:
        raise InputError(f"{source}: the server answers {error.code} ({error.reason}); check the address.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"{source}: cannot be read ({reason}); check the address and the network.") from error
    if size.isdecimal() and came < int(size):
        raise InputError(f"{source}: broke off after {came} of {size} bytes; try again.")
    return False


def _copy(source: BinaryIO | http.client.HTTPResponse, path: Path, name: str, *, begin: bytes = b"") -> int:
    """Write all that comes into `path`. Returns how many bytes came."""
    came = 0
    read: Callable[[int], bytes] = getattr(source, "read1", source.read)  # what is there, without waiting for more
    with path.open("xb") as file:
        data = begin or read(_CHUNK)
        while data:
            _check_room(path)
            try:
                file.write(data)
            except OSError as error:
                raise InputError(f"{name}: {write_failure(error, path)}.") from error
            came += len(data)
            data = read(_CHUNK)
    if not came:
        raise InputError(f"{name}: nothing came (0 bytes); check the program that writes into it.")
    return came


def _check_room(path: Path) -> None:
    if shutil.disk_usage(path.parent).free < _RESERVE:
        raise InputError(
            f"{path}: the disk is nearly full, and the film has to lie there while it is worked on; set TMPDIR to another "
            "place, or send it compressed."
        )
