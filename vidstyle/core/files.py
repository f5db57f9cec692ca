"""Files of the user: what can be read, and outputs that appear under their names only when they are complete."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vidstyle.core.errors import InputError

DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM})
"""Errors of a place, not of what is written there."""


_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)
"""An address, of which a path keeps one slash. A single letter is a drive."""


@contextmanager
def atomic_output(path: Path, *, scratch: Path | None = None) -> Iterator[Path]:
    """Give the name of a private (0600) empty temporary file beside `path`; rename it to `path` on success.

    Where `path` is a symbolic link, what it points to is written, and the link stays. With `scratch`, a folder on the same
    disk, the temporary file lies there: whoever owns that folder can clear up after a kill.

    The finished file gets the mode that the umask allows and is flushed to disk before it is renamed. On any exception
    the temporary file is removed and `path` is untouched. A full disk or an unwritable folder becomes an InputError.
    """
    path = through_links(path.absolute())
    # With anything added, the whole name could be longer than file systems take: they count bytes.
    stem, suffix = (os.fsencode(x)[:100].decode(errors="ignore") for x in (path.stem, path.suffix))
    temporary = (scratch or path.parent) / f".{stem}.{secrets.token_hex(4)}.part{suffix}"
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise InputError(f"{path}: {write_failure(error, path)}.") from error
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o666 & ~umask())
        temporary.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise InputError(f"{path}: {write_failure(error, path)}.") from error
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_failure(error: OSError, path: Path) -> str:
    """Why `path` could not be written, and the way out, as the end of a sentence."""
    folder = path.absolute().parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk of {folder} is full; free some space or choose another place"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"the folder {folder} cannot be written to; choose another place"
    if error.errno == errno.ENOENT:
        return f"the folder {folder} does not exist; make it first"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{folder} is no folder; choose another place"
    if error.errno == errno.ENAMETOOLONG:
        return "its name is too long; choose a shorter one"
    return f"could not be written ({os.strerror(error.errno) if error.errno else error})"


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot flush a folder; the rename has happened all the same.
        if not path.is_dir() or error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def umask() -> int:
    """The permissions that the user withholds from new files."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def through_links(path: Path) -> Path:
    """What a symbolic link points to in the end, whether it exists or not; any other path as it is."""
    return path.resolve() if path.is_symlink() else path


def same_file(a: Path, b: Path) -> bool:
    """Whether two names mean one file: by path, symbolic link or hard link."""
    try:
        return a.samefile(b)
    except OSError:  # one of them does not exist (yet)
        return a.resolve() == b.resolve()


def check_readable(path: Path, *, kind: str = "video") -> None:
    """Raise InputError where `path` is not a readable, non-empty regular file.

    Args:
        kind: what it should be, for the sentence about a folder.
    """
    if not path.exists():
        _check_local(path)
        raise InputError(f"{path}: no such file; check the path.")
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a {kind}; name a file inside it.")
    check_regular(path)
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read (permission denied); change its permissions.")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty (0 bytes); copy or download it again.")


def _check_local(path: Path) -> None:
    """Raise InputError for "-" and for addresses: standard input and the network are not read from."""
    if str(path) == "-":
        raise InputError("-: standard input is not read; write what comes from it into a file and name that.")
    address = _ADDRESS.fullmatch(str(path))
    if address is not None:
        raise InputError(f"{address[1]}://{address[2]}: addresses are not read; download it and name the file.")


def check_regular(path: Path) -> None:
    """Raise InputError where `path` exists and is a pipe, socket or device: reading one might wait for ever, and an output
    would take its place."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(f"{path}: is a pipe or a device, not a file; write what comes from it into a file first.")


def cause(error: OSError | UnicodeError) -> str:
    """What the system says of a failure, without its number and the file's name."""
    if isinstance(error, UnicodeError):
        return "not text in UTF-8"
    return (error.strerror or str(error)).lower()
