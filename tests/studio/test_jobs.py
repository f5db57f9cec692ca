"""The job table and the runner: states, restarts, kills, cancelling; with processes that say what they are told to."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vidstyle.studio import runner as runners
from vidstyle.studio.jobs import ATTEMPTS, JobRow, JobTable
from vidstyle.studio.runner import Runner

SPEC: dict[str, Any] = {"request": {"kind": "render"}, "needs": ["abc"]}

SAYS = """
import json, os, sys, time
from pathlib import Path
job, place = json.loads(sys.stdin.readline()), Path(sys.argv[1])
tries = place / "tries"
tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
def tell(**news): print(json.dumps(news), flush=True)
for step in job["script"]:
    if step == "die": os._exit(3)
    elif step == "die once" and len(tries.read_text()) == 1: os._exit(3)
    elif step == "wait": time.sleep(60)
    elif isinstance(step, dict): tell(**step)
"""


@pytest.fixture
def runner(table: JobTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """One whose processes do what the job's `script` says, step by step."""
    script = tmp_path / "says.py"
    script.write_text(SAYS)
    monkeypatch.setattr(runners, "COMMAND", (sys.executable, str(script)))
    made = Runner(table)
    yield made
    made.close()


def begin(runner: Runner, *jobs: JobRow) -> None:
    """Start the queue, which finds these waiting."""
    assert jobs
    runner.start()


def until(table: JobTable, job: JobRow, what: Callable[[JobRow], bool]) -> JobRow:
    """The job once it is so. Fails after a while."""
    for _ in range(600):
        now = table.get(job.id)
        assert now is not None
        if what(now):
            return now
        time.sleep(0.05)
    raise AssertionError(now)


def add(table: JobTable, *script: Any, kind: str = "render", client: str = "me") -> JobRow:
    return table.add(client, kind, "a title", {**SPEC, "script": script})


def test_jobs_are_taken_in_order_and_by_kind(table: JobTable) -> None:
    first, second, other = add(table), add(table), add(table, kind="fit")
    taken = table.take(("render",))
    assert taken is not None
    assert (taken.id, taken.state, taken.attempts) == (first.id, "running", 1)
    assert [j.id for j in table.jobs(states=("queued",))] == [second.id, other.id]
    assert table.take(("evaluate",)) is None


def test_a_state_is_left_once(table: JobTable) -> None:
    job = add(table)
    assert table.change(job.id, only=("queued",), state="cancelled")
    assert not table.change(job.id, only=("queued", "running"), state="done")
    now = table.get(job.id)
    assert now is not None
    assert (now.state, now.version) == ("cancelled", 1)


def test_jobs_outlive_the_server(table: JobTable, tmp_path: Path) -> None:
    waiting, working, ended = add(table), add(table, kind="fit"), add(table)
    table.take(("fit",))
    table.change(ended.id, state="done", report={"frames": 3})
    again = JobTable(tmp_path / "studio")
    assert again.recover() == 1
    assert {j.id: j.state for j in again.jobs()} == {waiting.id: "queued", working.id: "queued", ended.id: "done"}
    assert again.get(ended.id).report == {"frames": 3}
    again.close()


def test_clients_see_their_own(table: JobTable) -> None:
    mine, _ = add(table), add(table, client="you")
    assert [j.id for j in table.jobs("me")] == [mine.id]
    assert not {"client", "spec", "result"} & mine.told().keys()


@pytest.mark.parametrize("key", ["", "..", "x" * 22, "' OR 1=1 --", "%"])
def test_a_key_is_only_a_key(table: JobTable, key: str) -> None:
    add(table)
    assert table.get(key) is None


def test_old_jobs_and_strays_go(table: JobTable) -> None:
    old, fresh = add(table), add(table)
    table.change(old.id, state="done", ended=1.0)
    (table.folder / "stray").mkdir()
    assert table.sweep(1) == 1
    assert [path.name for path in table.folder.iterdir()] == [fresh.id]


def test_a_job_runs_to_its_end(table: JobTable, runner: Runner) -> None:
    progress = [{"done": n, "total": 4} for n in range(5)]
    job = add(table, {"message": "preparing"}, *progress, {"report": {"fps": 2}, "result": "result.mp4"})
    begin(runner, job)
    now = until(table, job, lambda j: j.state == "done")
    assert (now.done, now.total, now.report, now.result) == (4, 4, {"fps": 2}, "result.mp4")
    assert table.result(now) is None  # no such file was made
    (table.place(now) / "result.mp4").write_bytes(b"x")
    assert table.result(now) is not None


def test_a_failure_is_told(table: JobTable, runner: Runner) -> None:
    job = add(table, {"error": "the disk is full."})
    begin(runner, job)
    assert until(table, job, lambda j: j.state == "failed").message == "the disk is full."


def test_a_process_that_dies_is_begun_again(table: JobTable, runner: Runner) -> None:
    job = add(table, "die once", {"report": {}, "result": None})
    begin(runner, job)
    assert until(table, job, lambda j: j.state == "done").attempts == 2


def test_one_that_always_dies_fails(table: JobTable, runner: Runner) -> None:
    job = add(table, "die")
    begin(runner, job)
    now = until(table, job, lambda j: j.state == "failed")
    assert now.attempts == ATTEMPTS
    assert "code 3" in now.message


def test_a_killed_process_is_begun_again(table: JobTable, runner: Runner) -> None:
    job = add(table, {"done": 1, "total": 2}, "wait")
    begin(runner, job)
    until(table, job, lambda j: j.done == 1)
    os.kill(runner.pids()[job.id], signal.SIGKILL)
    assert until(table, job, lambda j: j.attempts == 2).state in ("queued", "running")


def test_cancelling_takes_less_than_a_second(table: JobTable, runner: Runner) -> None:
    job, behind = add(table, {"done": 1, "total": 9}, "wait"), add(table, {"report": {}, "result": None})
    begin(runner, job, behind)
    until(table, job, lambda j: j.done == 1)
    process = runner.pids()[job.id]
    begun = time.monotonic()
    assert runner.cancel(job.id)
    while Path(f"/proc/{process}").exists() and time.monotonic() - begun < 5:
        time.sleep(0.01)
    assert time.monotonic() - begun < 1
    assert not runner.cancel(job.id)
    until(table, behind, lambda j: j.state == "done")  # the queue goes on
    assert until(table, job, lambda j: True).state == "cancelled"


def test_one_that_waits_is_cancelled_too(table: JobTable, runner: Runner) -> None:
    job = add(table)
    assert runner.cancel(job.id)
    assert table.take(("render",)) is None


def test_a_stop_of_the_server_leaves_jobs_to_the_next(table: JobTable, runner: Runner) -> None:
    job = add(table, {"done": 1, "total": 9}, "wait")
    begin(runner, job)
    until(table, job, lambda j: j.done == 1)
    runner.close()
    assert until(table, job, lambda j: True).state == "queued"


def test_the_real_process_ends_with_its_server(tmp_path: Path) -> None:
    """Its standard input is the line to the server; it ends when that closes, whatever it is at."""
    import subprocess

    job = json.dumps({"kind": "wait"})
    code = (
        "import time, vidstyle.studio.processes.job_process as p; p.WORK['wait'] = lambda *a: time.sleep(60); p.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(job + "\n")
    process.stdin.close()
    assert process.wait(30) == 1
