"""Videos and pictures that were given to the studio, each in a folder whose name is its key: 128 random bits. Who has the key
has the file; nobody is told another's."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import anyio

from vidstyle.core.errors import InputError
from vidstyle.core.files import atomic_output
from vidstyle.studio.configuration import UploadLimits

Kind = Literal["video", "picture"]
Look = Callable[[Kind, Path, str], dict[str, Any]]
"""Types a file by opening it: kind, file, the user's name for it -> what it is, with `suffix`. Raises InputError."""
KEY = re.compile(r"[A-Za-z0-9_-]{22}")


def new_key() -> str:
    """A name that nobody can guess."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Item:
    """A video or picture in the library."""

    id: str
    kind: Kind
    client: str
    name: str
    """As the user calls it."""
    path: Path
    bytes: int
    created: float
    """Seconds since 1970."""
    about: dict[str, Any]
    """Of a video: width, height, seconds, frames, rate, codec, sound, warnings; of a picture: width, height."""

    def told(self) -> dict[str, Any]:
        """What the page and the API are told: neither where it lies nor whose it is."""
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "bytes": self.bytes,
            "created": self.created,
            **{key: value for key, value in self.about.items() if key != "suffix"},
        }


class Library:
    """The folder of all items.

    Args:
        folder: is made where it is missing.
        look: types what comes in; called from a thread.
    """

    def __init__(self, folder: Path, limits: UploadLimits, look: Look) -> None:
        self.folder, self.limits, self.look = folder, limits, look
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sizes = threading.Lock()
        self._known: tuple[float, int] = (0.0, 0)

    def get(self, key: str) -> Item | None:
        """The item of a key; None where there is none."""
        if not KEY.fullmatch(key):
            return None
        try:
            held = json.loads((self.folder / key / "about.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return Item(**{**held, "path": Path(held["path"])})

    def items(self, client: str | None = None) -> Iterator[Item]:
        """All items, or those of a client, the newest first."""
        found = [self.get(entry.name) for entry in self.folder.iterdir()]
        mine = [item for item in found if item is not None and client in (None, item.client)]
        yield from sorted(mine, key=lambda item: -item.created)

    async def receive(self, stream: AsyncIterator[bytes], kind: Kind, name: str, client: str) -> Item:
        """Take an upload in, piece by piece. Raises InputError where it is too large or not what it should be; nothing is kept
        then."""
        limits = self.limits
        most = limits.video_bytes if kind == "video" else limits.picture_bytes
        name, key = shown_name(name), new_key()
        place = self.folder / f".{key}.part"
        place.mkdir(mode=0o700)
        kept = False
        try:
            suffix = ".webm" if name.lower().endswith(".webm") else ".part"
            held = place / f"file{suffix}"
            used, size = await anyio.to_thread.run_sync(self.used_bytes), 0
            async with await anyio.open_file(held, "wb") as file:
                async for piece in stream:
                    size += len(piece)
                    if size > most:
                        raise TooLarge(f"{name}: is larger than {most / 2**20:,.0f} MiB, the most that is taken here.")
                    if used + size > limits.folder_bytes:
                        raise TooLarge("the studio's folder is full; delete videos or results that are not needed.")
                    await file.write(piece)
            item = await anyio.to_thread.run_sync(self._admit, place, held, (key, kind, client, name, size))
            kept = True
            return item
        finally:
            if not kept:
                shutil.rmtree(place, ignore_errors=True)

    def _admit(self, place: Path, held: Path, what: tuple[str, Kind, str, str, int]) -> Item:
        key, kind, client, name, size = what
        if not size:
            raise InputError(f"{name}: is empty (0 bytes).")
        about = self.look(kind, held, name)
        final = held.with_name(f"{kind}{about['suffix']}")
        held.rename(final)
        home = self.folder / key
        item = Item(key, kind, client, name, home / final.name, size, time.time(), about)
        self._note(item, place)
        place.rename(home)
        return item

    def add_path(self, path: Path, client: str) -> Item:
        """A video that stays where it is. Who calls has looked whether that place is allowed. Raises InputError."""
        about = self.look("video", path, path.name)
        key = new_key()
        item = Item(key, "video", client, path.name, path, path.stat().st_size, time.time(), about)
        (self.folder / key).mkdir(mode=0o700)
        self._note(item, self.folder / key)
        return item

    def touch(self, item: Item) -> None:
        """Note that an item is used."""
        with suppress(OSError):
            (self.folder / item.id / "about.json").touch()

    def remove(self, key: str) -> None:
        """Delete an item; a video that was named by its path stays where it is."""
        if KEY.fullmatch(key):
            shutil.rmtree(self.folder / key, ignore_errors=True)

    def sweep(self, used: Collection[str]) -> int:
        """Delete what nobody has used for long, but for the keys in `used`, and what uploads left. Returns their number."""
        oldest, gone = time.time() - 3600 * self.limits.keep_hours, 0
        for entry in list(self.folder.iterdir()):
            note = entry if entry.name.startswith(".") else entry / "about.json"
            with suppress(OSError):
                if entry.name not in used and note.stat().st_mtime < oldest:
                    shutil.rmtree(entry, ignore_errors=True)
                    gone += 1
        return gone

    def used_bytes(self) -> int:
        """Of all that lies in the studio's folder, counted anew after ten seconds."""
        with self._sizes:
            if time.monotonic() - self._known[0] > 10:
                total = 0
                for path in self.folder.parent.rglob("*"):
                    with suppress(OSError):
                        total += path.lstat().st_size
                self._known = (time.monotonic(), total)
            return self._known[1]

    def _note(self, item: Item, place: Path) -> None:
        with atomic_output(place / "about.json") as temporary:
            temporary.write_text(json.dumps({**asdict(item), "path": str(item.path)}), encoding="utf-8")


class TooLarge(InputError):
    """More bytes than are taken."""


def shown_name(name: str) -> str:
    """The user's name for a file: without folders and unprintable characters, at most 120 characters."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(c for c in last if c.isprintable())[:120].strip() or "unnamed"
