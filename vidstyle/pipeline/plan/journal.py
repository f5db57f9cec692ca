"""The journal of a run: a folder beside the output that holds what is finished until the film is joined.

    OUTPUT.vidstyle/
      run.json        the fingerprint: everything that the bytes depend on
      done.jsonl      one line a finished segment (or stretch of segments without frames), appended and flushed after its file
                      is safe on disk
      style-0.safetensors ...  fitted styles that the segments are painted in
      000000.seg ...  encoded segments (000001.part while one is being written)
      .OUTPUT...      the film while it is joined
      lock            held while a run works here

Whatever kills a run, the lines in done.jsonl are true: files are flushed before they get their name, names before they are
listed, and a torn last line is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vidstyle.core.differences import differences
from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import atomic_output, cause

_LONGEST = 200
_FORMER_KEYS = {"look": "style", "film": "video"}
"""Keys of a fingerprint in journals of 0.2.0 and before, and what they are called now."""


def journal_folder(output: Path) -> Path:
    """Where the journal of an output lies: beside it, under its name + ".vidstyle"."""
    name = output.name
    if len(os.fsencode(name)) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return output.with_name(f"{name}.vidstyle")


def in_use(folder: Path) -> bool:
    """Whether a run is working in a journal's folder at this moment."""
    if not (folder / "lock").exists():
        return False
    lock = FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:  # of another user: creating the journal will say it
        return False
    lock.release()
    return False


class Journal:
    """An open journal. Make one with `create` or `reopen`; a context manager that gives the lock back. Segments may be noted
    from several threads, in any order.

    Attributes:
        done: frames of each finished segment.
        empty: stretches [first, last) of segments in which no frame is shown.
        total: number of segments, once the film's end has been reached.
        made_parent: the folder that the journal lies in was made for it.
    """

    def __init__(self, folder: Path, fingerprint: Mapping[str, Any]) -> None:
        self.folder, self.fingerprint = folder, dict(fingerprint)
        self.done: dict[int, int] = {}
        self.empty: list[tuple[int, int]] = []
        self.total: int | None = None
        self.made_parent = False
        self.noting = threading.Lock()
        self.lock = FileLock(folder / "lock", timeout=0)
        try:
            self.lock.acquire()
        except Timeout as error:
            raise UsageError(
                f"{folder}: another run is writing this output; wait for it, or choose another -o."
            ) from error

    @classmethod
    def create(cls, folder: Path, fingerprint: Mapping[str, Any]) -> Journal:
        """A fresh journal; what lay in the folder is removed.

        Raises:
            InputError: the folder cannot be made.
            UsageError: another run works in it.
        """
        try:
            made = not folder.parent.exists()  # of numbered pictures; any other output's was looked at before
            folder.parent.mkdir(exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder.parent}: cannot be written to ({cause(error)}); choose another -o.") from error
        journal = cls(folder, fingerprint)
        journal.made_parent = made
        journal.clear("lock")
        with atomic_output(folder / "run.json") as temporary:
            temporary.write_text(json.dumps(journal.fingerprint, indent=1))
        return journal

    @classmethod
    def reopen(cls, folder: Path) -> Journal:
        """The journal of an unfinished run, with what it finished. Raises UsageError when it cannot be read."""
        try:
            stored = json.loads((folder / "run.json").read_text())
            journal = cls(folder, {_FORMER_KEYS.get(key, key): value for key, value in stored.items()})
        except (OSError, ValueError, AttributeError) as error:
            raise UsageError(f"{folder}: no journal that can be read; start over with -y.") from error
        journal.clear("lock", "run.json", "done.jsonl", "*.seg", "style-*.safetensors")
        for line in journal.lines():
            if "total" in line:
                journal.total = line["total"]
            elif "empty" in line:
                journal.empty.append((line["empty"], line["until"]))
            elif journal.intact(line):
                journal.done[line["segment"]] = line["frames"]
        return journal

    def clear(self, *keep: str) -> None:
        """Remove what a killed run left, but for what has one of these names."""
        for old in self.folder.iterdir():
            if any(old.match(name) for name in keep):
                continue
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            else:
                old.unlink()

    def require(self, fingerprint: Mapping[str, Any]) -> None:
        """Raise UsageError with the reason where a run with this fingerprint would not give the same bytes."""
        found = differences(self.fingerprint, fingerprint)
        if found:
            raise UsageError(
                f"{self.folder}: cannot resume, because of {', '.join(found)}; "
                "give the same input, styles and options again, or start over with -y."
            )

    def path(self, segment: int) -> Path:
        """The file of a segment."""
        return self.folder / f"{segment:06d}.seg"

    def style_path(self, number: int) -> Path:
        """The file of a fitted style, by its number in the request."""
        return self.folder / f"style-{number}.safetensors"

    def partial(self, segment: int) -> Path:
        """The file that a segment is written to before it is finished."""
        return self.folder / f"{segment:06d}.part"

    def finish(self, segment: int, frames: int) -> None:
        """Note a segment as done; its partial file gets its name first."""
        partial = self.partial(segment)
        flush(partial)
        entry = {"segment": segment, "frames": frames, "bytes": partial.stat().st_size}
        partial.replace(self.path(segment))
        with self.noting:
            self.append(entry)
            self.done[segment] = frames

    def skip(self, first: int, last: int) -> None:
        """Note segments [first, last) as empty: one line, however long a picture stands still."""
        with self.noting:
            self.append({"empty": first, "until": last})
            self.empty.append((first, last))

    def covered(self) -> list[tuple[int, int]]:
        """Stretches [first, last) of segments that are finished or empty."""
        return [*((k, k + 1) for k in self.done), *self.empty]

    def end(self, total: int) -> None:
        """Note that the film has `total` segments."""
        with self.noting:
            self.append({"total": total})
            self.total = total

    def parts(self) -> list[Path]:
        """Files of the finished segments, in order."""
        return [self.path(k) for k in sorted(self.done)]

    def remove(self) -> None:
        """Delete the folder: the film is finished, or nothing in it is worth keeping. What tells that it is goes last."""
        with suppress(OSError):
            self.clear("run.json", "done.jsonl")
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.made_parent:
            with suppress(OSError):  # it holds the output
                self.folder.parent.rmdir()

    def append(self, entry: Mapping[str, int]) -> None:
        with (self.folder / "done.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> list[dict[str, int]]:
        path = self.folder / "done.jsonl"
        if not path.exists():
            return []
        text = path.read_text()
        whole, newline, torn = text.rpartition("\n")
        if torn:  # power went while it was written: what comes next must not be glued to it
            path.write_text(whole + newline)
        return [json.loads(line) for line in whole.splitlines()]

    def intact(self, entry: Mapping[str, int]) -> bool:
        path = self.path(entry["segment"])
        return path.is_file() and path.stat().st_size == entry["bytes"]

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def was_finished(output: Path) -> Journal | None:
    """The journal of a run that was killed between giving `output` its name and removing the journal; None where it was not.

    All segments are noted, and the output was written after the last note (an older file that the run was to replace was not).
    """
    folder = journal_folder(output)
    notes = folder / "done.jsonl"
    try:
        if not output.is_file() or output.stat().st_mtime_ns < notes.stat().st_mtime_ns:
            return None
        journal = Journal(folder, json.loads((folder / "run.json").read_text()))
    except (OSError, ValueError):
        return None
    noted = 0
    for line in journal.lines():
        noted += 1 if "segment" in line else line["until"] - line["empty"] if "empty" in line else 0
        journal.total = line.get("total", journal.total)
        journal.done |= {line["segment"]: line["frames"]} if "segment" in line else {}
    return journal if journal.total is not None and noted >= journal.total else None


def flush(path: Path) -> None:
    """See a file safely to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
