"""Films that lie as pictures, in and out: every picture once, exact, damage concealed, nothing half-written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import ClipMaker
from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.frame import FrameBatch
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.image_sequence import probe_image_sequence
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.mux.mux import mux
from vidstyle.media.output.codecs import check_codec, default_codec
from vidstyle.media.output.containers import container_format
from vidstyle.media.output.writer import EncodeSettings, VideoWriter
from vidstyle.media.paths import find_images

Frames = NDArray[np.uint8]


def noise(count: int, channels: int = 3, seed: int = 0) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, (count, 20, 26, channels), dtype=np.uint8)


def save(folder: Path, frames: Frames, first: int = 0) -> VideoInfo:
    folder.mkdir(exist_ok=True)
    for i, frame in enumerate(frames, first):
        Image.fromarray(frame).save(folder / f"{i:03d}.png")
    return describe(folder / "%03d.png")


def describe(path: Path, rate: Fraction | None = None) -> VideoInfo:
    return probe_image_sequence(path, find_images(path), rate=rate)


def data(info: VideoInfo, report: ReadReport | None = None, **bounds: int) -> Frames:
    frames = list(read_frames(info, report=report, max_errors=1.0, **bounds))  # type: ignore[arg-type]
    return np.stack([f.data for f in frames])


def test_pictures_in(tmp_path: Path) -> None:
    frames = noise(7)
    save(tmp_path / "in", frames)
    info = describe(tmp_path / "in" / "%03d.png", Fraction(30000, 1001))
    assert (info.width, info.height, info.frames, info.has_alpha, info.warnings) == (26, 20, 7, False, ())
    np.testing.assert_array_equal(data(info), frames)
    np.testing.assert_array_equal(data(info, start=3, stop=5), frames[3:5])
    batch = FrameBatch.of(read_frames(info))
    assert batch.pts.tolist() == list(range(7))
    assert batch.time_base == Fraction(1001, 30000)


def test_missing_numbers_are_said(tmp_path: Path) -> None:
    info = save(tmp_path / "in", noise(6), first=5)
    assert info.warnings == ()
    (tmp_path / "in" / "007.png").unlink()
    info = describe(tmp_path / "in" / "%03d.png")
    assert "1 numbers between 5 and 10 are missing" in info.warnings[0]
    np.testing.assert_array_equal(data(info), noise(6)[[0, 1, 3, 4, 5]])


def test_alpha(tmp_path: Path) -> None:
    frames = noise(2, 4)
    info = save(tmp_path / "in", frames)
    assert info.has_alpha
    batch = FrameBatch.of(read_frames(info))
    np.testing.assert_array_equal(batch.data, frames[..., :3])
    np.testing.assert_array_equal(batch.alpha, frames[..., 3])


@pytest.mark.parametrize("bounds", [{}, {"start": 0, "stop": 6}, {"start": 2}, {"start": 3}])
def test_damage_is_concealed(tmp_path: Path, bounds: dict[str, int]) -> None:
    frames = noise(6)
    info = save(tmp_path / "in", frames)
    for n in (2, 3):
        path = tmp_path / "in" / f"{n:03d}.png"
        path.write_bytes(path.read_bytes()[:200])
    report = ReadReport()
    first = bounds.get("start", 0)
    np.testing.assert_array_equal(data(info, report, **bounds), frames[[0, 1, 1, 1, 4, 5]][first:])
    assert report.concealed == report.decode_errors == 4 - max(2, first)


def test_a_picture_that_vanishes_is_no_damage(tmp_path: Path) -> None:
    info = save(tmp_path / "in", noise(4))
    (tmp_path / "in" / "002.png").unlink()
    with pytest.raises(InputError, match=r"002\.png: no such file"):
        data(info)


def segments(folder: Path, frames: Frames, parts: int) -> list[Path]:
    paths = []
    for n, group in enumerate(np.array_split(frames, parts)):
        path = folder / f"{n}.part"
        settings = EncodeSettings(codec="png", alpha=frames.shape[-1] == 4)
        with VideoWriter(path, width=26, height=20, time_base=Fraction(1, 25), settings=settings) as writer:
            alpha = group[..., 3] if settings.alpha else None
            pts = np.arange(len(group), dtype=np.int64) + 10 * n
            for frame in FrameBatch(group[..., :3], pts, np.ones_like(pts), Fraction(1, 25), alpha):
                writer.write(frame)
        paths.append(path)
    return paths


@pytest.mark.parametrize("channels", [3, 4])
def test_pictures_out(tmp_path: Path, make_clip: ClipMaker, channels: int) -> None:
    frames = noise(7, channels)
    out = tmp_path / "out"
    out.mkdir()
    (out / "f-0009.png").write_bytes(b"of a longer film")
    (out / "f-9.png").write_bytes(b"another name")
    info = probe(make_clip(sound="aac"))
    warnings = mux(segments(tmp_path, frames, 3), info, out / "f-%04d.png")
    assert len(warnings) == 1
    assert "pictures cannot hold audio stream #1" in warnings[0]
    assert sorted(p.name for p in out.iterdir()) == sorted([*(f"f-{n:04d}.png" for n in range(1, 8)), "f-9.png"])
    for n in range(7):
        with Image.open(out / f"f-{n + 1:04d}.png") as image:
            np.testing.assert_array_equal(np.asarray(image), frames[n])
    assert (out / "f-0001.png").stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_jpegs_out(tmp_path: Path, make_clip: ClipMaker) -> None:
    frames = np.broadcast_to(np.array([200, 90, 30], np.uint8), (3, 20, 26, 3))
    info = probe(make_clip())
    assert mux(segments(tmp_path, frames.copy(), 2), info, tmp_path / "%d.jpg") == []
    with Image.open(tmp_path / "3.jpg") as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image).astype(int) - frames[2]).max() <= 3


def test_failure_leaves_nothing(tmp_path: Path, make_clip: ClipMaker) -> None:
    parts = segments(tmp_path, noise(4), 2)
    parts[1].write_bytes(b"")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError):
        mux(parts, probe(make_clip()), out / "%d.png")
    assert list(out.iterdir()) == []
    with pytest.raises(InputError, match="does not exist"):
        mux(parts[:1], probe(make_clip()), tmp_path / "nowhere" / "%d.png")


def test_codecs_of_pictures() -> None:
    assert container_format(Path("out/%06d.jpg")) == "image2"
    assert default_codec(Path("%06d.png"), alpha=True) == "png"
    with pytest.raises(UsageError, match=r"number the film's as art-%06d\.png"):
        container_format(Path("art.png"))
    with pytest.raises(UsageError, match="cannot hold h264; use --codec png"):
        check_codec("h264", Path("out/%06d.png"))
