"""One stream of a file, as it is told of."""

from __future__ import annotations

from dataclasses import dataclass

import av.stream
from av.stream import Disposition

from vidstyle.media.input.stream_notes import StreamNotes


@dataclass(frozen=True)
class StreamInfo:
    """One stream of a container."""

    index: int
    type: str
    """"video", "audio", "subtitle", "data", "attachment" or "unknown"."""
    codec: str
    """FFmpeg's name of the codec ("h264", "aac"); "unknown" where there is none."""
    language: str | None = None
    title: str | None = None
    disposition: int = 0
    """Bits of FFmpeg's AV_DISPOSITION_*."""
    tag: str = ""
    """Four letters by which mp4 and mov name the kind ("gpmd"); empty where there are none."""

    @property
    def attached_picture(self) -> bool:
        return bool(self.disposition & Disposition.attached_pic)

    def __str__(self) -> str:
        codec = self.tag if self.codec in ("bin_data", "none", "unknown") and self.tag else self.codec
        about = ", ".join(x for x in (codec, self.language, self.title) if x)
        return f"{self.type} stream #{self.index} ({about})"


def describe_stream(stream: av.stream.Stream, notes: StreamNotes | None = None) -> StreamInfo:
    """StreamInfo of a PyAV stream, also of one without a decoder."""
    name = getattr(stream, "name", None) if stream.codec_context is None else stream.codec_context.codec.canonical_name
    return StreamInfo(
        index=stream.index,
        type=stream.type,
        codec=name or "unknown",
        language=stream.language,
        title=stream.metadata.get("title"),
        disposition=int(stream.disposition),
        tag=notes.tag if notes is not None else "",
    )
