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

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


class SoundEncoder:
    """Decodes packets of `source` and encodes them with `encoder` ("aac" or "libopus") into a new stream of `output`.

    The first sample keeps its time; sampling rate is kept where the encoder has it, else 48 kHz; mono, stereo and 5.1
    are kept, other layouts become stereo. Damaged packets are left out.
    """

    def __init__(self, source: av.AudioStream, output: av.container.OutputContainer, encoder: str) -> None:
        self._source = source
        known = av.Codec(encoder, "w").audio_rates or []
        rate = source.rate if source.rate in known else 48000
        layout = _LAYOUTS.get(source.channels, "stereo")
        stream = output.add_stream(encoder, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 96_000 * max(1, {"mono": 1, "stereo": 2, "5.1": 4}[layout])
        self.stream = stream
        stream.codec_context.open()
        self._resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate, frame_size=stream.codec_context.frame_size
        )

    def encode(self, packet: av.Packet[Any]) -> list[av.Packet[Any]]:
        """Packets that are ready once `packet` has been decoded."""
        try:
            frames = self._source.decode(packet)
        except av.error.FFmpegError:
            return []
        return self._encode(frames)

    def flush(self) -> list[av.Packet[Any]]:
        """The last packets."""
        return [*self._encode(self._source.decode(None)), *self._encode([None]), *self.stream.encode(None)]

    def _encode(self, frames: list[Any]) -> list[av.Packet[Any]]:
        return [p for frame in frames for piece in self._resampler.resample(frame) for p in self.stream.encode(piece)]


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
