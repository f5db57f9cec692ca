"""What one stream forces is not done to the others, and every sentence is true of the stream that it names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.media.input.probe import probe
from vidstyle.media.input.video_info import StreamInfo
from vidstyle.media.mux.mux import mux
from vidstyle.media.mux.stream_ways import Holder, ways
from vidstyle.media.output.spec import OutputSpec

MP4, MOV, MKV = (
    Holder("mp4", ".mp4", {"aac", "ac3"}),
    Holder("mov", ".mov", {"aac"}),
    Holder("matroska", ".mkv", {"srt"}),
)


def kinds(about: StreamInfo, decoder: str | None, holder: Holder, *, chapters: bool = False) -> list[str]:
    return [w.kind for w in ways(about, decoder, holder, chapters=chapters)]


def test_the_ways_of_each_kind() -> None:
    def stream(type_: str, codec: str, tag: str = "", disposition: int = 0) -> StreamInfo:
        return StreamInfo(1, type_, codec, disposition=disposition, tag=tag)

    assert kinds(stream("audio", "ac3"), "ac3", MP4) == ["copy", "encode", "leave"]
    assert kinds(stream("audio", "vorbis"), "vorbis", MP4) == ["encode", "leave"]
    assert kinds(stream("audio", "unknown"), None, MP4) == ["leave"]
    assert kinds(stream("subtitle", "subrip"), "srt", MP4) == ["text", "leave"]
    assert kinds(stream("subtitle", "subrip"), "srt", MKV) == ["copy", "text", "leave"]
    assert kinds(stream("subtitle", "dvb_subtitle"), "dvbsub", MP4) == ["leave"]
    assert kinds(stream("attachment", "ttf"), None, MKV) == ["attachment", "leave"]
    assert kinds(stream("attachment", "ttf"), None, MP4) == ["leave"]
    assert kinds(stream("video", "png", disposition=1024), "png", MKV) == ["cover", "leave"]
    assert kinds(stream("video", "png", disposition=1024), "png", MP4) == ["copy", "leave"]
    assert kinds(stream("data", "bin_data", "gpmd"), None, MOV) == ["copy", "leave"]
    assert kinds(stream("data", "bin_data", "gpmd"), None, MKV) == ["leave"]
    assert kinds(stream("data", "bin_data", "camm"), None, MOV) == ["leave"]
    assert kinds(stream("data", "none", "mebx"), None, MOV) == ["leave"]


def test_what_is_written_anew_from_elsewhere_needs_no_sentence() -> None:
    code, titles = StreamInfo(1, "data", "none", tag="tmcd"), StreamInfo(1, "data", "bin_data", tag="text")
    assert [w.why for w in ways(code, None, MP4, chapters=False)] == [""]
    assert [w.why for w in ways(titles, None, MP4, chapters=True)] == [""]
    assert [w.why for w in ways(titles, None, MP4, chapters=False)] == [".mp4 cannot hold it"]


def tone(container: Any, codec: str, layout: str) -> Any:
    return container.add_stream(codec, rate=48000, layout=layout)


def samples(stream: Any, first: float, seconds: float) -> list[Any]:
    """Packets of a rising tone of another pitch in each channel, from `first` seconds on."""
    context = stream.codec_context
    channels, size = context.layout.nb_channels, context.frame_size or 1024
    resampler = av.AudioResampler(format=context.format, layout=context.layout.name, rate=48000, frame_size=size)
    found: list[Any] = []
    for start in range(0, round(seconds * 48000), 1024):
        t = np.arange(start, start + 1024) / 48000
        wave = np.stack([0.3 * np.sin(2 * np.pi * 200 * (c + 1) * t) for c in range(channels)]).astype(np.float32)
        packed = np.ascontiguousarray(wave.T.reshape(1, -1))
        piece = av.AudioFrame.from_ndarray(packed, format="flt", layout=context.layout.name)
        piece.sample_rate, piece.pts, piece.time_base = 48000, start + round(first * 48000), Fraction(1, 48000)
        for part in resampler.resample(piece):
            found += stream.encode(part)
    return found + stream.encode(None)


def film(path: Path, add: Any, *, seconds: int = 1, rate: int = 10, metadata: dict[str, str] | None = None) -> Path:
    """A film with the streams that `add(container)` adds; it returns a function that gives their packets."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.metadata.update(metadata or {})
        others = add(container)
        units = []
        for i in range(seconds * rate):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * i % 250, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            units += video.encode(frame)
        units += video.encode(None)
        units += others()
        for unit in sorted(units, key=lambda p: float((p.dts or 0) * p.time_base)):
            container.mux(unit)
    return path


def streams_of(path: Path) -> list[tuple[str, str]]:
    with av.open(str(path)) as container:
        return [
            (s.type, s.codec_context.codec.canonical_name if s.codec_context else s.name or "?")
            for s in container.streams
        ]


def test_only_what_has_to_be_is_encoded_anew(films: Any, tmp_path: Path) -> None:
    """PCM whose loudspeakers have no names, which mp4 refuses, beside AC-3 and SubRip, which have nothing to do with it."""

    def add(container: Any) -> Any:
        hd, ac3 = tone(container, "pcm_s16le", "7.1"), tone(container, "ac3", "stereo")
        text = container.add_mux_stream("subrip")

        def give() -> list[Any]:
            line = av.Packet(b"a line")
            line.stream, line.time_base, line.pts, line.dts, line.duration = text, Fraction(1, 1000), 100, 100, 500
            return [*samples(hd, 0, 1), *samples(ac3, 0, 1), line]

        return give

    path, output = film(tmp_path / "disc.mkv", add), tmp_path / "out.mp4"
    _, warnings = films.copy(path, output, tmp_path)
    assert streams_of(output) == [("video", "h264"), ("audio", "aac"), ("audio", "ac3"), ("subtitle", "mov_text")]
    assert len(warnings) == 2
    assert "#1 (pcm_s16le) is encoded anew as AAC: .mp4" in warnings[0]
    assert "#3 (subrip) is written anew as mov_text" in warnings[1]
    ac3 = [[bytes(p) for p in packets_at(p_, 2)] for p_ in (path, output)]
    assert ac3[0] == ac3[1]
    _, warnings = films.copy(path, tmp_path / "out.mkv", tmp_path)
    assert warnings == []


def packets_at(path: Path, index: int) -> list[Any]:
    with av.open(str(path)) as container:
        return [p for p in container.demux(container.streams[index]) if p.size]


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".mp4"])
def test_packets_shorter_than_a_tick_do_not_drift(films: Any, tmp_path: Path, suffix: str) -> None:
    """1200 packets a second, as TrueHD has them; Matroska's clock ticks 1000 times."""

    def add(container: Any) -> Any:
        sound = tone(container, "pcm_s16le", "stereo")

        def give() -> list[Any]:
            found = []
            for i in range(3600):
                packet = av.Packet(np.full((40, 2), i % 100, np.int16).tobytes())
                packet.stream, packet.time_base, packet.duration = sound, Fraction(1, 48000), 40
                packet.pts = packet.dts = 40 * i
                found.append(packet)
            return found

        return give

    path, output = film(tmp_path / "short.mkv", add, seconds=3), tmp_path / f"out{suffix}"
    films.copy(path, output, tmp_path)
    before, after = packets_at(path, 1), packets_at(output, 1)
    assert len(before) == 3600
    if suffix == ".mkv":  # equal times stay equal; the others take none, and their readers join packets
        assert [a.pts for a in after] == [b.pts for b in before]
    assert float((after[-1].pts + after[-1].duration) * after[-1].time_base) == pytest.approx(3, abs=0.025)


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_the_last_packet_is_heard_where_no_lengths_are_told(films: Any, tmp_path: Path, suffix: str) -> None:
    """ALAC in Matroska, whose packets have no durations."""

    def add(container: Any) -> Any:
        sound = tone(container, "alac", "stereo")
        return lambda: samples(sound, 0, 1)

    path, output = film(tmp_path / "lossless.mkv", add), tmp_path / f"out{suffix}"
    films.copy(path, output, tmp_path)
    assert [bytes(p) for p in packets_at(output, 1)] == [bytes(p) for p in packets_at(path, 1)]


def test_a_track_that_begins_late_is_copied(films: Any, tmp_path: Path) -> None:
    """Later than a demuxer looks for its kind."""

    def add(container: Any) -> Any:
        first, second = tone(container, "ac3", "mono"), tone(container, "mp2", "mono")
        return lambda: samples(first, 0, 12) + samples(second, 9, 3)

    path, output = film(tmp_path / "late.ts", add, seconds=12, rate=2), tmp_path / "out.mkv"
    _, warnings = films.copy(path, output, tmp_path)
    assert warnings == []
    assert [t for t, _ in streams_of(output)] == ["video", "audio", "audio"]
    first = packets_at(output, 2)[0]
    assert float(first.pts * first.time_base) == pytest.approx(9, abs=0.05)


@pytest.mark.parametrize(
    ("layout", "suffix", "kept"),
    [("7.1", ".mp4", 8), ("5.1", ".mp4", 6), ("7.1", ".webm", 8), ("quad", ".mp4", 4), ("mono", ".webm", 1)],
)
def test_loudspeakers_stay_where_sound_is_encoded_anew(
    films: Any, tmp_path: Path, layout: str, suffix: str, kept: int
) -> None:
    """PCM in Matroska does not even say which loudspeakers its channels belong to."""

    def add(container: Any) -> Any:
        sound = tone(container, "pcm_s16le", layout)
        return lambda: samples(sound, 0, 1)

    path, output = film(tmp_path / "surround.mkv", add), tmp_path / f"out{suffix}"
    _, warnings = films.copy(path, output, tmp_path)
    with av.open(str(output)) as container:
        stream = container.streams.audio[0]
        assert stream.channels == kept
        assert "mixed" not in " ".join(warnings)
        # PyAV miscounts the planes of 8 channels and more: one plane for all.
        packed = av.AudioResampler(format="flt", layout=stream.layout.name, rate=48000)
        frames = [p.to_ndarray() for f in container.decode(audio=0) for p in packed.resample(f)]
    waves = np.concatenate(frames, axis=1).reshape(-1, kept).T[:, 12000:36000]
    # Every channel still has its own pitch but the deep one, which loses its highs.
    peaks = [int(np.abs(np.fft.rfft(w)).argmax()) * 2 for w in waves]
    assert len({p for p in peaks if p}) >= kept - 1


def test_a_mix_says_from_what_to_what(films: Any, tmp_path: Path) -> None:
    def add(container: Any) -> Any:
        sound = tone(container, "pcm_s16le", "hexadecagonal")
        return lambda: samples(sound, 0, 1)

    path = film(tmp_path / "many.mkv", add)
    _, warnings = films.copy(path, tmp_path / "out.mp4", tmp_path)
    assert len(warnings) == 1
    assert "encoded anew as AAC and mixed from 16 channels to stereo" in warnings[0]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_time_code_is_kept_without_a_word(films: Any, tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path / "code.mov", lambda _: lambda: [], rate=25, metadata={"timecode": "11:07:15:07"})
    assert ("data", "?") in streams_of(path)
    output = tmp_path / f"out{suffix}"
    _, warnings = films.copy(path, output, tmp_path)
    assert warnings == []
    with av.open(str(output)) as container:
        assert container.streams.video[0].metadata["timecode"] == "11:07:15:07"
        assert len(container.streams) == 2
    info = probe(path)
    start = round(Fraction(20, 25) / info.time_base)
    parts, _ = films.encode(info, tmp_path, [start, None])
    mux(parts, info, output, OutputSpec.like(info, start=start))
    with av.open(str(output)) as container:
        assert container.streams.video[0].metadata["timecode"] == "11:07:16:02"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_telemetry_is_copied_where_it_can_be(films: Any, tmp_path: Path, suffix: str) -> None:
    path, output = tmp_path / "action.mp4", tmp_path / f"out{suffix}"
    payloads = [b"DEVC" + bytes([i]) * 60 for i in range(3)]

    def add(container: Any) -> Any:
        data = container.add_data_stream("bin_data")

        def give() -> list[Any]:
            found = []
            for i, payload in enumerate(payloads):
                packet = av.Packet(payload)
                packet.stream, packet.time_base, packet.pts, packet.dts = data, Fraction(1, 1000), 300 * i, 300 * i
                packet.duration = 300
                found.append(packet)
            return found

        return give

    film(path, add)
    _, warnings = films.copy(path, output, tmp_path)
    if suffix == ".mkv":
        assert len(warnings) == 1
        assert "data stream #1 (gpmd" in warnings[0]
        assert "left out: .mkv cannot hold it" in warnings[0]
    else:
        assert warnings == []
        assert [bytes(p) for p in packets_at(output, 1)] == payloads
