"""Clips: pairs of one scene that move, the way back from the second frame, a loss that is zero where all is equivariant."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.training.data.clips import ClipFolder, draw_pairs, flow_grid, load_clips, put_pairs, read_pairs, spread
from vidstyle.training.data.images import ImageBatch, Name
from vidstyle.training.data.rng import Purpose, StepRandomness
from vidstyle.training.data.synthetic_motion import inside, warp
from vidstyle.training.objective import losses

MakeClip = Any  # tests.conftest.ClipMaker: conftest cannot be imported
LOSSLESS = {"codec": "ffv1", "pix_fmt": "bgr0"}

CONTENT, STYLE = Purpose.CONTENT, Purpose.STYLE


def panorama(seed: int) -> NDArray[np.uint8]:
    """A smooth picture with something to follow everywhere, 160 x 240."""
    noise = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (240, 160), interpolation=cv2.INTER_CUBIC), np.uint8)


def pan(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """A camera that moves 3 px to the right and 2 px down a frame."""
    return panorama(0)[2 * index : 2 * index + height, 3 * index : 3 * index + width]


def folder_of(*frames: NDArray[np.uint8]) -> ClipFolder:
    """One clip with one pair."""
    return ClipFolder((Path("clips"),), (((frames[0], frames[1]),),), 0, 0, "")


@given(count=st.integers(1, 500), runs=st.integers(1, 8), length=st.integers(2, 9))
def test_spread_gives_runs_within_the_clip(count: int, runs: int, length: int) -> None:
    numbers = spread(count, runs, length)
    assert numbers == sorted(set(numbers))
    assert 0 <= numbers[0] <= numbers[-1] < count
    assert len(numbers) == min(count, runs * length)
    assert sum(b == a + 1 for a, b in pairwise(numbers)) >= len(numbers) - runs


@pytest.mark.parametrize("without_decord", [False, True], ids=["decord", "own reader"])
def test_a_folder_counts_what_it_cannot_use(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_decord: bool
) -> None:
    if without_decord:
        monkeypatch.setattr("vidstyle.media.input.clip_reader.find_spec", lambda _: None)
    else:
        pytest.importorskip("decord")
    make_clip("a.mp4", width=96, height=80, frames=12)
    make_clip("still.mp4", width=96, height=80, frames=5, draw=lambda i, w, h: np.full((h, w, 3), 90, np.uint8))
    make_clip("small.mp4", width=96, height=32, frames=5)
    make_clip("one.mp4", width=96, height=80, frames=1)
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    (tmp_path / "notes.txt").write_text("hello")
    folder = load_clips([tmp_path])
    assert (len(folder.clips), folder.pairs, folder.broken, folder.unusable) == (1, 11, 1, 3)
    few = load_clips([tmp_path], longest_short_side=72, runs=2, length=3)
    assert few.pairs == 4  # two runs of three frames
    assert {min(f.shape[:2]) for clip in few.clips for pair in clip for f in pair} == {72}


def test_both_ways_of_reading_see_the_same_frames(make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("decord")
    path = make_clip("a.mp4", width=96, height=80, frames=30, options={"crf": "1"})
    quick = read_pairs(path, 320, 64, 2, 4)
    monkeypatch.setitem(sys.modules, "decord", None)
    monkeypatch.setattr("vidstyle.media.input.clip_reader.find_spec", lambda _: None)
    own = read_pairs(path, 320, 64, 2, 4)
    assert len(quick) == len(own) == 6
    for a, b in zip(quick, own, strict=True):
        assert np.abs(a[1].astype(int) - b[1]).mean() < 3  # two ways from YUV to RGB, and one frame is 6 from the next


def test_pairs_do_not_cross_a_cut(make_clip: MakeClip) -> None:
    def two_scenes(index: int, width: int, height: int) -> NDArray[np.uint8]:
        frame = make_clip.pattern(index, width, height)
        return frame if index < 5 else np.asarray(255 - frame // 2, np.uint8)

    pairs = read_pairs(make_clip("cut.mkv", width=96, height=80, draw=two_scenes, **LOSSLESS), 320, 64, 6, 8)
    assert len(pairs) == 8  # of nine
    assert max(np.abs(a.astype(int) - b).mean() for a, b in pairs) < 60


def test_no_folder_and_no_clip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        load_clips([tmp_path / "missing"])
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(InputError, match="1 cannot be read"):
        load_clips([tmp_path])


@pytest.mark.parametrize("seed", range(6))  # flipped and not, zoomed and not, at the border and not
def test_the_grid_leads_back_to_the_first_frame(seed: int) -> None:
    """A camera 3 px to the right and 2 px down: what is at x in the second frame was at x + 3 in the first."""
    folder = folder_of(pan(0, 128, 112), pan(1, 128, 112))
    pairs = draw_pairs(folder, 80, (1.0, 1.3), [np.random.default_rng(seed)])
    assert pairs.first.shape == pairs.second.shape == (1, 3, 80, 80)
    assert pairs.visible.shape == (1, 1, 80, 80)
    assert float(pairs.visible.mean()) > 0.6
    there = warp(pairs.first, pairs.grid)
    error = ((there - pairs.second).abs() * pairs.visible).sum() / (3 * pairs.visible.sum())
    unmoved = ((pairs.first - pairs.second).abs() * pairs.visible).sum() / (3 * pairs.visible.sum())
    assert float(error) < 0.1 * float(unmoved)
    # An equivariant map (here: the negative) costs next to nothing, one that depends on the place does not.
    equivariant = losses.temporal(1 - pairs.second, 1 - pairs.first, pairs.grid, pairs.visible)
    ramp = torch.linspace(0, 1, 80)
    fixed = losses.temporal(pairs.second + 5 * ramp, pairs.first + 5 * ramp, pairs.grid, pairs.visible)
    assert float(equivariant) < 5e-4
    assert float(fixed) > 10 * float(equivariant)


def test_flow_grid_by_hand() -> None:
    flow = torch.zeros(2, 2, 4)
    flow[0] = 1.0
    grid = flow_grid(flow)
    # Pixel centres of four columns are at -3/4, -1/4, 1/4, 3/4; one pixel to the right is 1/2 further.
    assert grid[0, :, 0].tolist() == [-0.25, 0.25, 0.75, 1.25]
    assert grid[:, 0, 1].tolist() == [-0.5, 0.5]
    picture = torch.arange(8.0).view(1, 1, 2, 4)
    assert torch.equal(warp(picture, grid[None])[..., :3], picture[..., 1:])


def test_temporal_by_hand() -> None:
    """Two pictures of 2 x 2: one differs by 1 at one of two visible pixels, of the other nothing is visible."""
    still = flow_grid(torch.zeros(2, 2, 2))[None].repeat(2, 1, 1, 1)
    a, b, visible = torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
    b[0, 0, 0, 0] = b[0, 0, 1, 1] = 1
    b[1] = 7
    visible[0, 0, 0] = 1
    assert float(losses.temporal(a, b, still, visible)) == pytest.approx((1 / 2 + 0) / 2)
    assert float(losses.temporal(a, b, still)) == pytest.approx((2 / 4 + 49) / 2)
    assert bool(inside(still).all())


def test_frames_take_the_place_of_photos_by_turns() -> None:
    folder = folder_of(pan(0, 96, 96), pan(1, 96, 96))
    for step in range(4):
        photos, paintings = torch.rand(6, 3, 64, 64), torch.rand(6, 3, 64, 64)
        photo, painting = (
            ImageBatch(x.clone(), tuple(Name(w, i, 0) for i in range(6)))
            for x, w in ((photos, CONTENT), (paintings, STYLE))
        )
        contents, styles, motion = put_pairs(photo, painting, folder, 4, (1.0, 1.0), StepRandomness(1, 2, step))
        content, style = contents.pixels, styles.pixels
        assert torch.equal(photo.pixels, photos)
        turns = [m for m in range(3) if (step + m) % 4 == 0]
        assert (motion.pairs.tolist() if motion else []) == turns
        for m in range(3):
            even, odd = 2 * m, 2 * m + 1
            assert torch.equal(content[even], photos[even]) == (m not in turns)
            assert torch.equal(content[odd], photos[odd]) == (m not in turns)
            assert torch.equal(style[even], paintings[even])
            assert torch.equal(style[odd], paintings[even] if m in turns else paintings[odd])
            # A frame of a clip has no name; a style's goes with it.
            assert [n and n.picture for n in contents.names[even : odd + 1]] == (
                [None] * 2 if m in turns else [even, odd]
            )
            assert [n and n.picture for n in styles.names[even : odd + 1]] == [even, even if m in turns else odd]
        again, _, _ = put_pairs(photo, painting, folder, 4, (1.0, 1.0), StepRandomness(1, 2, step))
        assert torch.equal(again.pixels, content)
