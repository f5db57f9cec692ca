"""Subtitles from any container to any: words, marks and times stay; what cannot be kept is named."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from tests.media.conftest import Films
from vidstyle.media.input.probe import probe
from vidstyle.media.mux.mux import mux
from vidstyle.media.output.spec import OutputSpec

TITLES = [(120, 700, "Guten Tag, Ä & so on"), (1000, 400, r"two\Nlines"), (1500, 300, r"{\i1}slanted{\i0} and not")]
HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,0,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def film_with(path: Path, codec: str) -> Path:
    """Two seconds of film with German subtitles of a kind."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        titles = container.add_stream(codec)
        context = titles.codec_context
        assert isinstance(context, SubtitleCodecContext)
        titles.time_base = context.time_base = Fraction(1, 1000)
        titles.metadata["language"] = "ger"
        context.subtitle_header = HEADER
        context.open()
        container.start_encoding()
        for n, (start, length, text) in enumerate(TITLES):
            packet = context.encode_subtitle(SubtitleSet.create(f"{n},0,Default,,0,0,0,,{text}".encode(), 0, length))
            packet.pts = packet.dts = start
            packet.duration, packet.time_base, packet.stream = length, Fraction(1, 1000), titles
            container.mux_one(packet)
        for i in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def titles_of(path: Path) -> tuple[str, str | None, list[tuple[int, int, str]]]:
    """Codec, language, and (start ms, length ms, text) of each title."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        context = stream.codec_context
        assert isinstance(context, SubtitleCodecContext)
        found = []
        for packet in container.demux(stream):
            shown = context.decode2(packet) if packet.size else None
            for rect in shown.rects if shown else ():
                assert isinstance(rect, AssSubtitle)
                text = rect.ass.split(b",", 8)[8].decode().replace(r"{\r}", r"{\i0}")
                assert packet.pts is not None
                ms = packet.time_base * 1000
                found.append((round(packet.pts * ms), round((packet.duration or 0) * ms), text))
        return context.codec.canonical_name, stream.language, found


@pytest.mark.parametrize(
    ("source", "codec", "suffix", "kept"),
    [
        ("a.mkv", "srt", ".mkv", "subrip"),
        ("a.mkv", "srt", ".mp4", "mov_text"),
        ("a.mkv", "srt", ".mov", "mov_text"),
        ("a.mkv", "ass", ".mp4", "mov_text"),
        ("a.mkv", "ass", ".mkv", "ass"),
        ("a.mp4", "mov_text", ".mkv", "subrip"),
        ("a.mp4", "mov_text", ".mp4", "mov_text"),
        ("a.mov", "mov_text", ".mkv", "subrip"),
        ("a.webm", "webvtt", ".mp4", "mov_text"),
        ("a.webm", "webvtt", ".webm", "webvtt"),
        ("a.mkv", "srt", ".webm", "webvtt"),
    ],
)
def test_from_any_to_any(films: type[Films], tmp_path: Path, source: str, codec: str, suffix: str, kept: str) -> None:
    path, output = film_with(tmp_path / source, codec), tmp_path / f"out{suffix}"
    _, warnings = films.copy(path, output, tmp_path)
    name, language, titles = titles_of(output)
    assert (name, language) == (kept, "ger")
    before = titles_of(path)
    marks = r"\{[^}]*\}" if "webvtt" in (name, before[0]) else "(?!)"  # what FFmpeg's WebVTT makes of marks differs
    assert [(a, b, re.sub(marks, "", text)) for a, b, text in titles] == [
        (a, b, re.sub(marks, "", text)) for a, b, text in TITLES
    ]
    if name == before[0]:
        assert warnings == []
        assert films.packets(output, "subtitle") == films.packets(path, "subtitle")
    else:
        assert len(warnings) == 1
        assert f"subtitle stream #1 ({before[0]}, ger" in warnings[0]
        assert "is written anew as" in warnings[0]


def test_gif_says_what_it_leaves_out(films: type[Films], tmp_path: Path) -> None:
    _, warnings = films.copy(film_with(tmp_path / "a.mkv", "srt"), tmp_path / "out.gif", tmp_path)
    assert warnings == [".gif cannot hold subtitle stream #1 (subrip, ger); it is left out."]


def test_a_cut_shifts_titles(films: type[Films], tmp_path: Path) -> None:
    path, output = film_with(tmp_path / "a.mkv", "srt"), tmp_path / "out.mp4"
    info = probe(path)
    parts, _ = films.encode(info, tmp_path, [1000, 1600])
    mux(parts, info, output, OutputSpec.like(info, start=1000, stop=1600))
    assert titles_of(output)[2] == [(0, 400, r"two\Nlines"), (500, 300, r"{\i1}slanted{\i0} and not")]


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_pictures_of_words_are_left_out_by_name(films: type[Films], tmp_path: Path, suffix: str) -> None:
    path, output = tmp_path / "a.mkv", tmp_path / f"out{suffix}"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        titles = container.add_mux_stream("hdmv_pgs_subtitle")
        titles.time_base = Fraction(1, 1000)
        container.start_encoding()
        for i in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        packet = av.Packet(b"\x80\x00\x00")
        packet.pts = packet.dts = 40
        packet.time_base, packet.stream = Fraction(1, 1000), titles
        container.mux_one(packet)
    _, warnings = films.copy(path, output, tmp_path)
    assert warnings == [f"{output}: subtitle stream #1 (hdmv_pgs_subtitle) is left out: {suffix} cannot hold it."]
