"""What is known of a file's streams: from PyAV, and the codec tag and side data that FFmpeg prints and PyAV shows nowhere."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any, cast

import av.container
import av.logging
import av.stream

from vidstyle.media.input.video_info import StreamInfo

_STREAM = re.compile(r"  Stream #0:(\d+)")
_TAG = re.compile(r"\((.{4}) / 0x[0-9A-F]{8}\)")
_lock = threading.Lock()


@dataclass
class StreamNotes:
    """The notes of one stream."""

    tag: str = ""
    """Four letters by which mp4 and mov name the kind ("gpmd", "tmcd"); empty where there are none."""
    side_data: list[str] = field(default_factory=list)
    """Lines such as "Spherical Mapping: equirectangular (30.000000/10.000000/0.000000)"."""

    def about(self, name: str) -> str | None:
        """What follows "NAME: " in the side data; None where there is no such line."""
        return next((x.partition(": ")[2] for x in self.side_data if x.startswith(f"{name}: ")), None)


def stream_notes(container: av.container.InputContainer) -> dict[int, StreamNotes]:
    """The notes of all streams, by their index."""
    notes: dict[int, StreamNotes] = {}
    current, inside = StreamNotes(), False
    for line in _dump(container).splitlines():
        if found := _STREAM.match(line):
            tag = _TAG.search(line)
            current, inside = StreamNotes(tag[1] if tag else ""), False
            notes[int(found[1])] = current
        elif line.startswith("    ") and not line.startswith("     "):
            inside = line.strip() == "Side data:"
        elif inside:
            current.side_data.append(line.strip())
    return notes


def _dump(container: av.container.InputContainer) -> str:
    # What is printed passes through the log, which is off; other threads' messages would come through meanwhile.
    with _lock:
        before = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            return str(cast(Any, container).dumps_format())  # PyAV's stubs lack it
        finally:
            av.logging.set_level(before)


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
