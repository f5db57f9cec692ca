"""`python -m vidstyle run` as a process of its own: sound untouched, killed and resumed, interrupted."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from tests.helpers.commands import vidstyle

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(source: Path, output: str, model: Path, *more: object) -> list[str]:
    return [
        *(
            sys.executable,
            "-m",
            "vidstyle",
            "run",
            str(source),
            "-o",
            output,
            "--style",
            "mosaic",
            "--style-size",
            "32",
        ),
        *("--model", str(model), "--engine", "torch", "--device", "cpu", *map(str, more)),
    ]


def run(folder: Path, *args: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=100, check=False
    )


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """Time in seconds and payload of each packet of the first stream of a kind, in order of time."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        found = [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]
    return sorted(found, key=lambda x: x[0])


def test_sound_and_times_stay(make_clip: Any, tiny_model: Path, tmp_path: Path) -> None:
    pts = [0, 512, 1024, 1500, 3000, 3512, 9000, 9512, 12800, 14000]
    source = make_clip("in.mp4", pts=pts, time_base=Fraction(1, 12800), sound="aac")
    done = run(tmp_path, source, "out.mp4", tiny_model, "--segment", "0.4")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    before, after = packets(source, "audio"), packets(tmp_path / "out.mp4", "audio")
    assert len(before) > 40
    assert after == before
    times = [t for t, _ in packets(source, "video")]
    assert [t for t, _ in packets(tmp_path / "out.mp4", "video")] == times
    assert len(times) == len(pts)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def stop_after(folder: Path, args: list[str], finished: int, how: signal.Signals) -> tuple[int, str]:
    """Start, and send a signal once that many segments are done. Returns exit code and stderr."""
    process = subprocess.Popen(args, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    journal = folder / "out.mp4.vidstyle"
    deadline = time.monotonic() + 60
    while len(list(journal.glob("*.seg"))) < finished:
        assert process.poll() is None, "ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(how)
    _, error = process.communicate(timeout=30)
    return process.returncode, error


@pytest.fixture
def long_clip(make_clip: Any) -> Path:
    path: Path = make_clip("in.mp4", frames=400, width=96, height=64, sound="aac", options={"g": "40"})
    return path


def works(process: subprocess.Popen[Any], journal: Path) -> bool:
    """Whether a process holds the lock of a journal (told by Linux; elsewhere, that there is one)."""
    descriptors = Path(f"/proc/{process.pid}/fd")
    if not descriptors.is_dir():
        return journal.is_dir()
    names = set()
    for link in descriptors.iterdir():
        with suppress(OSError):
            names.add(link.readlink())
    return journal / "lock" in names


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_ten_random_moments(long_clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    """kill -9 at any moment, ten times, then --resume: the bytes of the uninterrupted run. VIDSTYLE_SEED repeats a run."""
    seed = int(os.environ.get("VIDSTYLE_SEED", time.time_ns() % 10**9))
    print(f"VIDSTYLE_SEED={seed}")
    rng = random.Random(seed)
    options = ("--segment", "0.4", "--chunk", "2")
    # How long the work takes (without the start of Python): moments are spread over that.
    first = subprocess.Popen(command(long_clip, "whole.mp4", tiny_model, *options), cwd=tmp_path, env=ENVIRONMENT)
    while first.poll() is None and not works(first, tmp_path / "whole.mp4.vidstyle"):
        time.sleep(0.002)
    begun = time.monotonic()
    assert first.wait(300) == 0
    span = time.monotonic() - begun
    whole = (tmp_path / "whole.mp4").read_bytes()
    args = command(long_clip, "out.mp4", tiny_model, *options, "--resume")
    journal, output = tmp_path / "out.mp4.vidstyle", tmp_path / "out.mp4"
    kills, films = 0, 0
    while kills < 10 or not output.exists() or journal.exists():
        process = subprocess.Popen(args, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not works(process, journal):
            time.sleep(0.002)
        begun = time.monotonic()
        if kills < 10:
            moment = begun + rng.uniform(0, span)
            while process.poll() is None and time.monotonic() < moment:
                time.sleep(0.001)
            process.kill()
        _, error = process.communicate(timeout=100)
        if process.returncode == -signal.SIGKILL:
            kills += 1
            print(
                f"killed {time.monotonic() - begun:.3f} s after it began work, {len(list(journal.glob('*.seg')))} segments"
            )
            assert not output.exists() or output.read_bytes() == whole
            assert {p.name for p in tmp_path.iterdir()} <= {"in.mp4", "whole.mp4", "out.mp4", "out.mp4.vidstyle"}
            if kills < 10 and output.exists() and not journal.exists():  # all was done but the end of the process
                output.unlink()
        else:
            assert process.returncode == 0, error
            assert output.read_bytes() == whole
            films += 1
            if kills < 10:  # finished before it could be killed: once more from the start
                output.unlink()
    assert output.read_bytes() == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "whole.mp4"]
    print(f"{kills} kills, {films} films, all the same {len(whole)} bytes")


def test_ctrl_c(long_clip: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    args = command(long_clip, "out.mp4", tiny_model, "--segment", "0.8", "--chunk", "2")
    code, error = stop_after(tmp_path, args, 2, signal.SIGINT)
    assert code == 130
    assert error == "vidstyle: Interrupted; the same command with --resume goes on from here.\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4.vidstyle"]
    assert not list((tmp_path / "out.mp4.vidstyle").glob("*.part"))
    monkeypatch.chdir(tmp_path)
    words = args[args.index("run") :]
    again = vidstyle(*words)
    assert again.returncode == 2
    assert "add --resume to go on with it" in again.stderr
    done = vidstyle(*words, "--resume")
    assert done.returncode == 0, done.stderr
    assert len(packets(tmp_path / "out.mp4", "video")) == 400


def test_bad_input_of_a_process(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello\n" * 100)
    done = run(tmp_path, tmp_path / "text.mp4", "out.mp4", tiny_model)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "text.mp4" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["text.mp4"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_real_clip(data_dir: Path, tmp_path: Path) -> None:
    """All of the data folder, as docs/clips.md has it: a correct film or one sentence."""
    from tests.integration.clips_table import REFUSED, clips, row

    for clip in clips(data_dir):
        result = row(clip, tmp_path)
        if clip.name in REFUSED:
            assert (result.exit_code, len(result.said)) == (1, 1), result
            assert REFUSED[clip.name] in result.said[0], result
        else:
            assert result.kept, result
