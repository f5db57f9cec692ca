"""Frames per call: the quickest that memory bears, remembered, whatever the engine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.engines.base import Precision
from vidstyle.models.registry import ModelDescriptor, find_model
from vidstyle.models.style_code import StyleCode
from vidstyle.pipeline.stages import batch_size as chunks
from vidstyle.pipeline.stages.batch_size import affordable, choose_batch_size

MILLISECONDS = 1e-3


@dataclass
class Clockwork:
    """An engine whose calls take as long as it is told, by number of frames."""

    takes: dict[int, float]
    guess: int = 4
    model: ModelDescriptor = field(default_factory=find_model)
    device: str = "cpu"
    name: str = "torch"
    precision: Precision = "fp32"
    threads: int = 1
    calls: list[int] = field(default_factory=list)

    def encode_style(self, image: NDArray[np.uint8]) -> StyleCode:
        return StyleCode(())

    def good_batch_size(self, width: int, height: int) -> int:
        return self.guess

    def stylize(self, frames: NDArray[np.uint8], code: StyleCode, *, strength: float = 1.0) -> NDArray[np.uint8]:
        self.calls.append(len(frames))
        time.sleep(self.takes[len(frames)] * MILLISECONDS)
        return frames


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("takes", "best"),
    [({2: 20, 4: 60, 8: 150}, 2), ({2: 60, 4: 40, 8: 120}, 4), ({2: 60, 4: 60, 8: 60}, 8)],
    ids=["half", "guess", "twice"],
)
def test_the_quickest_is_taken_and_remembered(takes: dict[int, float], best: int, tiny_model: Path) -> None:
    engine = Clockwork(takes)
    assert choose_batch_size(engine, (64, 36)) == best
    assert set(engine.calls) == {2, 4, 8}
    again = Clockwork({})
    assert choose_batch_size(again, (64, 36)) == best
    assert again.calls == []
    other = Clockwork(takes)
    choose_batch_size(other, (64, 40))
    assert other.calls


def test_memory_lowers_it(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    pixels = 64 * 36
    monkeypatch.setattr(chunks, "free_bytes", lambda: int(3.5 * pixels * chunks.BYTES_A_PIXEL / chunks.SHARE))
    assert affordable(pixels) == 3
    engine = Clockwork({1: 30, 3: 10})
    assert choose_batch_size(engine, (64, 36)) == 3
    assert max(engine.calls) == 3
    monkeypatch.setattr(chunks, "free_bytes", lambda: 0)
    assert choose_batch_size(Clockwork({1: 1}, guess=8), (64, 36)) == 1


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"guess": 1000}], ids=["gpu", "large"])
def test_where_measuring_says_nothing_the_engine_is_believed(change: dict[str, Any], tiny_model: Path) -> None:
    engine = Clockwork({}, **change)
    assert choose_batch_size(engine, (64, 36)) == engine.guess
    assert engine.calls == []


def test_slow_calls_are_not_repeated_to_find_better_ones(tiny_model: Path) -> None:
    engine = Clockwork({4: 600})
    assert choose_batch_size(engine, (64, 36)) == 4
    assert engine.calls == [4, 4]


def test_this_machine_tells_its_free_memory() -> None:
    free = chunks.free_bytes()
    assert free is None or free > 1 << 20
