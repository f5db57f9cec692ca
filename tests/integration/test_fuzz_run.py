"""Spoilt files through `vidstyle run`, each in a process of its own with limits: a film, or one sentence; never more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ClipMaker
from tests.mutations import spoilt_files

# A server that has everything imported and forks for each file: what one file does (a crash, memory that is never given back)
# cannot reach the next one, and a start costs milliseconds.
SERVER = """
import json, os, resource, signal, sys, time, warnings
from pathlib import Path
import vidstyle.pipeline.run, vidstyle.cli, vidstyle.cli.run, vidstyle.cli.batch, vidstyle.engines.torch_engine

def child(arguments, log):
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    signal.alarm(100)
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    try:
        vidstyle.cli.main(arguments)
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:
        import traceback
        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

for line in sys.stdin:
    job = json.loads(line)
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        child(job["arguments"], job["log"])
    _, status, usage = os.wait4(pid, 0)
    result = {"status": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - begun, "rss": usage.ru_maxrss}
    print(json.dumps(result), flush=True)
"""


def fuzz(folder: Path, make_clip: ClipMaker, model: Path, count: int, *, seed: int) -> Counter[str]:
    """Run all files; returns how many were refused and how many became films."""
    counts: Counter[str] = Counter()
    (folder / "in").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
    ) as server:
        for path in spoilt_files(folder / "in", make_clip, count, seed=seed):
            counts[one(server, folder, path, model)] += 1
            path.unlink()
    assert server.returncode == 0
    return counts


def one(server: subprocess.Popen[str], folder: Path, path: Path, model: Path) -> str:
    """Run one file and look at what is left of it."""
    assert server.stdin is not None
    assert server.stdout is not None
    out, log = folder / f"out-{path.stem}", folder / "log"
    out.mkdir()
    arguments = [
        *("run", str(path), "--style", "mosaic", "--style-size", "32", "--model", str(model), "-q"),
        *("--out-dir", str(out), "--engine", "torch", "--device", "cpu", "--segment", "0.3"),
    ]
    server.stdin.write(json.dumps({"arguments": arguments, "log": str(log)}) + "\n")
    server.stdin.flush()
    answer = json.loads(server.stdout.readline())
    said = log.read_text(errors="replace")
    about = (path.name, answer, said[-2000:])
    assert answer["status"] in (0, 1), about
    assert answer["seconds"] < 90, about
    assert answer["rss"] < 3 << 20, about  # KiB
    assert "Traceback" not in said, about
    left = [p.name for p in out.iterdir()]
    if answer["status"] == 0:
        assert [Path(n).suffix in (".mp4", ".mkv", ".webm", ".mov", ".gif") for n in left] == [True], (about, left)
        return "film"
    ours = [line for line in said.splitlines() if line.startswith("vidstyle: ")]
    assert len(ours) == 1, about
    assert path.name in ours[0], about
    assert left == [] or (left[0].endswith(".vidstyle") and "--resume" in ours[0]), (about, left)
    return "refused"


@pytest.mark.timeout(300)
def test_some_spoilt_files(make_clip: ClipMaker, tiny_model: Path, tmp_path: Path) -> None:
    counts = fuzz(tmp_path, make_clip, tiny_model, 24, seed=5)
    assert counts["film"] >= 5
    assert counts["refused"] >= 5


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_three_hundred_spoilt_files(make_clip: ClipMaker, tiny_model: Path, tmp_path: Path) -> None:
    counts = fuzz(tmp_path, make_clip, tiny_model, 300, seed=2026)
    print(dict(counts))
    assert counts["film"] > 60
    assert counts["refused"] > 60
