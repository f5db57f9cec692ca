"""Films at addresses (s3://, gs://, file://, http to read), by fsspec: copied to local scratch once a machine, and back.

What may be secret of an address, a name and password before the host and all after "?", is never shown. Credentials are those
that the environment gives to fsspec's drivers.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from vidstyle.core.errors import InputError, UsageError, VidstyleError
from vidstyle.media.paths import VIDEOS

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)
_SCRATCH_SHARE = 0.5
"""Of the disk's free space and what the scratch holds already: beyond it the copies that were used longest ago go."""
ATTEMPTS = 3
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "http": "aiohttp", "https": "aiohttp"}
"""What brings fsspec's driver of a scheme."""


class TransferError(VidstyleError):
    """What lies at an address did not come through, which may go better the next time."""


def is_url(text: str | Path) -> bool:
    """Whether it is an address; a path keeps one slash of it. A single letter before the colon is a drive."""
    return _URL.fullmatch(str(text)) is not None


def url_of(text: str | Path) -> str:
    """An address as it was written, also after a path took its slashes. Raises UsageError for a password in it."""
    match = _URL.fullmatch(str(text))
    assert match is not None
    scheme, rest = match[1].lower(), match[2]
    if "@" in rest.partition("/")[0]:
        raise UsageError(f"{shown(text)}: credentials do not belong into an address; set them in the environment.")
    return f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"


def shown(text: str | Path) -> str:
    """An address without what may be secret of it, to be told and written down."""
    match = _URL.fullmatch(str(text))
    if match is None:
        return str(text)
    scheme, rest = match[1], match[2].partition("?")[0]
    host, slash, path = rest.partition("/")
    return f"{scheme}://{'/' if scheme == 'file' else ''}{host.rpartition('@')[2]}{slash}{path}"


def name_of(url: str) -> str:
    """The file's name."""
    return shown(url).rstrip("/").rpartition("/")[2]


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what drivers raise into one sentence without secrets."""
    try:
        yield
    except VidstyleError:
        raise
    # Without the causes: they name the address as it is, and Ray writes down what workers raise.
    except FileNotFoundError as error:
        if isinstance(error.__cause__, OSError):  # so HTTP's driver tells that nobody answers
            raise TransferError(f"{shown(url)}: could not be reached.") from None
        raise InputError(f"{shown(url)}: there is no such thing; check the address.") from None
    except PermissionError:
        raise InputError(f"{shown(url)}: access is denied; check the credentials in the environment.") from None
    except ImportError:
        package = _PACKAGES.get(url.partition(":")[0], "its driver")
        raise UsageError(f"{shown(url)}: needs {package}; pip install {package} on all machines.") from None
    except ValueError:
        raise UsageError(f"{shown(url)}: is no kind of address that fsspec knows.") from None
    except Exception as error:  # drivers have exceptions of their own: of credentials, of networks
        if "credential" in type(error).__name__.lower():
            raise InputError(f"{shown(url)}: there are no credentials for it in the environment.") from None
        raise TransferError(f"{shown(url)}: could not be reached ({type(error).__name__}).") from None


def _opened(url: str) -> tuple[Any, str]:
    """The file system of an address, and its path there."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url)
    return system, path


def videos_at(url: str) -> list[str]:
    """The films at an address: itself, or those of a folder, by name. Raises InputError where there is none."""
    if Path(name_of(url)).suffix.lower() in VIDEOS:
        return [url]
    with _told(url):
        system, path = _opened(url)
        entries = system.ls(path, detail=True)
        names = [str(e["name"]) for e in entries if e["type"] == "file"]
        found = sorted(system.unstrip_protocol(n) for n in names if Path(n).suffix.lower() in VIDEOS)
    if not found:
        raise InputError(f"{shown(url)}: holds no film.")
    return found


def exists(url: str) -> bool:
    """Whether there is something at an address. Raises as `_told`."""
    with _told(url):
        system, path = _opened(url)
        return bool(system.exists(path))


def publish(file: Path, url: str) -> None:
    """Copy a finished film to an address, where it appears when it is whole.

    Raises:
        InputError: it cannot be written there; the film stays where it is.
    """
    with _told(url):
        system, path = _opened(url)
        for attempt in range(ATTEMPTS):
            try:
                if "file" in (system.protocol if isinstance(system.protocol, tuple) else (system.protocol,)):
                    system.makedirs(system._parent(path), exist_ok=True)
                    partial = f"{path}.part"
                    system.put_file(str(file), partial)
                    Path(partial).replace(path)
                else:  # object stores: an upload that is not finished is not seen
                    system.put_file(str(file), path)
                if int(system.info(path)["size"]) == file.stat().st_size:
                    return
            except (FileNotFoundError, PermissionError):
                raise
            except OSError:
                if attempt == ATTEMPTS - 1:
                    raise
            system.invalidate_cache()
            time.sleep(2**attempt)
        raise InputError(f"{shown(url)}: what arrived there is not what was sent.")


def scratch_folder() -> Path:
    """$VIDSTYLE_SCRATCH, or a folder of this user's among the system's temporary ones."""
    own = os.environ.get("VIDSTYLE_SCRATCH")
    return Path(own) if own else Path(tempfile.gettempdir()) / f"vidstyle-scratch-{getattr(os, 'getuid', int)()}"


@dataclass(frozen=True)
class ScratchCopies:
    """Local copies of what lies at addresses, made once a machine however many processes ask."""

    folder: Path = field(default_factory=scratch_folder)

    def get(self, url: str) -> Path:
        """A copy of the film as it is there now.

        Raises:
            InputError: there is nothing, or no room.
            TransferError: it did not come through.
        """
        with _told(url):
            system, path = _opened(url)
            about = system.info(path)
            size = about.get("size")
            key = [path, size, *(str(about.get(k)) for k in ("ETag", "etag", "LastModified", "mtime", "md5Hash"))]
            place = self.folder / hashlib.sha256(repr(key).encode()).hexdigest()[:24]
            target = place / name_of(url)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{place}.lock"):
                if target.is_file() and size in (None, target.stat().st_size):
                    os.utime(target)
                    return target
                self._make_room(size or 0)
                place.mkdir(exist_ok=True)
                partial = target.with_name(f".{target.name}.part")
                system.get_file(path, str(partial))
                if size is not None and partial.stat().st_size != size:
                    raise TransferError(f"{shown(url)}: broke off after {partial.stat().st_size} of {size} bytes.")
                partial.replace(target)
        return target

    def _make_room(self, size: int) -> None:
        """Remove the copies that were used longest ago where all together would fill the disk."""
        copies = [p for p in self.folder.glob("*/*") if p.is_file()]
        held = {p: p.stat() for p in copies}
        free = shutil.disk_usage(self.folder).free
        total = sum(about.st_size for about in held.values())
        limit = _SCRATCH_SHARE * (free + total)
        if size > free + total:
            raise InputError(f"{self.folder}: has no room for a film of {size / 1e9:.1f} GB; set VIDSTYLE_SCRATCH.")
        for path in sorted(copies, key=lambda p: held[p].st_mtime_ns):
            if total + size <= limit or time.time() - held[path].st_mtime < 3600:  # younger ones may be in use
                return
            with suppress(OSError):
                shutil.rmtree(path.parent)
            total -= held[path].st_size
