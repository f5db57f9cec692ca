r"""Colours of one picture given to another: mean and covariance, not only mean and deviation of each channel.

Deviations channel by channel keep a photo's hues: green grass stays green in a picture of reds and blues, for red-green is an
axis like any other. The covariance says along which line of the chroma plane a painting's colours lie, and how they go with
its light and dark.

In opponent colours (l, p), l lightness and p the two chromas, with z = l - E[l]:

.. math:: l' = E[l_s] + \sqrt{S_{ll} / C_{ll}}\, z, \qquad
          p' = E[p_s] + \frac{S_{pl}}{\sqrt{S_{ll} C_{ll}}} z + T \left(p - E[p] - \frac{C_{pl}}{C_{ll}} z\right)

where C and S are the covariances of the picture and of the style, and T takes the covariance A of what is left of the
picture's chroma to that of the style's, B, with the least motion (Monge-Kantorovich; Pitie & Kokaram 2007): the geometric mean
of A^-1 and B, which for two channels is a sum of two matrices. Lightness comes from lightness alone, so light stays light.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vidstyle.models.attention import moment_code
from vidstyle.models.style_code import MomentCode

EPS = 4e-4
"""Added to variances: a deviation of 0.02, below which a film's chroma is noise that must not become colour."""


class Covariance(NamedTuple):
    """Of (l, p, q) over a picture, each (B, 1): the six different entries, EPS on the diagonal."""

    ll: Tensor
    pp: Tensor
    qq: Tensor
    lp: Tensor
    lq: Tensor
    pq: Tensor


def along(colour: Tensor) -> Tensor:
    """(B, 3, H, W) colours (l, p, q) along six directions: l, p, q, l + p, l + q, p + q. Their means and squares are the
    colours' means and covariances, and they are linear in a style's points as every code is."""
    first, p, q = colour.unbind(1)
    return torch.stack([first, p, q, first + p, first + q, p + q], 1)


def colour_code(colour: Tensor) -> MomentCode:
    """The code of a style's colours (B, 3, H, W)."""
    return moment_code(along(colour))


def covariance(code: MomentCode) -> Covariance:
    """Of a code by `colour_code`."""
    _, var = code.moments()
    ll, pp, qq, l_p, l_q, p_q = var.split(1, 1)
    return Covariance(ll + EPS, pp + EPS, qq + EPS, (l_p - ll - pp) / 2, (l_q - ll - qq) / 2, (p_q - pp - qq) / 2)


def recolour(colour: Tensor, code: MomentCode) -> Tensor:
    """A picture's colours with the mean and covariance of a style's, see the module's docstring.

    Args:
        colour: (B, 3, H, W) float32 or wider, in orthogonal opponent colours, lightness first.
        code: of the style, by `colour_code`, batch B or 1; or (B, 6, H, W), from pixel to pixel.

    Returns:
        (B, 3, H, W), float32 or wider whatever autocast says.
    """
    with torch.autocast(colour.device.type, enabled=False):
        matrix, shift = transport(colour_code(colour), code)
        if matrix.dim() == 5:
            return torch.einsum("bochw,bchw->bohw", matrix, colour) + shift
        return torch.einsum("boc,bchw->bohw", matrix, colour) + shift[:, :, None, None]


def transport(own: MomentCode, code: MomentCode) -> tuple[Tensor, Tensor]:
    """Matrix (B, 3, 3) and shift (B, 3) that take colours of one code to those of another; with moments (B, 6, H, W),
    (B, 3, 3, H, W) and (B, 3, H, W)."""
    if code.mean.dim() == 4:
        own = MomentCode(own.mean[:, :, None, None], own.square[:, :, None, None])
    c, s = covariance(own), covariance(code)
    pp, pq, qq = _rest(c)
    a = (pp * qq - pq * pq).clamp_min(EPS * EPS).sqrt()
    spp, spq, sqq = _rest(s)
    b = (spp * sqq - spq * spq).clamp_min(EPS * EPS).sqrt()
    # The geometric mean of A^-1 and B: adj(A) / a + B / b, scaled to determinant b / a.
    upp, upq, uqq = qq / a + spp / b, spq / b - pq / a, pp / a + sqq / b
    scale = (b / (a * (upp * uqq - upq * upq).clamp_min(1e-6))).sqrt()
    tpp, tpq, tqq = scale * upp, scale * upq, scale * uqq
    light = (s.ll / c.ll).sqrt()
    to_p = s.lp / (s.ll * c.ll).sqrt() - (tpp * c.lp + tpq * c.lq) / c.ll
    to_q = s.lq / (s.ll * c.ll).sqrt() - (tpq * c.lp + tqq * c.lq) / c.ll
    zero = torch.zeros_like(light)
    matrix = torch.stack(
        [torch.cat([light, zero, zero], 1), torch.cat([to_p, tpp, tpq], 1), torch.cat([to_q, tpq, tqq], 1)], 1
    )
    return matrix, code.mean[:, :3] - torch.einsum("boc...,bc...->bo...", matrix, own.mean[:, :3])


def _rest(c: Covariance) -> tuple[Tensor, Tensor, Tensor]:
    """Covariance (pp, pq, qq) of the chroma that lightness does not explain."""
    return c.pp - c.lp * c.lp / c.ll, c.pq - c.lp * c.lq / c.ll, c.qq - c.lq * c.lq / c.ll
