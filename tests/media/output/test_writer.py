from __future__ import annotations

import resource
import signal
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.frame import FrameBatch
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.output.codecs import CODECS, check_codec, default_codec, find_codec
from vidstyle.media.output.writer import EncodeSettings, VideoWriter


def batch_of(
    frames: NDArray[np.uint8], pts: list[int], base: Fraction, alpha: NDArray[np.uint8] | None = None
) -> FrameBatch:
    return FrameBatch(frames, np.array(pts, np.int64), np.zeros(len(pts), np.int64), base, alpha)


def smooth(count: int, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """(count, H, W, 3): soft colour waves, nothing that chroma subsampling would blur."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [
        np.stack([128 + 70 * np.sin(x / 19 + i / 5 + k) * np.cos(y / 23 - k) for k in range(3)], -1)
        for i in range(count)
    ]
    return np.clip(np.stack(waves) + 0.5, 0, 255).astype(np.uint8)


def write(path: Path, batch: FrameBatch, settings: EncodeSettings, **more: Any) -> list[str]:
    _, height, width, _ = batch.data.shape
    with VideoWriter(path, width=width, height=height, time_base=batch.time_base, settings=settings, **more) as writer:
        for frame in batch:
            writer.write(frame)
        return writer.warnings


def read_back(path: Path) -> tuple[NDArray[np.uint8], list[Fraction], NDArray[np.uint8] | None]:
    batch = FrameBatch.of(read_frames(probe(path)))
    return batch.data, [frame.seconds for frame in batch], batch.alpha


@pytest.mark.parametrize("base", [Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 12_800), Fraction(1, 1000)])
@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_keeps_every_time_and_the_picture(tmp_path: Path, codec: str, base: Fraction) -> None:
    pts = [5000 + p for p in (0, 3, 40, 41, 1000, 1003, 9000, 9001, 9002, 20_000)]
    frames = smooth(len(pts))
    path = tmp_path / "segment"
    assert write(path, batch_of(frames, pts, base), EncodeSettings(codec=codec)) == []
    data, times, _ = read_back(path)
    assert times == [p * base for p in pts]
    assert cv2.PSNR(data, frames) > 36


@pytest.mark.parametrize("first", [0, -5, -90_000])
def test_times_before_zero(tmp_path: Path, first: int) -> None:
    """Reordered packets decode before the first frame is shown; the first frame itself may lie before zero."""
    from vidstyle.media.mux.concat import Join

    base = Fraction(1, 90_000)
    pts = [first + 3003 * i for i in range(10)]
    path = tmp_path / "segment"
    write(path, batch_of(smooth(10), pts, base), EncodeSettings())
    assert sorted(Join([path], base, rate=None).times.pts.tolist()) == pts


def test_tags_and_defaults(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    aspect = Fraction(16, 15)
    write(path, batch_of(smooth(3), [0, 1, 2], Fraction(1, 25)), EncodeSettings(), sample_aspect_ratio=aspect)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        context = container.streams.video[0].codec_context
        assert (context.codec.canonical_name, context.pix_fmt) == ("h264", "yuv420p")
        assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)
    assert probe(path).sample_aspect_ratio == aspect


def test_crf_default_is_18(tmp_path: Path) -> None:
    batch = batch_of(smooth(6), list(range(6)), Fraction(1, 25))
    sizes = {}
    for crf in (None, 18, 40):
        write(tmp_path / f"{crf}", batch, EncodeSettings(crf=crf))
        sizes[crf] = (tmp_path / f"{crf}").read_bytes()
    assert sizes[None] == sizes[18]
    assert len(sizes[40]) < len(sizes[18])


# Not hevc: x265, as it comes with PyAV, gives other bytes from run to run, also with one thread and without assembly code.
@pytest.mark.parametrize("codec", ["h264", "vp9", "av1", "ffv1"])
def test_same_settings_same_bytes(tmp_path: Path, codec: str) -> None:
    """Whatever lies in memory: a resumed job must give the bytes of an uninterrupted one."""
    batch = batch_of(smooth(12, 64, 64), list(range(12)), Fraction(1, 25))
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(12 if codec == "h264" else 3):
        # Freed memory full of rubbish: what an encoder forgets to initialise is different each time.
        rubbish = [np.full(rng.integers(100, 400_000), rng.integers(256), np.uint8) for _ in range(30)]
        del rubbish
        write(tmp_path / "segment", batch, EncodeSettings(codec=codec, threads=2))
        seen.add((tmp_path / "segment").read_bytes())
    assert len(seen) == 1


def delta_e(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean CIE76 difference: never less than Delta E 2000 for the small differences here."""
    lab = [cv2.cvtColor((x.reshape(-1, x.shape[2], 3) / 255).astype(np.float32), cv2.COLOR_RGB2Lab) for x in (a, b)]
    return float(np.linalg.norm(lab[0] - lab[1], axis=-1).mean())


@pytest.mark.parametrize("range_", ["tv", "pc"])
@pytest.mark.parametrize("matrix", [1, 6, 9])  # BT.709, BT.601, BT.2020 in H.273
def test_no_colour_shift_from_any_matrix_and_range(tmp_path: Path, matrix: int, range_: str) -> None:
    """Read a film of each kind, write it (as BT.709 limited), read it again: the same colours, luma above 45 dB."""
    source = tmp_path / "source.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if range_ == "pc" else 1
        spaces = {1: 1, 6: 5, 9: 9}  # libswscale's numbers for the same matrices
        for image in smooth(4):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=spaces[matrix], dst_color_range=2 if range_ == "pc" else 1
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    info = probe(source)
    assert info.colour.matrix == {1: "bt709", 6: "bt601", 9: "bt2020"}[matrix]
    assert info.colour.range == {"tv": "limited", "pc": "full"}[range_]
    batch = FrameBatch.of(read_frames(info))
    assert delta_e(batch.data, smooth(4)) < 1.5  # libswscale cuts full-range chroma off when this test encodes it
    target = tmp_path / "copy"
    write(target, batch, EncodeSettings(crf=0))
    data, _, _ = read_back(target)
    assert delta_e(data, batch.data) < 1
    luma = [
        0.2126 * x[..., 0] + 0.7152 * x[..., 1] + 0.0722 * x[..., 2]
        for x in (data.astype(float), batch.data.astype(float))
    ]
    assert 10 * np.log10(255**2 / np.mean((luma[0] - luma[1]) ** 2)) > 45


@pytest.mark.parametrize(("width", "height"), [(63, 47), (64, 47), (1, 1), (3, 2)])
def test_odd_sizes_repeat_the_last_row_and_column(tmp_path: Path, width: int, height: int) -> None:
    frames = smooth(2, height, width)
    path = tmp_path / "segment"
    warnings = write(path, batch_of(frames, [0, 1], Fraction(1, 25)), EncodeSettings(crf=0))
    assert len(warnings) == 1
    assert "odd" in warnings[0]
    data, _, _ = read_back(path)
    assert data.shape[1:3] == (height + height % 2, width + width % 2)
    padded = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    assert cv2.PSNR(data, padded) > 38


@pytest.mark.parametrize("codec", ["vp9", "av1", "ffv1"])
def test_codecs_that_can_keep_odd_sizes(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "segment"
    assert write(path, batch_of(smooth(2, 47, 63), [0, 1], Fraction(1, 25)), EncodeSettings(codec=codec)) == []
    assert (probe(path).width, probe(path).height) == (63, 47)


@pytest.mark.parametrize("codec", ["vp9", "prores", "ffv1"])
def test_alpha(tmp_path: Path, codec: str) -> None:
    frames = smooth(3)
    alpha = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8), (3, 48, 64)).copy()
    path = tmp_path / "segment"
    write(path, batch_of(frames, [0, 40, 80], Fraction(1, 1000), alpha), EncodeSettings(codec=codec, alpha=True))
    data, times, got = read_back(path)
    assert got is not None
    assert np.abs(got.astype(int) - alpha).max() <= 12
    assert times == [Fraction(p, 1000) for p in (0, 40, 80)]
    assert cv2.PSNR(data, frames) > 34


def test_ten_bits(tmp_path: Path) -> None:
    """Eight-bit frames, whose way to ten-bit YUV spares them its rounding."""
    levels = np.linspace(0, 255, 64).astype(np.uint8)
    ramp = np.broadcast_to(levels[None, None, :, None], (2, 48, 64, 3)).copy()
    path = tmp_path / "segment"
    write(path, batch_of(ramp, [0, 1], Fraction(1, 25)), EncodeSettings(codec="h264", crf=0, bit_depth=10))
    info = probe(path)
    assert (info.pix_fmt, info.bit_depth) == ("yuv420p10le", 10)
    with av.open(str(path)) as container:
        luma = next(container.decode(video=0)).to_ndarray()[:48]
    want = 64 + levels / 255 * 876
    assert np.abs(luma[20].astype(float) - want).max() <= 3


def test_an_exception_leaves_no_file(tmp_path: Path) -> None:
    writer = VideoWriter(
        tmp_path / "segment", width=64, height=48, time_base=Fraction(1, 25), settings=EncodeSettings()
    )

    def fill() -> None:
        writer.write(batch_of(smooth(1), [0], Fraction(1, 25))[0])
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"), writer:
        fill()
    assert list(tmp_path.iterdir()) == []


def test_wrong_shape_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="64x48"),
        VideoWriter(
            tmp_path / "s", width=64, height=48, time_base=Fraction(1, 25), settings=EncodeSettings()
        ) as writer,
    ):
        writer.write(batch_of(smooth(1, 48, 32), [0], Fraction(1, 25))[0])


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such encoder"):
        find_codec("h999")
    with pytest.raises(UsageError, match="no video encoder"):
        find_codec("aac")
    with pytest.raises(UsageError, match="transparency"):
        EncodeSettings(codec="h264", alpha=True).resolved_pix_fmt()
    with pytest.raises(UsageError, match="10-bit"):
        EncodeSettings(codec="vp9", bit_depth=10).resolved_pix_fmt()
    with pytest.raises(UsageError, match="cannot hold h264; use --codec av1 or vp9"):
        check_codec("h264", tmp_path / "a.webm")
    with pytest.raises(InputError, match="refuses"):
        VideoWriter(
            tmp_path / "s", width=8, height=8, time_base=Fraction(1, 25), settings=EncodeSettings(crf=99, preset="no")
        )
    assert not (tmp_path / "s").exists()
    with pytest.raises(InputError, match="does not exist"):
        VideoWriter(tmp_path / "no" / "s", width=8, height=8, time_base=Fraction(1, 25), settings=EncodeSettings())


@pytest.mark.parametrize(
    ("name", "alpha", "codec"),
    [
        ("a.mp4", False, "h264"),
        ("a.MOV", False, "h264"),
        ("a.mkv", False, "h264"),
        ("a.webm", False, "vp9"),
        ("a.gif", False, "gif"),
        ("a.mov", True, "prores"),
        ("a.mkv", True, "vp9"),
        ("a.mp4", True, "h264"),
    ],
)
def test_default_codecs(name: str, alpha: bool, codec: str) -> None:
    assert default_codec(Path(name), alpha=alpha) == codec


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """A limit on file size stands in for the full disk: the same write fails, with another number."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    noise = np.random.default_rng(0).integers(0, 256, (8, 96, 128, 3)).astype(np.uint8)
    path = tmp_path / "segment"
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
        with pytest.raises(InputError, match=str(path)):
            write(path, batch_of(noise, list(range(8)), Fraction(1, 25)), EncodeSettings(codec="ffv1"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []
