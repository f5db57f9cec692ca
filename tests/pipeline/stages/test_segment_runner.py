"""Segments shared among several models (here two on the processor, as on two GPUs) make the film that one makes."""

import threading
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core.errors import InputError
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.models.registry import find_model
from vidstyle.pipeline import run as run_module
from vidstyle.pipeline.plan.journal import journal_folder

pytestmark = pytest.mark.usefixtures("here")


class Watched(TorchEngine):
    """Counts its calls; none comes while another one is at work. `fails` is asked before each."""

    calls = 0
    fails: Callable[[], bool] = staticmethod(lambda: False)

    def __init__(self, model: Path) -> None:
        super().__init__(find_model(model), device="cpu", precision="fp32", threads=1)
        self.busy = threading.Lock()

    def stylize(self, *args: Any, **kwargs: Any) -> Any:
        if self.fails():
            raise InputError("the disk is full.")
        assert self.busy.acquire(blocking=False)
        self.calls += 1
        try:
            return super().stylize(*args, **kwargs)
        finally:
            self.busy.release()


@pytest.fixture
def two(tiny_model: Path) -> list[Watched]:
    """What two devices of a kind would have."""
    return [Watched(tiny_model), Watched(tiny_model)]


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "stabilized": {"stabilize": 0.8},
    "cut": {"start": Fraction(2, 5), "end": Fraction(8, 5)},
    "rate": {"fps": Fraction(10)},
    "strength": {"strength": 0.5, "codec": "ffv1"},
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_two_devices_make_the_same_bytes(
    kind: str, styled: Any, make_clip: Any, two: list[Watched], tiny_model: Path
) -> None:
    source = make_clip("in.mkv", frames=44, sound="aac", options={"g": "12"})
    options = {"segment": Fraction(1, 5), "chunk": 3, **OPTIONS[kind]}
    shared = styled(source, "two.mkv", engine=two, **options)
    assert all(engine.calls for engine in two)
    alone = styled(source, "one.mkv", engine=Watched(tiny_model), **options)
    assert Path("two.mkv").read_bytes() == Path("one.mkv").read_bytes()
    assert (shared.frames, shared.warnings) == (alone.frames, alone.warnings)
    assert not list(Path.cwd().glob("*.vidstyle"))


def test_gaps_in_time_and_odd_starts(styled: Any, make_clip: Any, two: list[Watched]) -> None:
    pts = [30, 31, 33, 34, 70, 71, 72, 150, 151, 160, 161, 162, 163, 190]
    source = make_clip("in.mkv", pts=pts, time_base=Fraction(1, 20))
    styled(source, "two.mkv", engine=two, segment=Fraction(1, 2), chunk=2)
    styled(source, "one.mkv", engine=two[0], segment=Fraction(1, 2), chunk=2)
    assert Path("two.mkv").read_bytes() == Path("one.mkv").read_bytes()


def test_resume_with_another_number_of_devices(styled: Any, make_clip: Any, tiny_model: Path) -> None:
    source = make_clip("in.mp4", frames=40, options={"g": "12"})
    options = {"segment": Fraction(1, 5), "chunk": 2, "stabilize": 0.5}
    engines = [Watched(tiny_model) for _ in range(3)]
    styled(source, "whole.mp4", engine=engines[0], **options)
    calls, guard = 0, threading.Lock()

    def every_ninth() -> bool:
        nonlocal calls
        with guard:
            calls += 1
            return calls % 9 == 0

    for engine in engines:
        engine.fails = every_ninth
    interruptions = 0
    while not Path("out.mp4").exists():
        with suppress(InputError):
            styled(source, "out.mp4", engine=engines[: 1 + (interruptions + 1) % 3], resume=True, **options)
        interruptions += not Path("out.mp4").exists()
        assert interruptions < 30
        assert not [t for t in threading.enumerate() if t.name.startswith("vidstyle")]
    assert interruptions >= 2
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_no_more_engines_than_there_is_work(
    styled: Any, make_clip: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "spread", lambda device: ["cpu"] * 4)
    made: list[str] = []
    monkeypatch.setattr(run_module, "engine_at", lambda d, *rest: made.append(d))
    styled(make_clip("in.mkv", frames=10), "out.mkv")  # one segment
    assert not made
    given = [Watched(tiny_model) for _ in range(3)]
    styled("in.mkv", "again.mkv", engine=given)
    assert [bool(engine.calls) for engine in given] == [True, False, False]


def test_progress_counts_the_frames_of_all(
    styled: Any, make_clip: Any, two: list[Watched], tiny_model: Path, style: str
) -> None:
    from vidstyle.pipeline.plan.run_options import RunOptions

    told: list[int] = []
    options = RunOptions(style_size=32, segment=Fraction(1, 5), chunk=3)
    source = make_clip("in.mkv", frames=40)
    run_module.stylize_video(
        source, "out.mkv", style, options=options, engine=two, progress=lambda done, _: told.append(done)
    )
    assert told == sorted(told)
    assert told[-1] == 40
    assert not journal_folder(Path("out.mkv")).exists()


def test_damage_is_judged_over_all_devices(styled: Any, make_clip: Any, two: list[Watched]) -> None:
    source = make_clip("in.ts", frames=60, options={"g": "6"})
    data = bytearray(source.read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(len(data) // 10, len(data), 600):
        data[at] ^= 0xFF
    source.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        styled(source, "out.mkv", engine=two, segment=Fraction(1, 5), max_errors=0.02)
