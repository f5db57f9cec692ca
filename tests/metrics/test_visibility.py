from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.metrics.conftest import Affine, Occluder
from vidstyle.imaging.warp import warp
from vidstyle.metrics.visibility import motion_boundary, occlusion, visibility


def test_warp_by_whole_pixels_is_a_shift() -> None:
    image = torch.rand(3, 20, 30)
    flow = torch.zeros(2, 20, 30)
    flow[0], flow[1] = 4, -3
    torch.testing.assert_close(warp(image, flow)[:, 3:, :-4], image[:, :-3, 4:], atol=1e-5, rtol=0)


def test_warp_between_pixels_is_bilinear() -> None:
    image = torch.arange(30.0).repeat(20, 1)[None] * 0.01
    flow = torch.zeros(2, 20, 30)
    flow[0] = 0.25
    torch.testing.assert_close(warp(image, flow)[0, :, :-1], image[0, :, :-1] + 0.0025, atol=1e-6, rtol=0)


def test_exact_motion_hides_only_what_leaves_the_picture(affine: Affine) -> None:
    hidden = occlusion(affine.flow(), affine.inverse().flow())
    # The backward flow is sampled on the picture only: at its very edge that repeats the last pixel's.
    inside = affine.inside()
    wrong = (hidden == inside).float().mean()
    assert wrong < 0.005
    assert not hidden[affine.inside()].any()


def test_moving_occluder_matches_the_exact_map(occluder: Occluder) -> None:
    found = occlusion(occluder.flow(0), occluder.flow(1, -1)).numpy()
    exact = occluder.hidden()
    assert exact.mean() > 0.1
    assert (found & exact).sum() / (found | exact).sum() > 0.9


@pytest.mark.parametrize(("velocity", "occluded"), [(0.70, False), (0.72, True)])
def test_threshold_of_disagreement(velocity: float, occluded: bool) -> None:
    # b = 0: |f|^2 > 0.01 |f|^2 + 0.5, that is |f| > 0.7107.
    forward = torch.zeros(2, 20, 20)
    forward[0] = velocity
    assert bool(occlusion(forward, torch.zeros(2, 20, 20))[5, 5]) is occluded


@pytest.mark.parametrize(("slope", "boundary"), [(0.044, False), (0.046, True)])
def test_threshold_of_motion_boundaries(slope: float, boundary: bool) -> None:
    # Near u = 0: slope^2 > 0.002, that is slope > 0.0447.
    u = slope * (torch.arange(21.0) - 10).repeat(21, 1)
    flow = torch.stack([u, torch.zeros_like(u)])
    assert bool(motion_boundary(flow)[10, 10]) is boundary


def test_motion_boundary_surrounds_the_occluder(occluder: Occluder) -> None:
    found = motion_boundary(occluder.flow(0)).numpy()
    square = occluder.mask(0)
    edge = np.zeros_like(square)
    edge[:, 1:] |= square[:, 1:] != square[:, :-1]
    edge[1:] |= square[1:] != square[:-1]
    assert found[edge].all()
    assert found.mean() < 0.1


def test_visible_is_neither(occluder: Occluder) -> None:
    seen = visibility(occluder.flow(0), occluder.flow(1, -1))
    assert torch.equal(seen.visible, ~seen.occluded & ~seen.boundary)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    flow = torch.zeros(2, *shape)
    assert visibility(flow, flow).visible.all()
