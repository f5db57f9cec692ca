"""The marks of a spherical or stereo film in the output.

PyAV gives no way to add side data to a stream, but copies what a template has. So the template is made: one packet of the
styled film as a small mov file in memory, with the marks' boxes put in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.container
import av.error

from vidstyle.media.boxes import child, with_boxes
from vidstyle.media.container import packets
from vidstyle.media.spherical import SphericalMarks


@contextmanager
def marked(
    part: av.container.InputContainer, marks: SphericalMarks | None, output: Path, warnings: list[str]
) -> Iterator[av.VideoStream]:
    """The video stream of `part` as a template for `output`, with `marks`; `warnings` is told what cannot be kept of them."""
    added = marks.boxes() if marks is not None else None
    if added is None:
        if marks is not None:
            warnings.append(
                f"{output}: the mark of a spherical or stereo film is left out: its kind cannot be written."
            )
        yield part.streams.video[0]
        return
    if output.suffix.lower() == ".mov":
        warnings.append(
            f"{output}: .mov keeps that the film is spherical or stereo, but not how it is turned and laid out; "
            "use .mp4 or .mkv."
        )
    with av.open(io.BytesIO(with_boxes(_one_packet(part), added))) as template:
        yield template.streams.video[0]


def _one_packet(part: av.container.InputContainer) -> bytes:
    file = io.BytesIO()
    stream = part.streams.video[0]
    with av.open(file, "w", format="mov") as container:
        copy = container.add_stream_from_template(stream, opaque=True)
        packet = next(packets(part, stream))
        packet.stream = copy
        packet.dts = packet.pts
        container.mux_one(packet)
    return file.getvalue()


def hide_apple_marks(path: Path) -> None:
    """In an mp4 that is written: make the box of Apple's marks free space. FFmpeg's muxer fills it with half of what the others
    say, and readers would take that for all."""
    with path.open("r+b") as file:
        head = file.read(16)
        while len(head) >= 8 and head[4:8] != b"moov":
            size = int.from_bytes(head[:4]) if int.from_bytes(head[:4]) != 1 else int.from_bytes(head[8:16])
            if size < 8:
                return
            file.seek(size - len(head), io.SEEK_CUR)
            head = file.read(16)
        begin = file.tell() - len(head)
        file.seek(begin)
        data = file.read(int.from_bytes(head[:4]))
        at = child(data, b"vexu")
        if at is not None:
            file.seek(begin + at + 4)
            file.write(b"free")
