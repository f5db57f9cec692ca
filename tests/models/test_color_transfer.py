"""Colours of one picture given to another: moments exactly, hues along the style's own line."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vidstyle.models import color_transfer as colours
from vidstyle.models.attention import blend
from vidstyle.models.color_transfer import colour_code, recolour, transport
from vidstyle.models.style_code import MomentCode
from vidstyle.models.style_code import StyleCode as Code


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colours, "EPS", 1e-12)


def mixed(seed: int, h: int, w: int, n: int = 1) -> Tensor:
    """(n, 3, h, w) float64 colours whose channels go together at random."""
    g = torch.Generator().manual_seed(seed)
    mix = torch.randn(n, 3, 3, generator=g, dtype=torch.float64) * 0.2
    return torch.einsum("boc,bchw->bohw", mix, torch.randn(n, 3, h, w, generator=g, dtype=torch.float64)) + 0.5


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    flat = x.flatten(1)
    return flat.mean(1), torch.cov(flat, correction=0)


def test_mean_and_covariance_become_those_of_the_style() -> None:
    photos, painting = mixed(0, 20, 31, n=2), mixed(1, 40, 17)
    result = recolour(photos, colour_code(painting))
    mean, covariance = moments(painting[0])
    for one in result:
        torch.testing.assert_close(moments(one)[0], mean, rtol=0, atol=1e-9)
        torch.testing.assert_close(moments(one)[1], covariance, rtol=0, atol=1e-7)


def test_a_picture_is_its_own_style() -> None:
    photo = mixed(2, 20, 20)
    torch.testing.assert_close(recolour(photo, colour_code(photo)), photo, rtol=0, atol=1e-9)


def test_chroma_that_lightness_does_not_explain_moves_least() -> None:
    """Monge-Kantorovich: the map of the remaining chroma is symmetric, with positive eigenvalues."""
    matrix, _ = transport(colour_code(mixed(3, 30, 30)), colour_code(mixed(4, 30, 30)))
    assert matrix[0, 0, 1] == matrix[0, 0, 2] == 0  # lightness comes from lightness alone
    chroma = matrix[0, 1:, 1:]
    torch.testing.assert_close(chroma, chroma.T)
    assert torch.linalg.eigvalsh(chroma).min() > 0


def test_hues_of_a_photo_fall_on_the_styles_line() -> None:
    """A painting of reds and greens alone has nothing along the other axis: neither has the result."""
    painting = mixed(5, 30, 30)
    painting[:, 2] = 0.1
    result = recolour(mixed(6, 30, 30), colour_code(painting))
    assert float(result[:, 1].std()) > 0.05
    assert float((result[:, 2] - 0.1).abs().max()) < 1e-4


@pytest.mark.parametrize("flat", [(0, 1, 2), (1, 2), (0,)])
def test_flat_channels_give_finite_colours_and_gradients(
    flat: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    photo = mixed(7, 20, 20).float()
    for channel in flat:
        photo[:, channel] = 0.3
    photo.requires_grad_()
    result = recolour(photo, colour_code(mixed(8, 20, 20).float()))
    result.square().sum().backward()
    assert torch.isfinite(result).all()
    assert photo.grad is not None
    assert torch.isfinite(photo.grad).all()
    # Noise below two hundredths is not blown up to the style's colours.
    assert (transport(colour_code(photo), colour_code(mixed(8, 20, 20).float()))[0].abs() < 60).all()


def test_codes_blend_as_pictures_side_by_side() -> None:
    a, b = mixed(9, 10, 12), mixed(10, 10, 12)
    both = blend([Code((colour_code(a),)), Code((colour_code(b),))], [0.5, 0.5]).scales[0]
    assert isinstance(both, MomentCode)
    joined = colour_code(torch.cat([a, b], 3))
    torch.testing.assert_close(both.mean, joined.mean)
    torch.testing.assert_close(both.square, joined.square)
