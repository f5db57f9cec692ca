"""The user's cache folder: things that take seconds to make and can be made again.

An entry is a file named after the digest of what it was made from, and begins with the digest of what it holds, so that a
torn, damaged or foreign file is never taken for an entry: it counts as missing and is written anew. Entries appear whole
(temporary name, rename). A folder that cannot be written to only means that nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from vidstyle.core.errors import InputError
from vidstyle.core.files import atomic_output

LIMIT = 1 << 29
"""Bytes that the folder may hold; beyond that the entries that were used longest ago go."""


def folder() -> Path:
    """$VIDSTYLE_CACHE, or the place that the system has for such things."""
    if own := os.environ.get("VIDSTYLE_CACHE"):
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "vidstyle"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "vidstyle" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vidstyle"


def entry(kind: str, **made_from: object) -> Path:
    """The file of an entry.

    Args:
        kind: first part of its name.
        made_from: everything that the entry depends on, JSON values.
    """
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    return folder() / f"{kind}-{key[:32]}"


def code_digest(*packages: str) -> str:
    """SHA-256 of our own modules in these packages: what they make changes when they do."""
    digest = hashlib.sha256()
    for package in packages:
        for file in _modules(resources.files(package)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _modules(folder: Traversable) -> Iterator[Traversable]:
    """Python files of a package and of the packages in it, sorted."""
    for entry in sorted(folder.iterdir(), key=str):
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith(".py"):
            yield entry


def load(path: Path) -> bytes | None:
    """What an entry holds; None where there is none, or it is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, content = data[:32], data[32:]
    if hashlib.sha256(content).digest() != digest:
        return None
    with suppress(OSError):
        os.utime(path)  # used just now
    return content


def save(path: Path, content: bytes) -> None:
    """Write an entry, if the folder lets us."""
    with suppress(OSError, InputError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_output(path) as temporary:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)
        _prune(path.parent, keep=path)


def _prune(place: Path, *, keep: Path) -> None:
    """Remove the entries that were used longest ago until the rest is within `LIMIT`; never `keep`."""
    files = [(f.stat(), f) for f in place.iterdir() if f.is_file()]
    total = sum(status.st_size for status, _ in files)
    for status, file in sorted(files, key=lambda pair: pair[0].st_mtime):
        if total <= LIMIT:
            return
        if file != keep:
            file.unlink(missing_ok=True)
            total -= status.st_size
