"""Marks that people miss: crops, spheres, captions, Dolby Vision; palettes, fields and sizes that change in mid-film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.boxes import clean_aperture, cropped_left, dolby_vision, in_sample_entry
from tests.helpers.captions import with_captions
from tests.helpers.recordings import record
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.output.codecs import default_codec


def edged(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Blue, with 16 red columns on the left."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = 200
    image[:, :16] = (200, 0, 0)
    return image


def is_blue(image: NDArray[np.uint8]) -> bool:
    return bool((image[..., 2] > 150).all() and (image[..., :2] < 60).all())


def test_matroskas_crop_is_applied_and_said(make_clip: Any) -> None:
    path = make_clip("a.mkv", width=96, height=64, codec="ffv1", pix_fmt="bgr0", draw=edged)
    path.write_bytes(cropped_left(path.read_bytes(), 16))
    info = probe(path)
    assert (info.width, info.height, info.crop) == (80, 64, (0, 0, 16, 0))
    assert len(info.warnings) == 1
    assert "crops the picture to 80x64" in info.warnings[0]
    frames = list(read_frames(info))
    assert len(frames) == 10
    assert all(f.data.shape == (64, 80, 3) and is_blue(f.data) for f in frames)


def test_the_clean_aperture_of_a_turned_film_is_applied(tmp_path: Path) -> None:
    path = tmp_path / "turned.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "1"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.set_display_rotation(90)
        image = np.full((64, 96, 3), (200, 0, 0), np.uint8)
        image[8:-8, 16:-16] = (0, 0, 200)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    path.write_bytes(in_sample_entry(path.read_bytes(), clean_aperture(60, 44)))
    info = probe(path)
    assert (info.width, info.height, info.rotation) == (44, 60, 270)
    assert info.crop == (10, 10, 18, 18)
    (frame,) = read_frames(info)
    assert is_blue(frame.data)


@pytest.mark.parametrize(("profile", "warned"), [(5, True), (8, False)])
def test_dolby_vision_whose_colours_cannot_be_right(make_clip: Any, profile: int, warned: bool) -> None:
    path = make_clip("a.mp4", codec="libx265", options={"x265-params": "log-level=error"})
    path.write_bytes(in_sample_entry(path.read_bytes(), dolby_vision(profile)))
    assert any("Dolby Vision of profile 5" in w for w in probe(path).warnings) == warned


def test_captions_are_said_once(make_clip: Any, tmp_path: Path) -> None:
    raw = make_clip("a.h264")
    plain, report = tmp_path / "plain.h264", ReadReport()
    plain.write_bytes(raw.read_bytes())
    raw.write_bytes(with_captions(raw.read_bytes()))
    assert len(list(read_frames(probe(raw), report=report))) == 10
    assert len([w for w in report.warnings if "closed captions" in w]) == 1
    report = ReadReport()
    assert len(list(read_frames(probe(plain), report=report))) == 10
    assert not any("closed captions" in w for w in report.warnings)


def palette_film(path: Path, *, clear: bool) -> Path:
    """Raw pictures of palette indices in AVI, whose palette lies in the header."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo" if path.suffix == ".avi" else "png", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "pal8"
        palette = np.zeros((256, 4), np.uint8)  # ARGB
        palette[:, 0] = 255
        palette[:, 1], palette[:, 3] = np.arange(256), 255 - np.arange(256)
        if clear:
            palette[7, 0] = 0
        for i in range(10):
            indices = np.full((48, 64), 20 * i + 30, np.uint8)
            indices[:8] = 7
            frame = av.VideoFrame.from_ndarray((indices, palette), format="pal8")  # type: ignore[arg-type]
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_palette_survives_a_jump_into_the_film(tmp_path: Path) -> None:
    info = probe(palette_film(tmp_path / "old.avi", clear=False))
    assert info.pix_fmt == "pal8"
    assert not info.has_alpha
    assert default_codec(tmp_path / "out.mkv", alpha=info.has_alpha) == "h264"
    whole = list(read_frames(info))
    assert [int(f.data[20, 20, 0]) for f in whole] == [20 * i + 30 for i in range(10)]
    for first in (1, 5, 9):
        part = list(read_frames(info, start=whole[first].pts))
        assert all(np.array_equal(a.data, b.data) for a, b in zip(part, whole[first:], strict=True))


def test_a_palette_with_a_clear_colour_is_transparent(tmp_path: Path) -> None:
    info = probe(palette_film(tmp_path / "clear.mov", clear=True))
    assert info.pix_fmt == "pal8"
    assert info.has_alpha
    frame = next(iter(read_frames(info)))
    assert frame.alpha is not None
    assert (frame.alpha[:8] == 0).all()
    assert (frame.alpha[8:] == 255).all()


def test_a_change_of_size_keeps_proportions(tmp_path: Path) -> None:
    """Landscape, then portrait, then landscape at another scale."""
    path = tmp_path / "a.ts"
    sizes = [(96, 64), (48, 64), (144, 96), (96, 48)]
    path.write_bytes(b"".join(record(tmp_path / "one.ts", frames=5, sound=0, size=s).read_bytes() for s in sizes))
    info, report = probe(path), ReadReport()
    frames = list(read_frames(info, report=report))
    assert len(frames) == 20
    assert all(f.data.shape == (64, 96, 3) for f in frames)

    def lit(n: int) -> tuple[int, int]:
        seen = frames[n].data.max(-1) > 20
        return int(seen.any(0).sum()), int(seen.any(1).sum())

    assert [lit(5 * n + 2) for n in range(4)] == [(96, 64), (48, 64), (96, 64), (96, 48)]
    assert (frames[7].data[:, :24] == 0).all()  # in the middle
    said = [w for w in report.warnings if "size of its frames changes" in w]
    assert len(said) <= 2  # with bars, and without
    assert "black bars" in said[0]
