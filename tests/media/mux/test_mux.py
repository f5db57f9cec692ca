"""Times, sound and colour of joined films, in every container."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.conftest import ClipMaker
from tests.media.conftest import Films
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.mux.mux import mux
from vidstyle.media.output.codecs import CODECS
from vidstyle.media.output.spec import OutputSpec
from vidstyle.media.output.writer import EncodeSettings, VideoWriter


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("sound", "source"), [("aac", "a.mp4"), ("libmp3lame", "a.mkv"), ("ac3", "a.ts"), ("aac", "a.mkv")]
)
def test_frames_times_and_sound_survive(
    films: type[Films],
    make_clip: ClipMaker,
    tmp_path: Path,
    suffix: str,
    sound: str,
    source: str,
) -> None:
    path = make_clip(source, frames=40, rate=Fraction(30000, 1001), sound=sound)
    output = tmp_path / f"out{suffix}"
    times, warnings = films.copy(path, output, tmp_path)
    assert warnings == []
    got = films.times(output)
    tolerance = Fraction(1, 2000) if suffix == ".mkv" else 0
    assert len(got) == 40
    assert max(abs(a - b) for a, b in zip(got, times, strict=True)) <= tolerance
    before, after = films.packets(path, "audio"), films.packets(output, "audio")
    assert len(before) > 20
    assert [p for _, p in before] == [p for _, p in after]
    # The sound's clock is its sampling rate in mp4, a millisecond in mkv: the nearest tick of it.
    start = probe(path).timeline.shifts[0]  # a transport stream's clock begins anywhere
    assert max(abs(a[0] + start - b[0]) for a, b in zip(before, after, strict=True)) <= (
        Fraction(1, 2000) if suffix == ".mkv" else Fraction(1, 88_000)
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_rate_from_a_late_start_with_odd_times(
    films: type[Films], make_clip: ClipMaker, tmp_path: Path, suffix: str
) -> None:
    """A start that no millisecond hits: mp4 keeps it exactly all the same."""
    pts = [900_007, 903_010, 903_011, 912_345, 1_000_001, 1_000_100, 1_003_103, 1_200_000, 1_203_003, 1_203_004]
    path = make_clip("late.nut", pts=pts, time_base=Fraction(1, 90_000), codec="ffv1", pix_fmt="bgr0")
    info = probe(path)
    assert [f.seconds * 90_000 for f in read_frames(info)] == pts
    output = tmp_path / f"out{suffix}"
    films.copy(path, output, tmp_path)
    if suffix == ".mp4":
        assert [t * 90_000 for t in films.times(output)] == pts
    else:
        got = sorted(t for t, _ in films.packets(output, "video"))
        assert max(abs(t - Fraction(p, 90_000)) for t, p in zip(got, pts, strict=True)) <= Fraction(1, 2000)


SUFFIX = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "webm": ".webm", "nut": ".nut"}
HELD = [(n, SUFFIX[c]) for n, choice in CODECS.items() if n not in ("gif", "png") for c in choice.containers]


@pytest.mark.parametrize(("codec", "suffix"), HELD)
def test_every_codec_in_every_container_that_holds_it(
    films: type[Films], make_clip: ClipMaker, tmp_path: Path, codec: str, suffix: str
) -> None:
    info = probe(make_clip("a.mp4", frames=24, rate=Fraction(24000, 1001), sound="libopus"))
    parts, times = films.encode(info, tmp_path, films.thirds(info), codec)
    output = tmp_path / f"out{suffix}"
    mux(parts, info, output, OutputSpec.like(info, tag=CODECS[codec].tag))
    got = films.times(output)
    tolerance = 0 if suffix in (".mp4", ".mov") else Fraction(1, 2000)
    # NUT holds no times before zero: all streams are moved together.
    late = got[0] - times[0] if suffix == ".nut" else 0
    assert max(abs(a - b - late) for a, b in zip(got, times, strict=True)) <= tolerance
    with av.open(str(output)) as container:
        context = container.streams.video[0].codec_context
        assert context.codec.canonical_name == codec
        if codec == "hevc" and suffix in (".mp4", ".mov"):
            assert context.codec_tag == "hvc1"
    colour = probe(output).colour
    assert (colour.matrix, colour.range) == (("rgb", "full") if codec == "ffv1" else ("bt709", "limited"))
    image = np.stack([f.data for f in read_frames(probe(output))])
    source = np.stack([f.data for f in read_frames(info)])
    assert np.abs(image.astype(int) - source).mean() < 4


def test_joined_decoding_times_increase_and_keep_one_depth(
    films: type[Films], make_clip: ClipMaker, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"
    films.copy(make_clip("a.mp4", frames=60), output, tmp_path)
    with av.open(str(output)) as container:
        packets = [(p.pts, p.dts) for p in container.demux(video=0) if p.size]
    pts, dts = zip(*packets, strict=True)
    assert list(dts) == sorted(set(dts))
    assert all(d <= p for p, d in packets)
    shown = sorted(pts)
    depth = next(d for d in range(8) if list(dts[d:]) == shown[: len(shown) - d])
    assert depth <= 3


def offset_clip(path: Path, *, sound_first: bool) -> None:
    """Picture and sound that start 0.72 s apart."""
    late = Fraction(18, 25)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("aac", rate=48000, layout="mono")
        for i in range(25):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * i, np.uint8), format="rgb24")
            frame.time_base = Fraction(1, 100)
            frame.pts = 4 * i + (int(late * 100) if sound_first else 0)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for i in range(40):
            piece = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            piece.sample_rate, piece.time_base = 48000, Fraction(1, 48000)
            piece.pts = 1024 * i + (0 if sound_first else int(late * 48000))
            container.mux(audio.encode(piece))
        container.mux(audio.encode())


@pytest.mark.parametrize("sound_first", [False, True])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_start_offset_of_sound_and_picture_is_kept(
    films: type[Films], tmp_path: Path, suffix: str, sound_first: bool
) -> None:
    source, output = tmp_path / "source.mp4", tmp_path / f"out{suffix}"
    offset_clip(source, sound_first=sound_first)
    films.copy(source, output, tmp_path)
    for kind in ("video", "audio"):
        first = [min(t for t, _ in films.packets(p, kind)) for p in (source, output)]
        assert abs(first[0] - first[1]) <= Fraction(1, 1000)
    assert abs(films.times(output)[0] - (Fraction(18, 25) if sound_first else 0)) <= Fraction(1, 1000)


@pytest.mark.parametrize(
    ("sound", "source", "suffix", "codec"),
    [("aac", "a.mp4", ".webm", "opus"), ("libopus", "a.mkv", ".mov", "aac"), ("pcm_s16le", "a.avi", ".webm", "opus")],
)
def test_sound_that_does_not_fit_is_encoded_anew(
    films: type[Films], make_clip: ClipMaker, tmp_path: Path, sound: str, source: str, suffix: str, codec: str
) -> None:
    video = "mpeg4" if source.endswith("avi") else "libx264"
    path = make_clip(source, frames=25, sound=sound, codec=video)
    output = tmp_path / f"out{suffix}"
    _, warnings = films.copy(path, output, tmp_path)
    assert len(warnings) == 1
    assert "encoded anew" in warnings[0]
    with av.open(str(output)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.codec.canonical_name == codec
        samples = np.concatenate([f.to_ndarray().mean(0) for f in container.decode(audio=0)]).astype(np.float64)
        rate = stream.rate
    seconds = len(samples) / rate
    assert abs(seconds - 1) < 0.06
    spectrum = np.abs(np.fft.rfft(samples[rate // 4 : 3 * rate // 4]))
    assert abs(int(spectrum.argmax()) * 2 - 440) <= 4  # still the same tone


def test_a_gif_has_no_sound_and_keeps_its_times(films: type[Films], make_clip: ClipMaker, tmp_path: Path) -> None:
    pts = [0, 4, 8, 30, 31, 90]
    path = make_clip("a.mp4", pts=pts, time_base=Fraction(1, 50), sound="aac")
    output = tmp_path / "out.gif"
    _, warnings = films.copy(path, output, tmp_path)
    assert len(warnings) == 1
    assert "audio stream #1" in warnings[0]
    assert films.times(output) == [Fraction(p, 50) for p in pts]
    image = next(iter(read_frames(probe(output)))).data
    assert np.abs(image.astype(int) - make_clip.pattern(0, 64, 48)).mean() < 6


def test_a_transparent_gif_stays_transparent(tmp_path: Path) -> None:
    """Hard edges and few colours, as GIFs have them: the same picture comes back."""
    info = replace(probe(_transparent_webm(tmp_path / "source.webm")), has_alpha=True)
    part = tmp_path / "part"
    settings = EncodeSettings(codec="gif", alpha=True)
    frames = list(read_frames(info))
    with VideoWriter(part, width=64, height=48, time_base=info.time_base, settings=settings) as writer:
        for frame in frames:
            writer.write(frame)
    mux([part], info, tmp_path / "out.gif")
    before, after = frames[0], next(iter(read_frames(probe(tmp_path / "out.gif"))))
    assert before.alpha is not None
    assert after.alpha is not None
    seen = before.alpha > 127
    assert 0.2 < seen.mean() < 0.8
    assert np.array_equal(after.alpha > 127, seen)
    assert np.abs(after.data.astype(int) - before.data)[seen].mean() < 4


def _transparent_webm(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=25, options={"lossless": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        for i in range(4):
            rgba = np.zeros((48, 64, 4), np.uint8)
            rgba[4 * i : 4 * i + 30, 10:50] = (200, 120, 40 + 40 * i, 255)
            frame = av.VideoFrame.from_ndarray(rgba, format="rgba")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_pixel_shape_and_rate_reach_the_output(films: type[Films], make_clip: ClipMaker, tmp_path: Path) -> None:
    for suffix in (".mp4", ".mkv"):
        info = replace(probe(make_clip("a.mp4", rate=Fraction(24000, 1001))), sample_aspect_ratio=Fraction(16, 15))
        parts, _ = films.encode(info, tmp_path, [None, None])
        output = tmp_path / f"out{suffix}"
        mux(parts, info, output)
        got = probe(output)
        assert got.sample_aspect_ratio == Fraction(16, 15)
        assert got.average_rate == info.average_rate
        assert (got.colour.matrix, got.colour.range, got.colour.guessed) == ("bt709", "limited", False)
