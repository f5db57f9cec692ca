"""Segments shared among several models (here two on the processor, as on two GPUs) make the film that one makes."""

import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core.errors import InputError
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.pipeline import run as run_module
from vidstyle.pipeline.plan.journal import journal_folder

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two devices of a kind."""
    monkeypatch.setattr(run_module, "spread", lambda device: [device, "cpu"])


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Which engines were used; none is called from two threads at a time."""
    used: set[int] = set()
    busy: set[int] = set()
    original = TorchEngine.stylize

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        assert id(self) not in busy
        busy.add(id(self))
        used.add(id(self))
        try:
            return original(self, *args, **kwargs)
        finally:
            busy.remove(id(self))

    monkeypatch.setattr(TorchEngine, "stylize", watched)
    return used


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "stabilized": {"stabilize": 0.8},
    "cut": {"start": Fraction(2, 5), "end": Fraction(8, 5)},
    "rate": {"fps": Fraction(10)},
    "strength": {"strength": 0.5, "codec": "ffv1"},
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_two_devices_make_the_same_bytes(
    kind: str, styled: Any, make_clip: Any, two: None, engines: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip("in.mkv", frames=44, sound="aac", options={"g": "12"})
    options = {"segment": Fraction(1, 5), "chunk": 3, "threads": 1, **OPTIONS[kind]}
    run = lambda out: styled(source, out, **options)  # noqa: E731
    shared = run("two.mkv")
    assert len(engines) == 2
    engines.clear()
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "spread", lambda device: [device])
        alone = run("one.mkv")
    assert len(engines) == 1
    assert Path("two.mkv").read_bytes() == Path("one.mkv").read_bytes()
    assert (shared.frames, shared.warnings) == (alone.frames, alone.warnings)
    assert not list(Path.cwd().glob("*.vidstyle"))


def test_gaps_in_time_and_odd_starts(styled: Any, make_clip: Any, two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pts = [30, 31, 33, 34, 70, 71, 72, 150, 151, 160, 161, 162, 163, 190]
    source = make_clip("in.mkv", pts=pts, time_base=Fraction(1, 20))
    styled(source, "two.mkv", segment=Fraction(1, 2), chunk=2, threads=1)
    monkeypatch.setattr(run_module, "spread", lambda device: [device])
    styled(source, "one.mkv", segment=Fraction(1, 2), chunk=2, threads=1)
    assert Path("two.mkv").read_bytes() == Path("one.mkv").read_bytes()


def test_resume_with_another_number_of_devices(styled: Any, make_clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip("in.mp4", frames=40, options={"g": "12"})
    options = {"segment": Fraction(1, 5), "chunk": 2, "stabilize": 0.5, "threads": 1}
    styled(source, "whole.mp4", **options)
    original, calls, guard = TorchEngine.stylize, 0, threading.Lock()

    def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        with guard:
            calls += 1
            fails = calls % 9 == 0
        if fails:
            raise InputError("the disk is full.")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(TorchEngine, "stylize", failing)
    interruptions = 0
    while not Path("out.mp4").exists():
        devices = ["cpu"] * (1 + (interruptions + 1) % 3)
        monkeypatch.setattr(run_module, "spread", lambda device, devices=devices: devices)
        with suppress(InputError):
            styled(source, "out.mp4", resume=True, **options)
        interruptions += not Path("out.mp4").exists()
        assert interruptions < 30
        assert not [t for t in threading.enumerate() if t.name.startswith("vidstyle")]
    assert interruptions >= 2
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_no_more_engines_than_there_is_work(
    styled: Any, make_clip: Any, engines: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "spread", lambda device: ["cpu"] * 4)
    made: list[str] = []
    original = run_module.engine_at
    monkeypatch.setattr(run_module, "engine_at", lambda d, *rest: made.append(d) or original(d, *rest))
    styled(make_clip("in.mkv", frames=10), "out.mkv")  # one segment
    assert not made
    assert len(engines) == 1


def test_progress_counts_the_frames_of_all(
    styled: Any, make_clip: Any, two: None, tiny_model: Path, style: str
) -> None:
    from vidstyle.pipeline.plan.run_options import RunOptions

    told: list[int] = []
    options = RunOptions(
        model=tiny_model, style_size=32, engine="torch", device="cpu", threads=1, segment=Fraction(1, 5), chunk=3
    )
    source = make_clip("in.mkv", frames=40)
    run_module.stylize_video(source, "out.mkv", style, options=options, progress=lambda done, _: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 40
    assert not journal_folder(Path("out.mkv")).exists()


def test_damage_is_judged_over_all_devices(styled: Any, make_clip: Any, two: None) -> None:
    source = make_clip("in.ts", frames=60, options={"g": "6"})
    data = bytearray(source.read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(len(data) // 10, len(data), 600):
        data[at] ^= 0xFF
    source.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        styled(source, "out.mkv", segment=Fraction(1, 5), max_errors=0.02)
