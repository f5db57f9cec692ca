"""HDR (PQ, HLG) and wide gamut brought to the SDR BT.709 that models and most screens expect.

Frames are uint16 RGB in the source's own primaries and transfer; what comes out is uint8 RGB for a BT.1886 display
(gamma 2.4) with BT.709 primaries. Equations: SMPTE ST 2084 / ITU-R BT.2100 (transfer functions), ITU-R BT.2390-11
section 5.4.1 (tone curve of PQ), BT.2100 note 5f (system gamma of HLG), BT.2087 (primaries).
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

_SDR_WHITE = 203.0
"""Luminance of SDR white, cd/m2 (ITU-R BT.2408: reference white of HDR)."""
_PQ_PEAK = 1000.0
"""Luminance that PQ films are taken to reach, cd/m2; brighter parts become white."""

_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
# Linear BT.2020 to BT.709 (BT.2407 annex 1).
_TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
_STEPS = 16384


def pq_eotf(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Luminance in cd/m2 of a PQ signal in [0, 1] (ST 2084 equation 4)."""
    p = np.power(np.clip(signal, 0, 1), 1 / _M2)
    return cast("NDArray[np.float64]", 10000 * np.power(np.maximum(p - _C1, 0) / (_C2 - _C3 * p), 1 / _M1))


def pq_inverse(luminance: NDArray[np.float64]) -> NDArray[np.float64]:
    """PQ signal in [0, 1] of a luminance in cd/m2 (ST 2084 equation 5)."""
    y = np.power(np.clip(luminance, 0, 10000) / 10000, _M1)
    return cast("NDArray[np.float64]", np.power((_C1 + _C2 * y) / (1 + _C3 * y), _M2))


def hlg_inverse_oetf(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scene light in [0, 1] of an HLG signal in [0, 1] (BT.2100 table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return cast("NDArray[np.float64]", np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12))


def eetf(signal: NDArray[np.float64], *, peak: float, target: float) -> NDArray[np.float64]:
    """PQ signal after the tone curve of BT.2390: `peak` becomes `target` (cd/m2), dark and middle tones stay."""
    top, limit = (float(pq_inverse(np.array(v))) for v in (peak, target))
    e = np.clip(signal / top, 0, 1)
    highest = limit / top
    knee = 1.5 * highest - 0.5
    t = np.clip((e - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * highest
    return np.where(e < knee, e, spline) * top


def to_sdr(image: NDArray[np.uint16], *, transfer: str, wide: bool) -> NDArray[np.uint8]:
    """(..., 3) uint16 RGB in [0, 65535] as (..., 3) uint8 SDR RGB.

    Args:
        transfer: "pq", "hlg", or any other for a film that is SDR already (only its primaries are converted then).
        wide: the primaries are BT.2020 (else they are taken as BT.709).
    """
    if transfer == "pq":
        linear_of, gain_of = _pq_tables()
        # One gain for the three channels of a pixel, from its brightest one: hues stay.
        linear = linear_of[image] * gain_of[image.max(axis=-1)][..., None]
    elif transfer == "hlg":
        scene = _hlg_table()[image]
        luma = np.maximum(scene @ _BT2020_LUMA, np.float32(1e-6))
        gamma = 1.2 + 0.42 * np.log10(_SDR_WHITE / 1000)
        linear = scene * np.power(luma, np.float32(gamma - 1))[..., None]
    else:
        linear = _gamma_table()[image]
    if wide:
        linear = linear @ _TO_709.T
    # The square root spreads the dark tones over the table as evenly as the gamma does.
    index = np.sqrt(np.clip(linear, 0, 1)) * np.float32(_STEPS - 1) + np.float32(0.5)
    return cast("NDArray[np.uint8]", _encode_table()[index.astype(np.uint16)])


def _signal() -> NDArray[np.float64]:
    return np.arange(65536) / 65535


@lru_cache(maxsize=1)
def _pq_tables() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Light relative to SDR white for each code, and the gain of the tone curve for each code."""
    light = pq_eotf(_signal())
    mapped = pq_eotf(eetf(_signal(), peak=_PQ_PEAK, target=_SDR_WHITE))
    gain = np.divide(mapped, light, out=np.ones_like(light), where=light > 0)
    return (light / _SDR_WHITE).astype(np.float32), gain.astype(np.float32)


@lru_cache(maxsize=1)
def _hlg_table() -> NDArray[np.float32]:
    return hlg_inverse_oetf(_signal()).astype(np.float32)


@lru_cache(maxsize=1)
def _gamma_table() -> NDArray[np.float32]:
    return np.power(_signal(), 2.4).astype(np.float32)


@lru_cache(maxsize=1)
def _encode_table() -> NDArray[np.uint8]:
    linear = (np.arange(_STEPS) / (_STEPS - 1)) ** 2
    return np.round(np.power(linear, 1 / 2.4) * 255).astype(np.uint8)
