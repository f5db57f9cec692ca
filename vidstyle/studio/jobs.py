"""The job table: a SQLite file, so that jobs outlive pages, browsers and the server.

Only the server writes it. A job's files lie in a folder of its own: the result, and beside it the journal of the run, from
which a run that was broken off goes on.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from vidstyle.studio.library import KEY, new_key

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")
ATTEMPTS = 3
"""Times that a job whose process was killed is begun again by itself."""

_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, client TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, spec TEXT NOT NULL,
    state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', created REAL NOT NULL, started REAL, ended REAL,
    attempts INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0, total INTEGER, rate REAL,
    report TEXT, result TEXT, version INTEGER NOT NULL DEFAULT 0
)
"""


@dataclass(frozen=True)
class JobRow:
    """A job as the table has it."""

    id: str
    client: str
    kind: str
    title: str
    spec: dict[str, Any]
    """The request, and for the process the paths that it means; private."""
    state: State
    message: str
    """What it is at, or what went wrong, a sentence."""
    created: float
    started: float | None
    ended: float | None
    attempts: int
    done: int
    """Frames or steps."""
    total: int | None
    rate: float | None
    """Of them a second, of late."""
    report: dict[str, Any] | None
    result: str | None
    """Name of the file in the job's folder."""
    version: int
    """Rises with every change."""

    @property
    def videos(self) -> tuple[str, ...]:
        """Keys of the library that it needs."""
        return tuple(self.spec.get("needs", ()))

    def told(self) -> dict[str, Any]:
        """What the page and the API are told."""
        left = None
        if self.state == "running" and self.rate and self.total:
            left = max(0.0, (self.total - self.done) / self.rate)
        hidden = ("client", "spec", "result")
        shown = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in hidden}
        return {**shown, "request": self.spec["request"], "seconds_left": left, "has_result": self.result is not None}


class JobTable:
    """The table and the folders of its jobs. Calls may come from any thread.

    Args:
        folder: of the table; is made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "jobs"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._turn = threading.RLock()
        self._base = sqlite3.connect(folder / "jobs.sqlite3", check_same_thread=False, isolation_level=None)
        self._base.row_factory = sqlite3.Row
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute(_TABLE)

    def add(self, client: str, kind: str, title: str, spec: dict[str, Any]) -> JobRow:
        """A new job, queued."""
        key = new_key()
        with self._turn:
            (self.folder / key).mkdir(mode=0o700)
            self._base.execute(
                "INSERT INTO jobs (id, client, kind, title, spec, state, created) VALUES (?, ?, ?, ?, ?, 'queued', ?)",
                (key, client, kind, title, json.dumps(spec), time.time()),
            )
        job = self.get(key)
        assert job is not None
        return job

    def get(self, key: str) -> JobRow | None:
        """The job of a key; None where there is none."""
        if not KEY.fullmatch(key):
            return None
        with self._turn:
            row = self._base.execute("SELECT * FROM jobs WHERE id = ?", (key,)).fetchone()
        return None if row is None else _row(row)

    def jobs(self, client: str | None = None, states: Sequence[State] = ()) -> list[JobRow]:
        """Jobs of a client, or all, in some states, or all; the oldest first."""
        with self._turn:
            rows = self._base.execute("SELECT * FROM jobs ORDER BY created, rowid").fetchall()
        found = [_row(row) for row in rows]
        return [j for j in found if client in (None, j.client) and (not states or j.state in states)]

    def change(self, key: str, *, only: Sequence[State] = (), **values: Any) -> bool:
        """Change a job, only where it is in one of the states `only` (if given). Returns whether it was."""
        values = {n: json.dumps(v) if n in ("report", "spec") and v is not None else v for n, v in values.items()}
        names = ", ".join(f"{name} = ?" for name in values)
        where = f" AND state IN ({', '.join('?' * len(only))})" if only else ""
        with self._turn:
            cursor = self._base.execute(
                f"UPDATE jobs SET {names}, version = version + 1 WHERE id = ?{where}", (*values.values(), key, *only)
            )
            return cursor.rowcount == 1

    def take(self, kinds: Sequence[str]) -> JobRow | None:
        """The oldest queued job of these kinds, now running; None where there is none."""
        with self._turn:
            for job in self.jobs(states=("queued",)):
                if job.kind in kinds and self.change(
                    job.id, only=("queued",), state="running", started=time.time(), attempts=job.attempts + 1, rate=None
                ):
                    return self.get(job.id)
        return None

    def recover(self) -> int:
        """Queue again what a server that is gone had running. Returns their number."""
        return sum(
            self.change(job.id, only=("running",), state="queued", message="goes on after a restart of the server")
            for job in self.jobs(states=("running",))
        )

    def place(self, job: JobRow) -> Path:
        """The folder of a job."""
        return self.folder / job.id

    def result(self, job: JobRow) -> Path | None:
        """The file of a job's result; None where there is none (yet, or any more)."""
        path = None if job.result is None else self.place(job) / job.result
        return path if path is not None and path.is_file() else None

    def remove(self, job: JobRow) -> None:
        """Delete a job that has ended, with its files."""
        with self._turn:
            self._base.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
        shutil.rmtree(self.place(job), ignore_errors=True)

    def sweep(self, keep_hours: float) -> int:
        """Delete jobs that ended long ago, and folders that belong to none. Returns the number of jobs."""
        oldest = time.time() - 3600 * keep_hours
        old = [job for job in self.jobs(states=ENDED) if (job.ended or job.created) < oldest]
        for job in old:
            self.remove(job)
        with self._turn:
            known = {job.id for job in self.jobs()}
            strays = [folder for folder in self.folder.iterdir() if folder.name not in known]
        for folder in strays:
            shutil.rmtree(folder, ignore_errors=True)
        return len(old)

    def close(self) -> None:
        with self._turn:
            self._base.close()


def _row(row: sqlite3.Row) -> JobRow:
    held = dict(row)
    held["spec"] = json.loads(held["spec"])
    held["report"] = None if held["report"] is None else json.loads(held["report"])
    return JobRow(**held)
