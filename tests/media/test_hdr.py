"""Tone mapping against values printed in the standards and equations written out again, one pixel at a time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.imaging.frame import FrameBatch
from vidstyle.media.hdr import eetf, hlg_inverse_oetf, pq_eotf, pq_inverse, to_sdr
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames


@pytest.mark.parametrize(
    ("signal", "luminance"),
    [(0.0, 0.0), (0.508078, 100.0), (0.580689, 203.0), (0.751827, 1000.0), (0.902572, 4000.0), (1.0, 10000.0)],
)
def test_pq_at_known_points(signal: float, luminance: float) -> None:
    """SMPTE ST 2084; 58 % is the reference white of BT.2408."""
    assert float(pq_eotf(np.array(signal))) == pytest.approx(luminance, rel=2e-4, abs=1e-6)
    assert float(pq_inverse(np.array(luminance))) == pytest.approx(signal, abs=2e-5)


@pytest.mark.parametrize(("signal", "light"), [(0.0, 0.0), (0.5, 1 / 12), (0.75, 0.26496), (1.0, 1.0)])
def test_hlg_at_known_points(signal: float, light: float) -> None:
    assert float(hlg_inverse_oetf(np.array(signal))) == pytest.approx(light, abs=1e-4)


def test_tone_curve_of_bt2390() -> None:
    signal = np.linspace(0, 1, 2001)
    got = eetf(signal, peak=1000, target=203)
    top, limit = float(pq_inverse(np.array(1000.0))), float(pq_inverse(np.array(203.0)))
    knee = 1.5 * limit / top - 0.5
    dark = signal < knee * top
    assert np.array_equal(got[dark], np.clip(signal, 0, top)[dark] / top * top)
    assert got[-1] == pytest.approx(limit)
    assert (np.diff(got) >= 0).all()
    assert np.abs(np.diff(got)).max() < 0.0006  # no step at the knee, where slope is one
    assert (got <= signal + 1e-12).all()


def reference(rgb: np.ndarray, transfer: str) -> np.ndarray:
    """float64, by the letter, for one pixel of BT.2020 signal in [0, 1]."""
    if transfer == "pq":
        light = pq_eotf(rgb)
        brightest = float(pq_inverse(light.max()))
        gain = float(pq_eotf(eetf(np.array(brightest), peak=1000, target=203))) / light.max() if light.max() else 1
        linear = light * gain / 203
    else:
        scene = hlg_inverse_oetf(rgb)
        luma = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
        linear = scene * max(luma, 1e-6) ** (1.2 + 0.42 * np.log10(0.203) - 1)
    r, g, b = linear
    linear = np.array(
        [
            1.660491 * r - 0.587641 * g - 0.072850 * b,
            -0.124550 * r + 1.132900 * g - 0.008349 * b,
            -0.018151 * r - 0.100579 * g + 1.118730 * b,
        ]
    )
    return 255 * np.clip(linear, 0, 1) ** (1 / 2.4)


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_pixels_against_the_equations(transfer: str) -> None:
    codes = np.random.default_rng(5).integers(0, 50000 if transfer == "pq" else 65536, (300, 3)).astype(np.uint16)
    got = to_sdr(codes[None], transfer=transfer, wide=True)[0]
    want = np.stack([reference(c / 65535, transfer) for c in codes])
    assert np.abs(got - want).max() <= 1.1


@pytest.mark.parametrize("transfer", ["pq", "hlg", "bt709"])
def test_grey_stays_grey_from_black_to_white(transfer: str) -> None:
    white = {"pq": round(float(pq_inverse(np.array(1000.0))) * 65535), "hlg": 65535, "bt709": 65535}[transfer]
    ramp = np.linspace(0, white, 500).astype(np.uint16)
    got = to_sdr(np.repeat(ramp[None, :, None], 3, axis=2), transfer=transfer, wide=True)[0].astype(int)
    assert (got.max(axis=1) - got.min(axis=1)).max() <= 1
    assert got[0].tolist() == [0, 0, 0]
    assert got[-1].min() >= 254
    assert (np.diff(got[:, 1]) >= 0).all()


def test_sdr_in_bt2020_keeps_its_levels_and_widens_colours() -> None:
    ramp = np.arange(0, 65536, 257, dtype=np.uint16)
    grey = np.repeat(ramp[None, :, None], 3, axis=2)
    assert np.abs(to_sdr(grey, transfer="bt709", wide=True)[0, :, 1].astype(int) - ramp // 257).max() <= 1
    green = np.array([[[30000, 36000, 30000]]], np.uint16)
    out = to_sdr(green, transfer="bt709", wide=True)[0, 0].astype(float)
    assert out[1] / out[0] > 1.2 * 1.05


def test_a_pq_film_is_read_as_sdr(tmp_path: Path) -> None:
    """203 cd/m2 grey, 10 bits, limited range: what the curve gives for it, in every frame."""
    path = tmp_path / "hdr.mkv"
    code = round(64 + 876 * float(pq_inverse(np.array(203.0))))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, 16, 1
        for i in range(3):
            frame = av.VideoFrame(32, 32, "yuv420p10le")
            for plane, level in zip(frame.planes, (code, 512, 512), strict=True):
                plane.update(np.full(plane.buffer_size // 2, level, np.uint16).tobytes())
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    info = probe(path)
    assert info.colour.hdr
    assert any("HDR (PQ)" in w for w in info.warnings)
    batch = FrameBatch.of(read_frames(info))
    want = reference(np.full(3, pq_inverse(np.array(203.0))), "pq")[0]
    assert batch.data.dtype == np.uint8
    assert np.abs(batch.data.astype(float) - want).max() <= 1.5
    assert 150 < want < 240
