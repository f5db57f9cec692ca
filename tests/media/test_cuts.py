from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from vidstyle.media.cuts import CutDetector
from vidstyle.media.input.probe import probe
from vidstyle.metrics.pairing import timed_frames


@dataclass(frozen=True)
class Case:
    clip: str
    cuts: tuple[int, ...]


def flat(*levels: int) -> list[bool]:
    detect = CutDetector()
    return [detect(np.full((8, 8, 3), v, np.uint8)) for v in levels]


def test_a_jump_is_a_cut_and_a_fade_is_not() -> None:
    # Of a grey picture only the value changes: a third of the step counts.
    assert flat(10, 12, 200, 202) == [False, False, True, False]
    assert not any(flat(*range(0, 256, 15)))


def test_steps_of_one_size_are_motion() -> None:
    assert not any(flat(0, 60, 120, 180, 240, 180, 120))


def test_a_film_drawn_on_every_second_frame_has_no_cuts() -> None:
    assert not any(flat(0, 60, 60, 0, 0, 60, 60, 0))


@pytest.mark.parametrize(
    "case",
    [
        Case("bikes_640x272.mp4", (30, 76, 137, 187, 242)),
        Case("bbb_cut_640x360_aac.mp4", (235,)),
        Case("pillow_portrait_149decl.mp4", ()),
        Case("backpack_portrait_368x480.mp4", ()),
        Case("sintel_1024x436_10fps.mp4", ()),
    ],
    ids=lambda c: c.clip.split("_")[0],
)
@pytest.mark.slow
def test_real_cuts(data_dir: Path, case: Case) -> None:
    path = data_dir / "clips" / case.clip
    if not path.exists():
        pytest.skip(f"no {path}")
    detect = CutDetector()
    assert tuple(n for n, t in enumerate(timed_frames(probe(path))) if detect(t.frame)) == case.cuts
