"""Bands of the Laplacian pyramid on pictures whose structure has one size, and the guard on blurred ones."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from vidstyle.losses.sharpness import BANDS, KEPT, band_energies, blur_guard


def stripes(period: float, side: int = 96) -> torch.Tensor:
    """Upright waves of amplitude .3 around .5."""
    wave = 0.5 + 0.3 * torch.sin(2 * math.pi * torch.arange(side) / period + 0.4)
    return wave.expand(1, 3, side, side).contiguous()


@pytest.mark.parametrize(("period", "band"), [(3.0, 0), (6.0, 1), (12.0, 2)])
def test_structure_lies_in_the_band_of_its_size(period: float, band: int) -> None:
    energies = band_energies(stripes(period))[0]
    assert energies.shape == (BANDS,)
    assert int(energies.argmax()) == band
    assert float(energies.sum()) == pytest.approx(0.3**2 / 2, rel=0.7)


def test_a_flat_picture_has_none_and_energy_grows_with_the_square() -> None:
    assert float(band_energies(torch.full((2, 3, 32, 32), 0.7)).max()) < 1e-12
    x = stripes(6.0) - 0.5
    torch.testing.assert_close(band_energies(2 * x), 4 * band_energies(x))


def test_the_guard_lets_sharper_pictures_pass_and_counts_what_blur_takes() -> None:
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    reference = band_energies(x)
    assert float(blur_guard(reference, reference)) == 0
    assert float(blur_guard(KEPT * reference, reference)) < 1e-9
    assert float(blur_guard(2 * reference, reference)) == 0
    assert float(blur_guard(KEPT * reference / 2, reference)) == pytest.approx(0.25, rel=0.01)
    blurred = F.avg_pool2d(x, 3, 1, 1).requires_grad_()
    loss = blur_guard(band_energies(blurred), reference)
    loss.backward()
    assert float(loss.detach()) > 0.1
    assert blurred.grad is not None
    with torch.no_grad():  # downhill is sharper
        assert float(blur_guard(band_energies(blurred - 1e-1 * blurred.grad), reference)) < float(loss.detach())
