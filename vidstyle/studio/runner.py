"""Runs the queue: a process for each job, so that cancelling is killing, and nothing that a job does can hurt the server.

What a run had finished stays in its journal, whatever killed it; the next process goes on from there. A process whose server is
gone ends at once: its standard input is closed then.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import IO, Any

from vidstyle.studio.jobs import ATTEMPTS, JobRow, JobTable

_LANES: tuple[tuple[str, ...], ...] = (("render", "evaluate"), ("fit", "loop"))
"""Kinds of jobs that wait for each other; what is looked at while one works need not wait for a video."""
COMMAND = (sys.executable, "-m", "vidstyle.studio.processes.job_process")
_WINDOW = 5.0
"""Seconds over which a rate is taken."""


class Runner:
    """Takes jobs from the table and sees to their processes. One thread a lane."""

    def __init__(self, table: JobTable) -> None:
        self.table = table
        self._news = threading.Condition()
        self._closing = False
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._threads = [threading.Thread(target=self._lane, args=(kinds,), daemon=True) for kinds in _LANES]

    def start(self) -> None:
        self.table.recover()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that a job was queued."""
        with self._news:
            self._news.notify_all()

    def cancel(self, key: str) -> bool:
        """Stop a job, waiting or at work. Returns whether it had not ended."""
        stopped = self.table.change(
            key, only=("queued", "running"), state="cancelled", ended=time.time(), message="cancelled"
        )
        if stopped:
            self._kill(key)
        return stopped

    def pids(self) -> dict[str, int]:
        """Processes at work, by job."""
        return {key: process.pid for key, process in list(self._processes.items())}

    def close(self) -> None:
        """Stop; what was running goes on when the studio is started again."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        for key in list(self._processes):
            self._kill(key)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5)
        self.table.recover()

    def _kill(self, key: str) -> None:
        process = self._processes.get(key)
        if process is not None and process.poll() is None:
            _kill_group(process)

    def _lane(self, kinds: tuple[str, ...]) -> None:
        while True:
            with self._news:
                if self._closing:
                    return
                job = self.table.take(kinds)
                if job is None:
                    self._news.wait(5)
                    continue
            self._run(job)

    def _run(self, job: JobRow) -> None:
        place = self.table.place(job)
        with (place / "log.txt").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [*COMMAND, str(place)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                process_group=0,  # in the terminal's background: Ctrl-C is the server's
            )
        self._processes[job.id] = process
        if self._closing or (now := self.table.get(job.id)) is None or now.state != "running":
            _kill_group(process)  # cancelled while it was being started
        assert process.stdin is not None
        assert process.stdout is not None
        ended = False
        try:
            process.stdin.write(json.dumps({**job.spec, "kind": job.kind}) + "\n")
            process.stdin.flush()
            ended = self._listen(job.id, process.stdout)
        except OSError:
            pass  # killed before it read anything
        code = process.wait()
        process.stdin.close() if not process.stdin.closed else None
        process.stdout.close()
        del self._processes[job.id]
        if not ended and not self._closing:
            self._died(job, code)

    def _listen(self, key: str, lines: IO[str]) -> bool:
        """Write what a process says into the table. Returns whether it said how it ended."""
        seen: deque[tuple[float, int]] = deque()
        told = 0.0
        for line in lines:
            try:
                news: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            now = time.monotonic()
            if "done" in news:
                seen.append((now, news["done"]))
                while len(seen) > 2 and now - seen[0][0] > _WINDOW:
                    seen.popleft()
                if now - told < 0.2 and news["done"] != news.get("total"):
                    continue
                told, span = now, now - seen[0][0]
                rate = (news["done"] - seen[0][1]) / span if span > 0.2 else None
                self.table.change(key, only=("running",), done=news["done"], total=news["total"], rate=rate, message="")
            elif "message" in news:
                self.table.change(key, only=("running",), message=news["message"])
            elif "error" in news:
                self.table.change(key, only=("running",), state="failed", ended=time.time(), message=news["error"])
                return True
            elif "report" in news:
                self.table.change(
                    key,
                    only=("running",),
                    state="done",
                    ended=time.time(),
                    message="",
                    report=news["report"],
                    result=news["result"],
                )
                return True
        return False

    def _died(self, job: JobRow, code: int) -> None:
        """A process ended without a word: begin again, but not for ever."""
        how = f"signal {-code}" if code < 0 else f"code {code}"
        if job.attempts < ATTEMPTS:
            self.table.change(
                job.id, only=("running",), state="queued", message=f"its process ended ({how}); it goes on"
            )
            return
        self.table.change(
            job.id,
            only=("running",),
            state="failed",
            ended=time.time(),
            message=f"its process ended {ATTEMPTS} times (last: {how}); see log.txt in its folder, or try again.",
        )


def _kill_group(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (OSError, AttributeError):
        process.kill()
