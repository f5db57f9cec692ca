"""Sound, subtitles, data, cover art and attachments of the source: copied where the output can hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.container
import av.error
import av.stream
from av.stream import Discard, Disposition
from av.subtitles.stream import SubtitleStream

from vidstyle.media.container import open_source, packets
from vidstyle.media.input.stream_notes import describe_stream, stream_notes
from vidstyle.media.input.video_info import StreamInfo, VideoInfo
from vidstyle.media.mux.stream_ways import IMAGE_TYPES, Holder, Way, ways
from vidstyle.media.mux.tags import clean_tags
from vidstyle.media.mux.transcode import TEXT_ENCODERS, SoundEncoder, TitleEncoder
from vidstyle.media.timestamps import PtsRepair, rescale

# What mp4 fills the time between two titles with; the muxer writes it itself.
_PAUSE = b"\0\0"
Emit: TypeAlias = "Callable[[av.Packet[Any]], list[av.Packet[Any]]]"


@dataclass(frozen=True)
class Trim:
    """The part of the source's time that is kept, in seconds; the output's clock starts at `start` where it is given."""

    start: Fraction | None = None
    stop: Fraction | None = None

    def shift(self, time_base: Fraction) -> int:
        """What is added to times in ticks of `time_base`."""
        return -rescale(1, self.start, time_base) if self.start is not None else 0


class StreamCopy:
    """Adds every stream of `source` but its styled video to `output`, and yields their packets.

    Args:
        refused: how many of a stream's ways (`stream_ways`) have failed already, by index.
        only: this stream alone.

    Attributes:
        warnings: one sentence for each stream that is not copied as it is.
        taken: indices of the streams that are taken along in some way.
    """

    def __init__(
        self,
        source: av.container.InputContainer,
        output: av.container.OutputContainer,
        info: VideoInfo,
        target: Path,
        *,
        trim: Trim,
        refused: Mapping[int, int],
        only: int | None = None,
    ) -> None:
        self.warnings: list[str] = []
        self.taken: list[int] = []
        self._source, self._output, self._info, self._trim, self._target = source, output, info, trim, target
        self._emit: dict[int, Emit] = {}
        self._flush: list[Callable[[], list[av.Packet[Any]]]] = []
        self._clocks: dict[int, PtsRepair] = {}
        self._begun: set[int] = set()
        holder = Holder(output.format.name, target.suffix, output.supported_codecs)
        notes = stream_notes(source)
        for stream in source.streams:
            if stream.index == info.stream_index or (only is not None and stream.index != only):
                stream.discard = Discard.all
                continue
            about = describe_stream(stream, notes.get(stream.index))
            decoder = stream.codec_context.codec.name if stream.codec_context is not None else None
            left = ways(about, decoder, holder, chapters=bool(source.chapters()))
            self._take(stream, about, left[min(refused.get(stream.index, 0), len(left) - 1)])

    def _take(self, stream: av.stream.Stream, about: StreamInfo, way: Way) -> None:
        if way.kind == "leave":
            stream.discard = Discard.all
            if way.why:
                self.warnings.append(f"{self._target}: {about} is left out: {way.why}.")
            return
        self.taken.append(stream.index)
        if way.kind == "copy":
            self._copy(stream, about)
        elif way.kind == "encode":
            self._encode_sound(stream, about)
        elif way.kind == "text":
            self._encode_text(stream, about)
        elif way.kind == "attachment":
            self._output.add_stream_from_template(stream)
        else:
            self._attach_cover(stream, about)

    def _encode_sound(self, stream: av.stream.Stream, about: StreamInfo) -> None:
        encoder = "libopus" if self._output.format.name in ("webm", "matroska") else "aac"
        assert isinstance(stream, av.AudioStream)
        sound = SoundEncoder(stream, self._output, encoder)
        self._dress(stream, sound.stream, about)
        self._emit[stream.index] = lambda packet: self._stamped(sound.encode(packet), sound.stream)

        def flush() -> list[av.Packet[Any]]:
            if sound.damaged:
                lost = f"{sound.damaged} of its packets" if sound.decoded else "it"
                self.warnings.append(
                    f"{self._target}: {about} is damaged: {lost} cannot be decoded and will not be heard."
                )
            return self._stamped(sound.flush(), sound.stream)

        self._flush.append(flush)
        name = encoder.removeprefix("lib").upper()
        kept = stream.channels == av.AudioLayout(sound.layout).nb_channels
        layouts = "" if kept else f" and mixed from {stream.layout.name} to {sound.layout}"
        self.warnings.append(
            f"{self._target}: {about} is encoded anew as {name}{layouts}: {self._target.suffix} cannot hold it as it is."
        )

    def _encode_text(self, stream: av.stream.Stream, about: StreamInfo) -> None:
        assert isinstance(stream, SubtitleStream)
        encoder = TEXT_ENCODERS[self._output.format.name]
        titles = TitleEncoder(stream, self._output, encoder)
        self._dress(stream, titles.stream, about)
        self._emit[stream.index] = lambda packet: self._stamped(titles.encode(packet), titles.stream)
        self.warnings.append(
            f"{self._target}: {about} is written anew as {encoder}: {self._target.suffix} cannot hold it as it is."
        )

    def _attach_cover(self, stream: av.stream.Stream, about: StreamInfo) -> None:
        suffix, mime = IMAGE_TYPES[about.codec]
        with open_source(self._info.path) as again:  # it goes into the header, before any packet is read
            data = next((bytes(p) for p in packets(again, again.streams[stream.index])), b"")
        if data:
            self._output.add_attachment(f"cover.{suffix}", mime, data)
        stream.discard = Discard.all

    def _stamped(self, packets: list[av.Packet[Any]], target: av.stream.Stream) -> list[av.Packet[Any]]:
        for packet in packets:
            self._stamp(packet, target)
        return packets

    def _copy(self, stream: av.stream.Stream, about: StreamInfo) -> None:
        target = self._output.add_stream_from_template(stream, opaque=True)
        self._dress(stream, target, about)

        def emit(packet: av.Packet[Any]) -> list[av.Packet[Any]]:
            if about.codec == "mov_text" and bytes(packet) == _PAUSE:
                return []
            packet.stream = target
            if not about.attached_picture:
                self._stamp(packet, target)
            return [packet]

        self._emit[stream.index] = emit

    @staticmethod
    def _dress(source: av.stream.Stream, target: av.stream.Stream, about: StreamInfo) -> None:
        target.metadata.update(clean_tags(dict(source.metadata)))
        target.disposition = Disposition(about.disposition)

    def packets(self) -> Iterator[av.Packet[Any]]:
        """Packets for the output in about the order of the file, times shifted by the trim."""
        streams = [s for s in self._source.streams if s.index in self._emit]
        if not streams:
            return
        try:
            for packet in packets(self._source, streams, self._info.timeline):
                if self._keep(packet):
                    yield from self._emit[packet.stream_index](packet)
        except av.error.FFmpegError:
            self.warnings.append(f"{self._target}: sound and subtitles end early: the source breaks off.")
        for flush in self._flush:
            yield from flush()

    def _keep(self, packet: av.Packet[Any]) -> bool:
        """Whether the packet lies in the trim; one without a time does if it follows one that does."""
        if packet.stream.disposition & Disposition.attached_pic:
            return True
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            return self._trim.start is None or packet.stream_index in self._begun
        seconds = time * packet.time_base
        if self._trim.start is not None and seconds < self._trim.start:
            return False
        self._begun.add(packet.stream_index)
        return self._trim.stop is None or seconds < self._trim.stop

    def _stamp(self, packet: av.Packet[Any], target: av.stream.Stream) -> None:
        """Times in the clock that the muxer has chosen, shifted by the trim, and increasing as muxers demand."""
        base = target.time_base
        assert base is not None  # settled when the header was written

        def ticks(value: int | None) -> int | None:
            return None if value is None else rescale(value, packet.time_base, base) + self._trim.shift(base)

        pts, dts, duration = ticks(packet.pts), ticks(packet.dts), rescale(packet.duration or 0, packet.time_base, base)
        equal = self._output.format.name in ("matroska", "webm")
        clock = self._clocks.setdefault(target.index, PtsRepair(base, None, equal=equal))
        known, before = dts if dts is not None else pts, clock.last
        if target.type == "subtitle" and known is not None and known == clock.last:
            fixed = known  # two titles may begin at once
        else:
            fixed = clock.next(known, duration)
        if not duration and target.type == "audio" and before is not None:
            # mp4 would not play a last packet of no length; the others last until the next one.
            duration = fixed - before
        late = pts - known if pts is not None and known is not None else 0
        packet.time_base = base
        packet.pts, packet.dts, packet.duration = fixed + max(0, late), fixed, duration
