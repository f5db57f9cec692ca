"""Tags, chapters, subtitles, pictures and fonts, whole and cut."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import AttachmentStream, Disposition

from tests.conftest import ClipMaker
from tests.media.conftest import Films
from vidstyle.core.provenance import STATEMENT
from vidstyle.media.input.probe import probe
from vidstyle.media.mux.mux import mux
from vidstyle.media.output.spec import OutputSpec


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
        sounds[0].disposition, sounds[1].disposition = Disposition.default, Disposition.original
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
            "attachments": [(s.name, s.data) for s in container.streams if isinstance(s, AttachmentStream)],
            "covers": [s.codec_context.name for s in container.streams.video if int(s.disposition) & 1024],
        }


@pytest.mark.parametrize(
    ("source", "suffix"),
    [("a.mkv", ".mkv"), ("a.mp4", ".mp4"), ("a.mkv", ".mp4"), ("a.mp4", ".mkv"), ("a.mov", ".mov")],
)
def test_tags_chapters_languages_dispositions(films: type[Films], tmp_path: Path, source: str, suffix: str) -> None:
    path, output = tmp_path / source, tmp_path / f"out{suffix}"
    rich_clip(path)
    _, warnings = films.copy(path, output, tmp_path)
    before, after = describe(path), describe(output)
    for tag, value in (("title", "A film"), ("artist", "Someone"), ("comment", f"kept\n{STATEMENT}")):
        assert after["tags"][tag] == value
    assert after["chapters"] == before["chapters"]
    assert [c[2] for c in after["chapters"]] == ["one", "two"]
    assert [language for language, _ in after["sounds"]] == ["eng", "ger"]
    if suffix == ".mkv":  # mp4 and mov know no more than which stream is the default
        assert after["sounds"] == before["sounds"]
    assert after["sounds"][0][1] == 1
    assert after["languages"][0] == "fra"
    assert after["covers"] == before["covers"]
    assert sorted(p for _, p in films.packets(path, "audio")) == sorted(p for _, p in films.packets(output, "audio"))
    if suffix == ".mkv":
        assert after["attachments"] == before["attachments"]
        assert warnings == []
    elif path.suffix == ".mkv":
        assert len(warnings) == 1
        assert "attachment stream" in warnings[0]
        assert "left out" in warnings[0]


def test_cover_art_survives_mkv_to_mp4_to_mkv(films: type[Films], tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    rich_clip(path)
    for suffix in (".mp4", ".mkv"):
        output = tmp_path / f"then{suffix}"
        films.copy(path, output, tmp_path)
        with av.open(str(output)) as container:
            (cover,) = [s for s in container.streams.video if int(s.disposition) & 1024]
            assert next(bytes(p) for p in container.demux(cover) if p.size) == PNG
        assert len(films.times(output)) == 20
        path = output


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


def test_subtitles_are_copied_where_they_fit(films: type[Films], tmp_path: Path) -> None:
    source = tmp_path / "subtitled.mkv"
    lines = [f"line {i}".encode() for i in range(5)]
    with_subtitles(source, "subrip", lines)
    films.copy(source, tmp_path / "out.mkv", tmp_path)
    assert films.packets(tmp_path / "out.mkv", "subtitle") == [(Fraction(i, 10), t) for i, t in enumerate(lines)]


def test_cut_shifts_everything_alike(films: type[Films], tmp_path: Path) -> None:
    source, output = tmp_path / "a.mkv", tmp_path / "out.mkv"
    rich_clip(source)
    info = probe(source)
    parts, times = films.encode(info, tmp_path, [200, 600])
    mux(parts, info, output, OutputSpec.like(info, start=200, stop=600))
    assert films.times(output) == [t - Fraction(1, 5) for t in times]
    assert films.times(output)[0] == 0
    kept = [(t - Fraction(1, 5), p) for t, p in films.packets(source, "audio") if Fraction(1, 5) <= t < Fraction(3, 5)]
    assert sorted(films.packets(output, "audio")) == sorted(kept)
    assert describe(output)["chapters"] == [(0, Fraction(1, 5), "one"), (Fraction(1, 5), Fraction(2, 5), "two")]


def test_cut_shifts_sound_that_is_encoded_anew(films: type[Films], make_clip: ClipMaker, tmp_path: Path) -> None:
    info = probe(make_clip("a.mp4", frames=50, sound="aac"))
    middle = round(1 / info.time_base)
    parts, _ = films.encode(info, tmp_path, [middle, None], "vp9")
    mux(parts, info, tmp_path / "out.webm", OutputSpec.like(info, start=middle))
    first = {kind: films.packets(tmp_path / "out.webm", kind)[0][0] for kind in ("video", "audio")}
    assert first["video"] == 0
    assert abs(first["audio"]) < Fraction(1, 20)


def test_the_same_film_gives_the_same_bytes(films: type[Films], tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    rich_clip(source)
    for suffix in (".mp4", ".mkv"):
        info = probe(source)
        parts, _ = films.encode(info, tmp_path, films.thirds(info))
        for name in "xy":
            mux(parts, info, tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"x{suffix}").read_bytes() == (tmp_path / f"y{suffix}").read_bytes()
