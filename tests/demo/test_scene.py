"""The demo scene's motion is known: what its flow says must be what its frames show."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.demo.scene import Scene

WIDTH, HEIGHT = 160, 90
TIMES = st.floats(0, 4)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(WIDTH, HEIGHT)


def sampled(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]].astype(np.float32)
    return cv2.remap(frame.astype(np.float32), x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)


def test_frames_are_deterministic_and_move(scene: Scene) -> None:
    frame = scene.render(1.0)
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert frame.dtype == np.uint8
    assert (frame == Scene(WIDTH, HEIGHT).render(1.0)).all()
    assert np.abs(frame.astype(int) - scene.render(1.5)).mean() > 5


@settings(max_examples=15)
@given(t0=TIMES, t1=TIMES)
def test_flow_explains_the_frames(scene: Scene, t0: float, t1: float) -> None:
    flow, visible = scene.flow(t0, t1)
    assert flow.dtype == np.float32
    assert flow.shape == (HEIGHT, WIDTH, 2)
    assert visible.mean() > 0.3
    error = np.abs(sampled(scene.render(t1), flow) - scene.render(t0))[visible]
    # What is left is that textures are sampled twice: small, and far below what moving by the wrong flow gives.
    assert error.mean() < 6
    wrong = np.abs(sampled(scene.render(t1), -flow) - scene.render(t0))[visible]
    if np.abs(flow[visible]).mean() > 2:
        assert error.mean() < 0.5 * wrong.mean()


@settings(max_examples=15)
@given(t0=TIMES, t1=TIMES)
def test_there_and_back(scene: Scene, t0: float, t1: float) -> None:
    """Forward flow, then backward flow read at the target, is no move at all where the point is visible."""
    forward, visible = scene.flow(t0, t1)
    backward, _ = scene.flow(t1, t0)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    back = cv2.remap(backward, x + forward[..., 0], y + forward[..., 1], cv2.INTER_LINEAR)
    assert np.abs(forward + back)[visible].max() < 0.02


def test_no_time_no_motion(scene: Scene) -> None:
    flow, visible = scene.flow(1.7, 1.7)
    assert np.abs(flow).max() < 1e-4
    owner, pure = scene.owners(1.7)
    assert visible[1:-1, 1:-1].mean() > 0.7
    assert not visible[~pure].any()
    assert len(np.unique(owner)) >= 7, "most layers are in the picture"


def test_hidden_points_are_not_visible(scene: Scene) -> None:
    """Where another layer has moved in front by t1, `visible` is False."""
    flow, visible = scene.flow(0.5, 3.0)
    owner, _ = scene.owners(0.5)
    later, _ = scene.owners(3.0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    target = np.round(np.stack([x + flow[..., 0], y + flow[..., 1]], -1)).astype(int)
    inside = ((target >= 0) & (target < (WIDTH, HEIGHT))).all(-1)
    covered = np.zeros_like(visible)
    covered[inside] = later[target[inside][:, 1], target[inside][:, 0]] > owner[inside]
    assert covered.sum() > 50, "boat, balloon and birds cover something"
    assert not visible[covered].any()
    assert not visible[~inside].any()


def test_size_follows_the_request() -> None:
    assert Scene(64, 48).render(0).shape == (48, 64, 3)
    with pytest.raises(ValueError, match="wider"):
        Scene(200, 90)
