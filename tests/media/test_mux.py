from __future__ import annotations

import os
import resource
import signal
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.errors import InputError, UsageError
from vidstyle.media.codecs import CODECS, default_codec
from vidstyle.media.mux import mux
from vidstyle.media.probe import VideoInfo, probe
from vidstyle.media.reader import read_chunks
from vidstyle.media.suffix import default_suffix
from vidstyle.media.writer import EncodeSettings, VideoWriter


def encode(
    info: VideoInfo, folder: Path, borders: list[int | None], codec: str = "h264"
) -> tuple[list[Path], list[Fraction]]:
    """Segments between `borders` (ticks), and the times of all frames in seconds."""
    parts, times = [], []
    for n, (start, stop) in enumerate(pairwise(borders)):
        part = folder / f"part{n}"
        chunks = list(read_chunks(info, chunk=8, start=start, stop=stop))
        if not chunks:
            continue
        with VideoWriter(
            part,
            width=info.width,
            height=info.height,
            time_base=info.time_base,
            settings=EncodeSettings(codec=codec),
            sample_aspect_ratio=info.sample_aspect_ratio,
            rate=info.average_rate,
        ) as writer:
            for chunk in chunks:
                writer.write(chunk)
                times += [int(t) * info.time_base for t in chunk.pts]
        parts.append(part)
    return parts, times


def times_of(path: Path) -> list[Fraction]:
    return [int(t) * c.time_base for c in read_chunks(probe(path), chunk=16) for t in c.pts]


def packets_of(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        streams = [s for s in container.streams if s.type == kind]
        if not streams:
            return []
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(streams) if p.size and p.pts is not None]


def thirds(info: VideoInfo) -> list[int | None]:
    pts = [int(t) for c in read_chunks(info, chunk=16) for t in c.pts]
    return [None, pts[len(pts) // 3], pts[2 * len(pts) // 3] - 1, None]


def copy(source: Path, output: Path, folder: Path) -> tuple[list[Fraction], list[str]]:
    info = probe(source)
    parts, times = encode(info, folder, thirds(info), default_codec(output))
    return times, mux(parts, info, output)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("sound", "source"), [("aac", "a.mp4"), ("libmp3lame", "a.mkv"), ("ac3", "a.ts"), ("aac", "a.mkv")]
)
def test_frames_times_and_sound_survive(  # type: ignore[no-untyped-def]
    make_clip, tmp_path: Path, suffix: str, sound: str, source: str
) -> None:
    path = make_clip(source, frames=40, rate=Fraction(30000, 1001), sound=sound)
    output = tmp_path / f"out{suffix}"
    times, warnings = copy(path, output, tmp_path)
    assert warnings == []
    got = times_of(output)
    tolerance = Fraction(1, 2000) if suffix == ".mkv" else 0
    assert len(got) == 40
    assert max(abs(a - b) for a, b in zip(got, times, strict=True)) <= tolerance
    before, after = packets_of(path, "audio"), packets_of(output, "audio")
    assert len(before) > 20
    assert [p for _, p in before] == [p for _, p in after]
    # The sound's clock is its sampling rate in mp4, a millisecond in mkv: the nearest tick of it.
    assert max(abs(a[0] - b[0]) for a, b in zip(before, after, strict=True)) <= (
        Fraction(1, 2000) if suffix == ".mkv" else Fraction(1, 88_000)
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_rate_from_a_late_start_with_odd_times(make_clip, tmp_path: Path, suffix: str) -> None:  # type: ignore[no-untyped-def]
    """A start that no millisecond hits: mp4 keeps it exactly all the same."""
    pts = [900_007, 903_010, 903_011, 912_345, 1_000_001, 1_000_100, 1_003_103, 1_200_000, 1_203_003, 1_203_004]
    path = make_clip("late.nut", pts=pts, time_base=Fraction(1, 90_000), codec="ffv1", pix_fmt="bgr0")
    info = probe(path)
    assert [int(t) * info.time_base * 90_000 for c in read_chunks(info, chunk=4) for t in c.pts] == pts
    output = tmp_path / f"out{suffix}"
    copy(path, output, tmp_path)
    if suffix == ".mp4":
        assert [t * 90_000 for t in times_of(output)] == pts
    else:
        got = sorted(t for t, _ in packets_of(output, "video"))
        assert max(abs(t - Fraction(p, 90_000)) for t, p in zip(got, pts, strict=True)) <= Fraction(1, 2000)


SUFFIX = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "webm": ".webm"}
HELD = [(n, SUFFIX[c]) for n, choice in CODECS.items() if n != "gif" for c in choice.containers]


@pytest.mark.parametrize(("codec", "suffix"), HELD)
def test_every_codec_in_every_container_that_holds_it(make_clip, tmp_path: Path, codec: str, suffix: str) -> None:  # type: ignore[no-untyped-def]
    info = probe(make_clip("a.mp4", frames=24, rate=Fraction(24000, 1001), sound="libopus"))
    parts, times = encode(info, tmp_path, thirds(info), codec)
    output = tmp_path / f"out{suffix}"
    mux(parts, info, output, tag=CODECS[codec].tag)
    got = times_of(output)
    tolerance = 0 if suffix in (".mp4", ".mov") else Fraction(1, 2000)
    assert max(abs(a - b) for a, b in zip(got, times, strict=True)) <= tolerance
    with av.open(str(output)) as container:
        context = container.streams.video[0].codec_context
        assert context.codec.canonical_name == codec
        if codec == "hevc" and suffix != ".mkv":
            assert context.codec_tag == "hvc1"
    colour = probe(output).colour
    assert (colour.matrix, colour.range) == (("rgb", "full") if codec == "ffv1" else ("bt709", "limited"))
    image = np.concatenate([c.data for c in read_chunks(probe(output), chunk=8)])
    source = np.concatenate([c.data for c in read_chunks(info, chunk=8)])
    assert np.abs(image.astype(int) - source).mean() < 4


def test_joined_decoding_times_increase_and_keep_one_depth(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    output = tmp_path / "out.mp4"
    copy(make_clip("a.mp4", frames=60), output, tmp_path)
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
def test_start_offset_of_sound_and_picture_is_kept(tmp_path: Path, suffix: str, sound_first: bool) -> None:
    source, output = tmp_path / "source.mp4", tmp_path / f"out{suffix}"
    offset_clip(source, sound_first=sound_first)
    copy(source, output, tmp_path)
    for kind in ("video", "audio"):
        first = [min(t for t, _ in packets_of(p, kind)) for p in (source, output)]
        assert abs(first[0] - first[1]) <= Fraction(1, 1000)
    assert abs(times_of(output)[0] - (Fraction(18, 25) if sound_first else 0)) <= Fraction(1, 1000)


def rich_clip(path: Path) -> None:
    """Two sounds with languages, subtitles, chapters, tags, and in mkv a font and a cover."""
    with av.open(str(path), "w") as container:
        container.metadata.update({"title": "A film", "artist": "Someone", "comment": "kept"})
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.metadata["language"] = "fra"
        sounds = [container.add_stream("aac", rate=48000, layout="mono") for _ in range(2)]
        for sound, language in zip(sounds, ("eng", "ger"), strict=True):
            sound.metadata["language"] = language
        sounds[0].disposition, sounds[1].disposition = 1, 4
        matroska = path.suffix == ".mkv"
        if matroska:
            container.add_attachment("font.ttf", "application/x-truetype-font", b"not really a font" * 9)
            container.add_attachment("cover.png", "image/png", PNG)
        container.set_chapters(
            [
                {
                    "id": n,
                    "start": 400 * n,
                    "end": 400 * n + 400,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": t},
                }
                for n, t in enumerate(("one", "two"))
            ]
        )
        for i in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for n, sound in enumerate(sounds):
            for i in range(30):
                wave = np.random.default_rng(100 * n + i).normal(0, 0.1, (1, 1024)).astype(np.float32)
                piece = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                piece.sample_rate, piece.time_base, piece.pts = 48000, Fraction(1, 48000), 1024 * i
                container.mux(sound.encode(piece))
            container.mux(sound.encode())


def _png() -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 60)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = _png()


def describe(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as container:
        return {
            "tags": {k.lower(): v for k, v in container.metadata.items()},
            "chapters": [
                (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title"))
                for c in container.chapters()
            ],
            "sounds": [(s.language, int(s.disposition)) for s in container.streams.audio],
            "languages": [s.language for s in container.streams.video],
            "attachments": [(s.name, s.data) for s in container.streams if s.type == "attachment"],
            "covers": [s.codec_context.name for s in container.streams.video if int(s.disposition) & 1024],
        }


@pytest.mark.parametrize(
    ("source", "suffix"),
    [("a.mkv", ".mkv"), ("a.mp4", ".mp4"), ("a.mkv", ".mp4"), ("a.mp4", ".mkv"), ("a.mov", ".mov")],
)
def test_tags_chapters_languages_dispositions(tmp_path: Path, source: str, suffix: str) -> None:
    path, output = tmp_path / source, tmp_path / f"out{suffix}"
    rich_clip(path)
    _, warnings = copy(path, output, tmp_path)
    before, after = describe(path), describe(output)
    for tag, value in (("title", "A film"), ("artist", "Someone"), ("comment", "kept")):
        assert after["tags"][tag] == value
    assert after["chapters"] == before["chapters"]
    assert [c[2] for c in after["chapters"]] == ["one", "two"]
    assert [language for language, _ in after["sounds"]] == ["eng", "ger"]
    if suffix == ".mkv":  # mp4 and mov know no more than which stream is the default
        assert after["sounds"] == before["sounds"]
    assert after["sounds"][0][1] == 1
    assert after["languages"][0] == "fra"
    assert after["covers"] == before["covers"]
    assert sorted(p for _, p in packets_of(path, "audio")) == sorted(p for _, p in packets_of(output, "audio"))
    if suffix == ".mkv":
        assert after["attachments"] == before["attachments"]
        assert warnings == []
    elif path.suffix == ".mkv":
        assert len(warnings) == 1
        assert "attachment stream" in warnings[0]
        assert "left out" in warnings[0]


def with_subtitles(path: Path, codec: str, payloads: list[bytes]) -> None:
    """A film with one subtitle stream of hand-made packets."""
    plain = path.with_name("plain.mkv")
    rich_clip(plain)
    with av.open(str(plain)) as inp, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(inp.streams.video[0])
        subtitle = out.add_mux_stream(codec)
        subtitle.metadata["language"] = "ita"
        for packet in inp.demux(video=0):
            if packet.size:
                packet.stream = video
                out.mux(packet)
        for i, payload in enumerate(payloads):
            text = av.Packet(payload)
            text.stream, text.time_base = subtitle, Fraction(1, 1000)
            text.pts = text.dts = 100 * i
            text.duration = 90
            out.mux(text)


def test_subtitles_are_copied_where_they_fit(tmp_path: Path) -> None:
    source = tmp_path / "subtitled.mkv"
    lines = [f"line {i}".encode() for i in range(5)]
    with_subtitles(source, "subrip", lines)
    copy(source, tmp_path / "out.mkv", tmp_path)
    assert packets_of(tmp_path / "out.mkv", "subtitle") == [(Fraction(i, 10), t) for i, t in enumerate(lines)]
    _, warnings = copy(source, tmp_path / "out.mp4", tmp_path)
    assert len(warnings) == 1
    assert "subtitle stream #1 (subrip, ita)" in warnings[0]
    assert packets_of(tmp_path / "out.mp4", "subtitle") == []


@pytest.mark.parametrize(
    ("sound", "source", "suffix", "codec"),
    [("aac", "a.mp4", ".webm", "opus"), ("libopus", "a.mkv", ".mov", "aac"), ("pcm_s16le", "a.avi", ".webm", "opus")],
)
def test_sound_that_does_not_fit_is_encoded_anew(
    make_clip, tmp_path: Path, sound: str, source: str, suffix: str, codec: str
) -> None:  # type: ignore[no-untyped-def]
    video = "mpeg4" if source.endswith("avi") else "libx264"
    path = make_clip(source, frames=25, sound=sound, codec=video)
    output = tmp_path / f"out{suffix}"
    _, warnings = copy(path, output, tmp_path)
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


def test_a_gif_has_no_sound_and_keeps_its_times(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pts = [0, 4, 8, 30, 31, 90]
    path = make_clip("a.mp4", pts=pts, time_base=Fraction(1, 50), sound="aac")
    output = tmp_path / "out.gif"
    _, warnings = copy(path, output, tmp_path)
    assert len(warnings) == 1
    assert "audio stream #1" in warnings[0]
    assert times_of(output) == [Fraction(p, 50) for p in pts]
    image = next(iter(read_chunks(probe(output), chunk=1))).data[0]
    assert np.abs(image.astype(int) - make_clip.pattern(0, 64, 48)).mean() < 6


def test_a_transparent_gif_stays_transparent(tmp_path: Path) -> None:
    """Hard edges and few colours, as GIFs have them: the same picture comes back."""
    info = replace(probe(_transparent_webm(tmp_path / "source.webm")), has_alpha=True)
    part = tmp_path / "part"
    settings = EncodeSettings(codec="gif", alpha=True)
    chunks = list(read_chunks(info, chunk=4))
    with VideoWriter(part, width=64, height=48, time_base=info.time_base, settings=settings) as writer:
        for chunk in chunks:
            writer.write(chunk)
    mux([part], info, tmp_path / "out.gif")
    before, after = chunks[0], next(iter(read_chunks(probe(tmp_path / "out.gif"), chunk=4)))
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


def test_cut_shifts_everything_alike(tmp_path: Path) -> None:
    source, output = tmp_path / "a.mkv", tmp_path / "out.mkv"
    rich_clip(source)
    info = probe(source)
    parts, times = encode(info, tmp_path, [200, 600])
    mux(parts, info, output, start=200, stop=600)
    assert times_of(output) == [t - Fraction(1, 5) for t in times]
    assert times_of(output)[0] == 0
    kept = [(t - Fraction(1, 5), p) for t, p in packets_of(source, "audio") if Fraction(1, 5) <= t < Fraction(3, 5)]
    assert sorted(packets_of(output, "audio")) == sorted(kept)
    assert describe(output)["chapters"] == [(0, Fraction(1, 5), "one"), (Fraction(1, 5), Fraction(2, 5), "two")]


def test_cut_shifts_sound_that_is_encoded_anew(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    info = probe(make_clip("a.mp4", frames=50, sound="aac"))
    middle = round(1 / info.time_base)
    parts, _ = encode(info, tmp_path, [middle, None], "vp9")
    mux(parts, info, tmp_path / "out.webm", start=middle)
    first = {kind: packets_of(tmp_path / "out.webm", kind)[0][0] for kind in ("video", "audio")}
    assert first["video"] == 0
    assert abs(first["audio"]) < Fraction(1, 20)


def test_the_same_film_gives_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    rich_clip(source)
    for suffix in (".mp4", ".mkv"):
        info = probe(source)
        parts, _ = encode(info, tmp_path, thirds(info))
        for name in "xy":
            mux(parts, info, tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"x{suffix}").read_bytes() == (tmp_path / f"y{suffix}").read_bytes()


def test_mp4_starts_fast(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    copy(make_clip("a.mp4"), tmp_path / "out.mp4", tmp_path)
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_pixel_shape_and_rate_reach_the_output(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for suffix in (".mp4", ".mkv"):
        info = replace(probe(make_clip("a.mp4", rate=Fraction(24000, 1001))), sample_aspect_ratio=Fraction(16, 15))
        parts, _ = encode(info, tmp_path, [None, None])
        output = tmp_path / f"out{suffix}"
        mux(parts, info, output)
        got = probe(output)
        assert got.sample_aspect_ratio == Fraction(16, 15)
        assert got.average_rate == info.average_rate
        assert (got.colour.matrix, got.colour.range, got.colour.guessed) == ("bt709", "limited", False)


def test_private_while_written_then_as_the_umask_says(
    make_clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    import vidstyle.media.mux as module

    info = probe(make_clip("a.mp4", sound="aac"))
    parts, _ = encode(info, tmp_path, [None, None])
    folder = tmp_path / "place"
    folder.mkdir()
    seen: list[tuple[str, int]] = []
    original: Callable[..., Any] = module.StreamCopy.packets

    def spy(self: Any) -> Any:
        seen.extend((p.name, stat.S_IMODE(p.stat().st_mode)) for p in folder.iterdir())
        return original(self)

    monkeypatch.setattr(module.StreamCopy, "packets", spy)
    old = os.umask(0o027)
    try:
        mux(parts, info, folder / "out.mp4")
    finally:
        os.umask(old)
    assert [mode for _, mode in seen] == [0o600]
    assert seen[0][0].startswith(".out.")
    assert [p.name for p in folder.iterdir()] == ["out.mp4"]
    assert stat.S_IMODE((folder / "out.mp4").stat().st_mode) == 0o640


def test_failures_leave_nothing_and_touch_nothing(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    info = probe(make_clip("a.mp4"))
    parts, _ = encode(info, tmp_path, [None, None])
    folder = tmp_path / "place"
    folder.mkdir()
    output = folder / "out.mp4"
    output.write_bytes(b"older film")
    with pytest.raises(InputError, match="no such file"):
        mux([*parts, tmp_path / "gone"], info, output)
    with pytest.raises(InputError, match="no frames were encoded"):
        mux([], info, output)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {"out.mp4": b"older film"}
    with pytest.raises(UsageError, match=r"cannot write \.avi"):
        mux(parts, info, folder / "out.avi")
    with pytest.raises(InputError, match="does not exist; make it first"):
        mux(parts, info, tmp_path / "nowhere" / "out.mp4")


def test_a_full_disk_is_told_and_leaves_nothing(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A limit on file size stands in for the full disk: the same write fails, with another number."""
    noise = lambda i, w, h: np.random.default_rng(i).integers(0, 256, (h, w, 3)).astype(np.uint8)  # noqa: E731
    info = probe(make_clip("a.mp4", frames=12, width=160, height=120, draw=noise))
    parts, _ = encode(info, tmp_path, [None, None])
    folder = tmp_path / "place"
    folder.mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for suffix in (".mp4", ".mkv"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (parts[0].stat().st_size // 2, limits[1]))
            with pytest.raises(InputError, match=r"disk of .*place is full"):
                mux(parts, info, folder / f"out{suffix}")
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert list(folder.iterdir()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_segments_of_different_settings_are_refused(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    info = probe(make_clip("a.mp4"))
    parts = []
    for preset in ("ultrafast", "medium"):
        part = tmp_path / preset
        settings = EncodeSettings(preset=preset)
        with VideoWriter(part, width=64, height=48, time_base=info.time_base, settings=settings) as writer:
            writer.write(next(iter(read_chunks(info, chunk=4))))
        parts.append(part)
    with pytest.raises(InputError, match="different settings"):
        mux(parts, info, tmp_path / "out.mp4")


@pytest.mark.parametrize("name", ["-out.mp4", "ünïcödé 影 %d.mkv", "a:b.mp4"])
def test_odd_output_names(make_clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:  # type: ignore[no-untyped-def]
    info = probe(make_clip("a.mp4"))
    parts, times = encode(info, tmp_path, [None, None])
    monkeypatch.chdir(tmp_path)
    mux(parts, info, Path(name))
    assert len(times_of(tmp_path / name)) == len(times)


def test_several_muxes_at_once(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    info = probe(make_clip("a.mp4", sound="aac"))
    parts, _ = encode(info, tmp_path, [None, None])
    threads = [threading.Thread(target=mux, args=(parts, info, tmp_path / f"out{i}.mp4")) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / f"out{i}.mp4").read_bytes() for i in range(4)}) == 1


@pytest.mark.parametrize(
    ("name", "container", "suffix"),
    [
        ("a.mp4", "mov,mp4,m4a", ".mp4"),
        ("a.MOV", "mov,mp4,m4a", ".mov"),
        ("a.webm", "matroska,webm", ".webm"),
        ("a.avi", "avi", ".mkv"),
        ("a.vob", "mpeg", ".mkv"),
        ("a.ts", "mpegts", ".mkv"),
        ("a.gif", "gif", ".gif"),
        ("a.mp4", "matroska,webm", ".mkv"),
        ("noname", "flv", ".mkv"),
    ],
)
def test_default_suffix(make_clip, name: str, container: str, suffix: str) -> None:  # type: ignore[no-untyped-def]
    info = replace(probe(make_clip("x.mp4", frames=1)), path=Path(name), container=container)
    assert default_suffix(info) == suffix
