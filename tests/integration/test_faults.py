"""What the world does to a run: the disk is full, the input vanishes. One sentence, and --resume finishes the same film."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.helpers.commands import vidstyle
from vidstyle.core.errors import InputError
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.run import stylize_video


@pytest.fixture
def source(make_clip: Any) -> Path:
    path: Path = make_clip("in.mp4", frames=150, sound="aac", options={"g": "25"})
    return path


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "art.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(path)
    return path


def arguments(model: Path, *more: str) -> list[str]:
    """`vidstyle run in.mp4 -o out.mp4`."""
    return [
        *("run", "in.mp4", "-o", "out.mp4", "--style", "art.png", "--style-size", "32", "--segment", "2", "-q"),
        *("--model", str(model), "--engine", "torch", "--device", "cpu", *more),
    ]


def run_on_a_full_disk(model: Path, largest: int) -> subprocess.CompletedProcess[str]:
    """In a process whose files cannot grow beyond `largest` bytes, which looks like a full disk."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    return subprocess.run(
        [sys.executable, "-m", "vidstyle", *arguments(model)],
        capture_output=True,
        text=True,
        timeout=100,
        preexec_fn=limit,
        check=False,
    )


@pytest.mark.parametrize("stage", ["first segment", "film"])
def test_disk_full(
    source: Path, style: Path, tiny_model: Path, tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert vidstyle(*arguments(tiny_model)).returncode == 0
    whole = (tmp_path / "out.mp4").read_bytes()
    (tmp_path / "out.mp4").unlink()
    before = sorted(p.name for p in tmp_path.iterdir())
    failed = run_on_a_full_disk(tiny_model, 4000 if stage == "first segment" else len(whole) - 2000)
    assert failed.returncode == 1
    assert failed.stderr.count("\n") == 1
    assert f"the disk of {tmp_path}" in failed.stderr
    assert "is full; free some space" in failed.stderr
    if stage == "first segment":
        assert sorted(p.name for p in tmp_path.iterdir()) == before
    else:
        assert "--resume goes on from there" in failed.stderr
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*before, "out.mp4.vidstyle"])
    again = vidstyle(*arguments(tiny_model, "--resume"))
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out.mp4").read_bytes() == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*before, "out.mp4"])


def test_input_vanishes(
    source: Path, style: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings: dict[str, Any] = {"model": tiny_model, "style_size": 32, "engine": "torch", "device": "cpu", "segment": 2}
    stylize_video("in.mp4", "whole.mp4", "art.png", options=RunOptions(**settings))
    data = source.read_bytes()

    def gone(done: int, total: int | None) -> None:
        source.unlink(missing_ok=True)

    with pytest.raises(InputError, match=r"in\.mp4: no such file.*--resume goes on from there"):
        stylize_video("in.mp4", "out.mp4", "art.png", options=RunOptions(**settings), progress=gone)
    assert not Path("out.mp4").exists()
    with pytest.raises(InputError, match=r"in\.mp4: no such file"):
        stylize_video("in.mp4", "out.mp4", "art.png", options=RunOptions(**settings, resume=True))
    source.write_bytes(data)
    stylize_video("in.mp4", "out.mp4", "art.png", options=RunOptions(**settings, resume=True))
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_unfinished_work_is_private(source: Path, style: Path, tiny_model: Path, tmp_path: Path) -> None:
    """While it runs, no one else can read what is written: the journal's folder is 0700."""
    seen: set[int] = set()

    def look(done: int, total: int | None) -> None:
        seen.update(p.stat().st_mode & 0o777 for p in tmp_path.glob("*.vidstyle"))

    options = RunOptions(model=tiny_model, style_size=32, engine="torch", device="cpu")
    stylize_video(source, tmp_path / "out.mp4", str(style), options=options, progress=look)
    assert seen == {0o700}
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "out.mp4").stat().st_mode & 0o777 == 0o666 & ~mask
