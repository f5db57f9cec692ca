"""Frames as they come: of a camera, a stream, or a file at its own pace."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import av.container
import av.error
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.core.files import check_readable
from vidstyle.media.paths import ADDRESS

PROTOCOLS = "rtsp,rtsps,rtmp,rtmps,srt,udp,rtp,tcp,tls,http,https,hls,crypto,data"
"""That an address may use; a stream cannot make us read files."""
_DEVICES = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
PATIENCE = (10.0, 10.0)
"""Seconds to wait for a connection, and for the next packet."""


def frames(source: str) -> Iterator[NDArray[np.uint8]]:
    """Frames, (H, W, 3) uint8 RGB, each when its time has come; a camera or a stream gives them so by itself.

    Args:
        source: a device (/dev/video0), an address (rtsp://...), or a file.

    Raises:
        InputError: it cannot be opened, holds no video, or breaks off.
    """
    device, address = source.startswith("/dev/"), ADDRESS.fullmatch(source) is not None
    if not device and not address:
        check_readable(Path(source))
    with _opened(source, device=device, address=address) as container:
        if not container.streams.video:
            raise InputError(f"{source}: holds no video; give a camera, a stream or a file that does.")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        begun: float | None = None
        first = 0.0
        try:
            for frame in container.decode(stream):
                if not device and not address and frame.time is not None:
                    if begun is None:
                        begun, first = time.monotonic(), frame.time
                    time.sleep(max(0.0, begun + frame.time - first - time.monotonic()))
                yield np.ascontiguousarray(frame.to_ndarray(format="rgb24"), np.uint8)
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(f"{source}: broke off ({_why(error)}).") from error


def _opened(source: str, *, device: bool, address: bool) -> av.container.InputContainer:
    options = {"protocol_whitelist": PROTOCOLS} if address else {"protocol_whitelist": "file,crypto,data"}
    try:
        if device:
            return av.open(source, format=_DEVICES.get(sys.platform, "v4l2"), timeout=PATIENCE)
        return av.open(source, options=options, timeout=PATIENCE)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        what = "camera" if device else "stream" if address else "video"
        raise InputError(f"{source}: this {what} cannot be opened ({_why(error)}); check it in a player.") from error


def _why(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
