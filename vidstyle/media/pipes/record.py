"""Writing a stream down as it comes, packet by packet."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.stream

from vidstyle.core.errors import InputError
from vidstyle.media.live.capture import PATIENCE, PROTOCOLS

_ROOM_EVERY = 500
"""Packets between two looks at the disk."""


def record(
    source: str, path: Path, *, seconds: Fraction | None = None, check_room: Callable[[], None] = lambda: None
) -> None:
    """Write the pictures, sound and titles of a stream into a NUT file, packets and times as they are.

    Args:
        source: an address (HLS, RTSP, RTMP, SRT, UDP, FTP ...). A playlist cannot name files of this machine.
        seconds: stop when pictures are that late after the first; None: at the stream's end.
        check_room: called now and then; what it raises ends the recording.

    Raises:
        InputError: nobody answers, it is no film, or it holds no video.
    """
    try:
        with (
            av.open(source, options={"protocol_whitelist": PROTOCOLS}, timeout=PATIENCE) as stream,
            av.open(str(path), "w", format="nut", container_options={"fflags": "+bitexact"}) as file,
        ):
            if not stream.streams.video:
                raise InputError(f"{source}: holds no video; give the address of a film.")
            _copy(stream, file, seconds, check_room)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error).lower()
        raise InputError(f"{source}: this stream cannot be read ({why}); check the address in a player.") from error


def _copy(
    stream: av.container.InputContainer,
    file: av.container.OutputContainer,
    seconds: Fraction | None,
    check_room: Callable[[], None],
) -> None:
    targets: dict[int, av.stream.Stream] = {}
    for each in stream.streams:
        if each.type in ("video", "audio", "subtitle") and each.codec_context is not None:
            targets[each.index] = file.add_stream_from_template(each, opaque=True)
    video = stream.streams.video[0]
    first: Fraction | None = None
    number = 0
    packets: Any = stream.demux([s for s in stream.streams if s.index in targets])
    for packet in packets:
        if packet.dts is None or not packet.size:
            continue
        now = packet.dts * packet.time_base
        first = now if first is None else first
        if packet.stream_index == video.index and seconds is not None and now - first > seconds:
            return
        number += 1
        if number % _ROOM_EVERY == 0:
            check_room()
        # NUT holds no times before zero; one offset for all streams keeps them together.
        shift = round((1 - first) / packet.time_base)
        packet.dts, packet.pts = packet.dts + shift, None if packet.pts is None else packet.pts + shift
        packet.stream = targets[packet.stream_index]
        file.mux_one(packet)
