"""How finished segments get from a worker to the journal: through Ray's object store, or as files in a folder that both see."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from vidstyle.core.errors import InputError
from vidstyle.media.mux.concat import frames_in
from vidstyle.pipeline.plan.journal import Journal

SMALL = 1 << 25
"""Bytes up to which a segment travels through the object store."""


class DamagedSegment(Exception):
    """A segment that did not arrive as it was sent: it is made again."""


@dataclass(frozen=True)
class Delivery:
    """Where the journal lies, for workers that see its folder."""

    folder: Path
    proof: str
    """SHA-256 of its run.json: another folder of this name on another machine has another one."""

    @classmethod
    def to(cls, journal: Journal) -> Delivery:
        """The way to a journal of this machine."""
        folder = journal.folder.absolute()
        return cls(folder, _proof(folder) or "")

    def seen_here(self) -> bool:
        return _proof(self.folder) == self.proof


def _proof(folder: Path) -> str | None:
    try:
        return hashlib.sha256((folder / "run.json").read_bytes()).hexdigest()
    except OSError:
        return None


@dataclass(frozen=True)
class Segment:
    """A finished segment on its way."""

    number: int
    frames: int
    size: int
    """Bytes."""
    digest: str
    """SHA-256, 64 hex digits."""
    data: bytes | None = field(default=None, repr=False)
    file: str | None = None
    """Its name in the journal's folder, where it is there already."""


def delivered(journal: Journal, delivery: Delivery) -> tuple[Segment, ...]:
    """The finished segments of a worker's own journal, sent off. Raises InputError for a disk that is full."""
    return tuple(_sent(journal.path(k), k, frames, delivery) for k, frames in sorted(journal.done.items()))


def _sent(path: Path, number: int, frames: int, delivery: Delivery) -> Segment:
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if size <= SMALL or not delivery.seen_here():
        return Segment(number, frames, size, digest, data=path.read_bytes())
    name = f"{number:06d}.{secrets.token_hex(4)}.part"
    target = delivery.folder / name
    try:
        shutil.copyfile(path, target)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise InputError(f"{target}: a segment could not be written there ({error.strerror}).") from error
    return Segment(number, frames, size, digest, file=name)


def receive(segment: Segment, journal: Journal) -> None:
    """Put a segment into the driver's journal and note it.

    Raises:
        DamagedSegment: it is not what was sent.
        InputError: the disk is full.
    """
    partial = journal.partial(segment.number)
    try:
        if segment.data is not None:
            if hashlib.sha256(segment.data).hexdigest() != segment.digest:
                raise DamagedSegment(f"segment {segment.number} arrived damaged")
            partial.write_bytes(segment.data)
        else:
            (journal.folder / str(segment.file)).replace(partial)
        whole = partial.stat().st_size == segment.size and frames_in(partial) == segment.frames
    except (InputError, FileNotFoundError) as error:
        raise DamagedSegment(f"segment {segment.number} cannot be read: {error}") from error
    except OSError as error:
        raise InputError(f"{partial}: could not be written ({error.strerror}); make room and add --resume.") from error
    if not whole:
        raise DamagedSegment(f"segment {segment.number} is not whole")
    journal.finish(segment.number, segment.frames)
