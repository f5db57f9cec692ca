"""Oracles: films whose motion, noise and occlusion are known exactly."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Draw
from tests.metrics.conftest import Affine, Occluder
from vidstyle.metrics.visibility import visibility
from vidstyle.metrics.warp_error import FlowMotion, error_map, motion, warp_error


def exact(affine: Affine) -> FlowMotion:
    forward, backward = affine.flow(), affine.inverse().flow()
    return FlowMotion(forward, ~visibility(forward, backward).occluded)


def test_exact_motion_leaves_interpolation_error_only(affine: Affine) -> None:
    first, second = affine.frames()
    value = warp_error(first, second, exact(affine))
    # Bilinear sampling of a wave of length L errs by at most A (2 pi / L)^2 / 4; squared and averaged that is below 2e-5.
    assert value < 2e-5
    flow = affine.flow()
    if torch.equal(flow, flow.round()):
        assert value < 1e-9
    else:
        assert warp_error(first, second, FlowMotion(torch.zeros_like(flow), exact(affine).visible)) > 20 * value


def test_moving_occluder_has_no_error_where_visible(occluder: Occluder) -> None:
    seen = visibility(occluder.flow(0), occluder.flow(1, -1))
    frames = occluder.frame(0), occluder.frame(1)
    assert warp_error(*frames, FlowMotion(occluder.flow(0), ~seen.occluded)) < 1e-9
    everything = FlowMotion(occluder.flow(0), torch.ones_like(seen.occluded))
    assert warp_error(*frames, everything) > 1e-4


@given(sigma=st.floats(0.01, 0.08), seed=st.integers(0, 2**16))
def test_noise_gives_twice_its_variance(sigma: float, seed: int) -> None:
    h, w = 96, 128
    flow = torch.zeros(2, h, w)
    flow[0], flow[1] = 3, -2
    still = torch.ones(h, w, dtype=torch.bool)
    still[:2], still[:, -3:] = False, False
    noise = torch.Generator().manual_seed(seed)
    first, second = (0.5 + sigma * torch.randn(3, h, w, generator=noise) for _ in range(2))
    assert warp_error(first, second, FlowMotion(flow, still)) == pytest.approx(2 * sigma**2, rel=0.05)


def test_grey_film_has_none(affine: Affine) -> None:
    grey = torch.full_like(affine.frames()[0], 0.5)
    assert warp_error(grey, grey, exact(affine)) < 1e-12


def test_only_visible_pixels_count() -> None:
    first, second = torch.zeros(3, 10, 10), torch.zeros(3, 10, 10)
    second[:, :5] = 0.5
    visible = torch.zeros(10, 10, dtype=torch.bool)
    visible[4:6] = True
    moved = FlowMotion(torch.zeros(2, 10, 10), visible)
    assert warp_error(first, second, moved) == pytest.approx(0.125)
    assert moved.share == pytest.approx(0.2)
    assert error_map(first, second, moved)[0, 0] == pytest.approx(0.25)


def test_nothing_visible_is_no_number() -> None:
    flow = torch.zeros(2, 8, 8)
    assert warp_error(torch.zeros(3, 8, 8), torch.zeros(3, 8, 8), FlowMotion(flow, flow[0] > 1)) is None


def test_estimated_flow_follows_known_motion(moving_film: Draw) -> None:
    from vidstyle.imaging.flow import DisFlow

    first, second = (moving_film(t, 96, 72) for t in (0, 1))
    moved = motion(DisFlow(), first, second)
    inner = moved.flow[:, 12:-12, 12:-12]
    error = (inner - torch.tensor([2.0, 1.0])[:, None, None]).norm(dim=0)
    assert error.mean() < 0.15
    assert moved.share > 0.8
    assert moved.flow.dtype == torch.float32
