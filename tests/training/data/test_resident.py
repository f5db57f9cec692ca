"""Crops on the device: the folder loader's, bit for bit where nothing is resized; the motion of clips follows every crop."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch._subclasses.fake_tensor import FakeTensorMode

from vidstyle.core.errors import UsageError
from vidstyle.training.data.batches import FolderBatches, Folders
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.crop_boxes import CropBox, draw_crop_box
from vidstyle.training.data.folders import cut
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.data.pack import FramePair, Pack
from vidstyle.training.data.resident import ResidentImages, SampleGrid, reflect
from vidstyle.training.data.resident_batches import ResidentBatches
from vidstyle.training.data.synthetic_motion import warp
from vidstyle.training.recipe import Colour, LossWeights, Recipe, Scoring, Stage

CPU = torch.device("cpu")
COLOUR = Colour(brightness=0.3, contrast=0.3, saturation=0.4, hue=0.1)


def smooth(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    small = np.random.default_rng(seed).integers(0, 255, (height // 8 + 2, width // 8 + 2, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def sampled(image: NDArray[np.uint8], box: CropBox, side: int) -> NDArray[np.float32]:
    """(S, S, 3) levels of 255 of one crop, by the device's way."""
    images = ResidentImages([smooth(20, 30, 9), image], CPU)
    rows = images.rows([replace(box, image=1)])
    grid = SampleGrid(torch.from_numpy(rows).float(), side, bool(rows[0, -1]))
    return np.asarray(grid.sample(images)[0].permute(1, 2, 0) * 255, np.float32)


@given(
    h=st.integers(64, 120), w=st.integers(64, 120), side=st.integers(32, 64), seed=st.integers(0, 999), flip=st.booleans()
)  # fmt: skip
def test_a_crop_that_is_not_resized_has_the_images_bytes(h: int, w: int, side: int, seed: int, flip: bool) -> None:
    image, rng = smooth(h, w, seed), np.random.default_rng(seed)
    corner = (int(rng.integers(0, h - side + 1)), int(rng.integers(0, w - side + 1)))
    box = CropBox(0, (h, w), corner, flip)
    assert np.array_equal(sampled(image, box, side).round(), cut(image, box, side))
    exact = torch.from_numpy(np.ascontiguousarray(cut(image, box, side))).float().div_(255) * 255
    assert np.array_equal(sampled(image, box, side), exact.numpy())


@pytest.mark.parametrize("times", [2, 4])
def test_a_crop_that_is_shrunk_by_two_or_four_is_the_mean_of_squares(times: int) -> None:
    image = np.random.default_rng(0).integers(0, 255, (64 * times, 80 * times, 3), dtype=np.uint8)
    box = CropBox(0, (64, 80), (8, 16), True)
    squares = image.reshape(64, times, 80, times, 3).mean((1, 3))
    np.testing.assert_allclose(sampled(image, box, 48), squares[8:56, 16:64][:, ::-1], atol=1e-4)
    assert np.abs(sampled(image, box, 48) - cut(image, box, 48)).max() <= 1  # OpenCV's, which rounds


@given(zoom=st.floats(1, 3), seed=st.integers(0, 999))
def test_a_crop_that_is_shrunk_is_near_opencvs(zoom: float, seed: int) -> None:
    image = smooth(150, 210, seed % 7)
    box = draw_crop_box(0, image.shape, 48, (zoom, zoom), np.random.default_rng(seed))
    away = np.abs(sampled(image, box, 48) - cut(image, box, 48))
    assert away.mean() < 3  # of an image whose neighbours are 70 levels apart
    assert away.max() < 25


def test_a_turned_crop_is_opencvs_turned_image() -> None:
    image, side, angle = smooth(100, 140), 40, math.radians(17)
    box = CropBox(0, (100, 140), (30, 50), False, angle)
    centre = ((side - 1) / 2 + 50, (side - 1) / 2 + 30)
    turn = cv2.getRotationMatrix2D(centre, -math.degrees(angle), 1)
    turned = cv2.warpAffine(image, turn, (140, 100), flags=cv2.INTER_LINEAR)[30 : 30 + side, 50 : 50 + side]
    assert np.abs(sampled(image, box, side) - turned).mean() < 0.5


def test_reflection_at_the_border() -> None:
    x = torch.tensor([-1.0, -0.75, -0.5, 0.0, 2.25, 4.0, 4.5, 5.0, 9.0, 10.0])
    expected = [0.0, 0.0, 0.0, 0.0, 2.25, 4.0, 4.0, 4.0, 0.0, 0.0]
    assert reflect(x, torch.tensor(5)).tolist() == expected


def packed(images: ImageFolder, clips: ClipFolder | None = None) -> Pack:
    """A pack as it is after reading, without the way through files."""
    frames: list[NDArray[np.uint8]] = []
    pairs = []
    for first, second in clips.clips[0] if clips else ():
        flow = np.zeros((second.shape[0] // 4, second.shape[1] // 4, 2), np.float32)
        flow[..., 0] = (
            1.0  # the camera of the `clips` fixture moves down by a pixel a frame: what is here was one lower
        )
        pairs.append(FramePair(len(frames), len(frames) + 1, flow, np.full((*second.shape[:2], 1), 255, np.uint8)))
        frames += [first, second]
    about = {"video": {"clips": 1}, "sha256": "0" * 64, "credits": "", "recipe": None}
    return Pack(about, images, images, tuple(frames), tuple(pairs), (range(len(pairs)),) if pairs else (), {})


def recipe(**stage: object) -> Recipe:
    values = {"kind": "style", "steps": 9, "crop": 64, "batch": 4, **stage}
    return Recipe(stage=(Stage(**values),), validation=Scoring(every=0))  # type: ignore[arg-type]


@pytest.mark.parametrize("variants", [0, 2])
def test_batches_are_the_folder_loaders(images: ImageFolder, variants: int) -> None:
    """Crops as large as the images' short sides: nothing is resized, and every bit must agree, colours included."""
    small = ImageFolder(Path("x"), tuple(smooth(64, 64 + 9 * i, i) for i in range(7)), 0, "")
    plan = recipe(
        variants=variants, local_attention="uniform", content_colour=COLOUR, style_colour=replace(COLOUR, hue=0.0)
    )
    ours = ResidentBatches(packed(small), plan, CPU)
    theirs = FolderBatches(Folders(small, small), plan, CPU)
    for step in range(4):
        a, b = ours.batch(0, step, 0), theirs.batch(0, step, 0)
        assert torch.equal(a.content, b.content)
        assert torch.equal(a.style, b.style)
        assert a.content.is_contiguous(memory_format=torch.channels_last)
        assert a.motion is None
    resized = recipe(crop=32, content_zoom=(1.0, 3.0), style_zoom=(1.0, 3.0))
    ours, theirs = ResidentBatches(packed(images), resized, CPU), FolderBatches(Folders(images, images), resized, CPU)
    assert float((ours.batch(0, 1, 0).content - theirs.batch(0, 1, 0).content).abs().mean()) < 0.01


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_frames_of_clips_take_their_turns_and_their_motion_fits(
    images: ImageFolder, clips: ClipFolder, rotation: float
) -> None:
    plan = recipe(
        weights=LossWeights(clips=1.0), every_clips=2, crop=32, content_zoom=(1.0, 2.0), content_rotation=rotation,
        content_colour=COLOUR, style_colour=COLOUR,
    )  # fmt: skip
    source = ResidentBatches(packed(images, clips), plan, CPU)
    plain = None if rotation else FolderBatches(Folders(images, images, clips), plan, CPU)
    seen = 0
    for step in range(6):
        batch = source.batch(0, step, 0)
        theirs = plain.batch(0, step, 0) if plain else None
        assert batch.motion is not None
        assert batch.motion.pairs.tolist() == [m for m in range(2) if (step + m) % 2 == 0]
        for i, m in enumerate(batch.motion.pairs.tolist()):
            earlier, later = batch.content[2 * m], batch.content[2 * m + 1]
            assert torch.equal(batch.style[2 * m], batch.style[2 * m + 1])
            grid, visible = batch.motion.grid[i : i + 1], batch.motion.visible[i]
            moved = warp(earlier[None], grid)[0]
            seen += int(visible.sum())
            wrong, still = ((x - later).abs() * visible for x in (moved, earlier))
            assert float(wrong.sum()) < 0.35 * float(still.sum())
            if theirs is not None and theirs.motion is not None:  # the same frames at the same places
                assert float((later - theirs.content[2 * m + 1]).abs().mean()) < 0.02
    assert seen > 3000


def test_a_recipe_that_asks_for_what_is_not_there_is_refused(images: ImageFolder) -> None:
    with pytest.raises(UsageError, match="--video"):
        ResidentBatches(packed(images), recipe(weights=LossWeights(clips=1.0)), CPU)
    with pytest.raises(UsageError, match="--pack"):
        FolderBatches(Folders(images, images), recipe(style_rotation=10.0), CPU)


def test_a_batch_asks_the_device_for_nothing(images: ImageFolder, clips: ClipFolder) -> None:
    """On a GPU that is not there: a value that would have to come back to the host raises."""
    plan = recipe(weights=LossWeights(clips=1.0), every_clips=1, crop=32, content_colour=COLOUR, style_rotation=9.0)
    with FakeTensorMode(allow_non_fake_inputs=True):
        batch = ResidentBatches(packed(images, clips), plan, torch.device("cuda")).batch(0, 0, 0)
        assert batch.motion is not None
        for tensor in (batch.content, batch.style, batch.motion.grid, batch.motion.visible, batch.motion.pairs):
            assert tensor.device.type == "cuda"
