"""Each loss against its definition written out, and against pictures whose answer is known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.losses.content import content_loss, legibility_loss, normalised
from vidstyle.losses.gram import gram, gram_loss
from vidstyle.losses.grid import checkerboard, grid_energy
from vidstyle.losses.network import DEPTH, loss_network, loss_network_digest
from vidstyle.losses.range import out_of_range
from vidstyle.losses.shift import shift_loss, translate
from vidstyle.models.model_files import shipped


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_gram_is_the_mean_outer_product() -> None:
    x = noise(2, 5, 4, 6)
    wanted = torch.zeros(2, 5, 5)
    for b in range(2):
        for r in range(4):
            for c in range(6):
                wanted[b] += torch.outer(x[b, :, r, c], x[b, :, r, c]) / 24
    torch.testing.assert_close(gram(x), wanted)
    assert gram(x.double()).dtype == torch.float64


def test_gram_loss_is_relative() -> None:
    x, y = noise(1, 3, 8, 8), noise(1, 3, 8, 8, seed=1)
    assert float(gram_loss([x], [gram(x)])) == 0
    first, second = gram_loss([x], [gram(y)]), gram_loss([100 * x], [gram(100 * y)])
    torch.testing.assert_close(first, second)
    # A result without any of the style's features is off by all of it.
    assert float(gram_loss([torch.zeros_like(x)], [gram(y)])) == pytest.approx(1)


def test_content_loss_ignores_tone_and_contrast() -> None:
    x = noise(2, 4, 16, 16)
    assert float(content_loss(3 * x + 1, x)) < 1e-4
    assert float(content_loss(noise(2, 4, 16, 16, seed=3), x)) > 1


def test_legibility_counts_where_the_frame_has_structure() -> None:
    content = torch.zeros(1, 1, 16, 16)
    content[..., :4] = 5 * (noise(1, 1, 16, 4) - 0.5)  # structure at the left, a wall at the right
    wanted = normalised(content)
    left, right = wanted.clone(), wanted.clone()
    left[..., :4] += 0.5 * noise(1, 1, 16, 4, seed=5) - 0.25
    right[..., 8:12] += 0.5 * noise(1, 1, 16, 4, seed=5) - 0.25
    assert float(legibility_loss([left], [content])) > 3 * float(legibility_loss([right], [content]))


def test_out_of_range_is_the_mean_excess() -> None:
    assert float(out_of_range(torch.tensor([-0.5, 0.0, 1.0, 1.25]))) == pytest.approx(0.75 / 4)


def test_checkerboard_sees_the_grid_only() -> None:
    smooth = translate(noise(1, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3), 0.5, 0.5)
    y, x = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    board = smooth + 0.1 * ((x + y) % 2 * 2.0 - 1)
    assert float(checkerboard(smooth, grid_energy(smooth))) == 0
    assert float(checkerboard(board, grid_energy(smooth))) > 1
    torch.testing.assert_close(
        grid_energy(0.1 * ((x + y) % 2 * 2.0 - 1).expand(1, 3, 32, 32)), torch.full((1, 3), 0.04)
    )


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_translating_a_ramp_adds_its_slope(dx: float, dy: float) -> None:
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(9.0), indexing="ij")
    ramp = (2 * x + 3 * y)[None, None]
    moved = translate(ramp, dx, dy)
    torch.testing.assert_close(moved[..., 1:-1, 1:-1], (ramp + 2 * dx + 3 * dy)[..., 1:-1, 1:-1], atol=1e-4, rtol=0)


@given(st.integers(0, 4), st.integers(0, 4), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from([0.0, -0.5, 0.75]))
def test_a_map_that_moves_with_its_input_has_no_shift_loss(dx: int, dy: int, fx: float, fy: float) -> None:
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")
    whole = (0.02 * x - 0.03 * y)[None, None].expand(1, 3, 24, 24)  # linear, so that resampling it is exact
    first = translate(whole, fx / 2, fy / 2)[..., 2:18, 2:18]
    second = translate(whole, -fx / 2, -fy / 2)[..., 2 + dy : 18 + dy, 2 + dx : 18 + dx]
    assert float(shift_loss(first, second, (dx, dy), (fx, fy))) < 1e-9


def test_shift_loss_of_one_that_paints_by_position() -> None:
    first = noise(1, 3, 16, 16)
    assert float(shift_loss(first, first, (1, 0))) == pytest.approx(
        float((first[..., 1:] - first[..., :-1]).square().mean())
    )


def test_the_network_that_ships() -> None:
    net = loss_network()
    x = noise(1, 3, 40, 56)
    with torch.no_grad():
        features = net(x, DEPTH)
    assert [tuple(f.shape[1:]) for f in features] == [(64, 40, 56), (128, 20, 28), (256, 10, 14), (512, 5, 7)]
    assert all(0.05 < float(f.mean()) < 20 for f in features)  # normalised: about 1 on photos
    assert not any(p.requires_grad for p in net.parameters())
    assert len(loss_network_digest()) == 64
    assert not any(name.startswith("vgg16_relu4") for name in shipped())  # it is no model to style with
