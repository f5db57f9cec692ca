"""Sound and subtitles encoded anew, for containers that cannot hold them as they are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import av.container
import av.error
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# What decoders call otherwise, but means the same loudspeakers to encoders.
_SAME = {"5.0(side)": "5.0", "5.1(side)": "5.1", "quad(side)": "quad"}


class SoundEncoder:
    """Decodes packets of `source` and encodes them with `encoder` ("aac" or "libopus") into a new stream of `output`.

    The first sample keeps its time; sampling rate is kept where the encoder has it, else 48 kHz. Loudspeakers are kept where
    the encoder knows them (those of up to 8 channels without names are taken as the usual ones), else they become stereo.
    Damaged packets are left out.

    Attributes: `layout` is what the new stream has, `decoded` and `damaged` count packets.
    """

    def __init__(self, source: av.AudioStream, output: av.container.OutputContainer, encoder: str) -> None:
        self._source = source
        self.decoded = self.damaged = 0
        known = av.Codec(encoder, "w").audio_rates or []
        rate = source.rate if source.rate in known else 48000
        self.layout = _layout(source, encoder, rate)
        stream = output.add_stream(encoder, rate=rate, layout=self.layout)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = _bit_rate(self.layout)
        self.stream = stream
        stream.codec_context.open()
        self._resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout=self.layout,
            rate=rate,
            frame_size=stream.codec_context.frame_size,
        )

    def encode(self, packet: av.Packet[Any]) -> list[av.Packet[Any]]:
        """Packets that are ready once `packet` has been decoded."""
        try:
            frames = self._source.decode(packet)
        except av.error.FFmpegError:
            self.damaged += 1
            return []
        self.decoded += 1
        return self._encode(frames)

    def flush(self) -> list[av.Packet[Any]]:
        """The last packets."""
        return [*self._encode(self._source.decode(None)), *self._encode([None]), *self.stream.encode(None)]

    def _encode(self, frames: list[Any]) -> list[av.Packet[Any]]:
        placed = (named for frame in frames for named in ([None] if frame is None else _placed(frame)))
        return [p for frame in placed for piece in self._resampler.resample(frame) for p in self.stream.encode(piece)]


def _bit_rate(layout: str) -> int:
    channels = av.AudioLayout(layout).nb_channels
    return 96_000 * channels if channels < 3 else 64_000 * channels


def _layout(source: av.AudioStream, encoder: str, rate: int) -> str:
    """The source's loudspeakers, or what comes nearest to them of those that the encoder takes."""
    name = source.layout.name
    for layout in (_SAME.get(name, name), _LAYOUTS.get(source.channels)):
        if layout is not None and _takes(encoder, layout, rate):
            return layout
    return "stereo"


def _takes(encoder: str, layout: str, rate: int) -> bool:
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.AudioCodecContext)
    try:
        context.layout, context.sample_rate, context.bit_rate = layout, rate, _bit_rate(layout)
        context.format = (context.codec.audio_formats or [av.AudioFormat("fltp")])[0]
        context.open()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _placed(frame: av.AudioFrame) -> list[av.AudioFrame]:
    """A frame whose channels have no names with those that so many channels usually have."""
    usual = _LAYOUTS.get(frame.layout.nb_channels)
    if usual is None or not frame.layout.name.endswith("channels"):
        return [frame]
    # In one plane: PyAV miscounts the planes of 8 channels and more.
    packed = [frame]
    if frame.format.is_planar:
        packed = av.AudioResampler(format=frame.format.packed, layout=frame.layout, rate=frame.sample_rate).resample(
            frame
        )
    named = []
    for piece in packed:
        new = av.AudioFrame.from_ndarray(piece.to_ndarray(), format=piece.format.name, layout=usual)
        new.pts, new.time_base, new.sample_rate = piece.pts, piece.time_base, piece.sample_rate
        named.append(new)
    return named


TEXT_SUBTITLES = frozenset({"subrip", "ass", "mov_text", "webvtt", "text"})
"""Subtitles that are text, whatever their marks; the others are pictures."""

TEXT_ENCODERS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt", "webm": "webvtt"}
"""What each container takes text as."""

_PLAIN_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


class TitleEncoder:
    """Decodes packets of the text subtitles `source` and encodes them with `encoder` into a new stream of `output`.

    Words, lines, times and the marks that both kinds have (bold, italic ...) are kept. Damaged and empty packets (mov_text
    fills pauses with them) are left out.
    """

    def __init__(self, source: SubtitleStream, output: av.container.OutputContainer, encoder: str) -> None:
        assert isinstance(source.codec_context, SubtitleCodecContext)
        self._decoder = source.codec_context
        self._decoder.open(strict=False)
        stream = output.add_stream(encoder)
        assert isinstance(stream, SubtitleStream)
        assert isinstance(stream.codec_context, SubtitleCodecContext)
        self.stream, self._encoder = stream, stream.codec_context
        stream.time_base = self._encoder.time_base = Fraction(1, 1000)
        self._encoder.subtitle_header = self._decoder.subtitle_header or _PLAIN_HEADER
        self._encoder.open()

    def encode(self, packet: av.Packet[Any]) -> list[av.Packet[Any]]:
        """The packet with the titles of `packet`, at its time; none where it has none."""
        try:
            titles = self._decoder.decode2(packet)
        except av.error.FFmpegError:
            return []
        lines = [r.ass for r in titles.rects if isinstance(r, AssSubtitle)] if titles else []
        length = packet.duration or 0
        milliseconds = int(length * packet.time_base * 1000)
        done = []
        for line in lines:
            new = self._encoder.encode_subtitle(SubtitleSet.create(line, 0, milliseconds))
            new.pts, new.dts, new.duration, new.time_base = packet.pts, packet.dts, length, packet.time_base
            new.stream = self.stream
            done.append(new)
        return done
