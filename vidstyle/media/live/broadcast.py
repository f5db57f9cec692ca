"""Frames that go out as they are finished: to a server, a file, a pipe, a video device."""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.container
import av.error
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.provenance import STATEMENT
from vidstyle.media.live.capture import PATIENCE
from vidstyle.media.output.containers import CONTAINERS
from vidstyle.media.paths import ADDRESS

FORMATS = {
    "rtmp": "flv",
    "rtmps": "flv",
    "srt": "mpegts",
    "udp": "mpegts",
    "tcp": "mpegts",
    "rtp": "rtp_mpegts",
    "rtsp": "rtsp",
}
"""Muxer of an address, by its protocol."""
_CLOCK = Fraction(1, 1000)


def check_target(target: str) -> None:
    """Raise UsageError where a target means nothing, or is a file that exists."""
    if target == "-" or target.startswith("v4l2:"):
        return
    if ADDRESS.fullmatch(target):
        scheme = target.partition(":")[0].lower()
        if scheme not in FORMATS:
            raise UsageError(f"--to {target}: cannot send there; use one of {', '.join(FORMATS)}.")
        return
    path = Path(target)
    if path.suffix.lower() not in CONTAINERS:
        raise UsageError(f"--to {target}: name a file (.mkv, .mp4), an address, v4l2:DEVICE, or -.")
    if path.exists():
        raise UsageError(f"--to {target}: exists already; choose another name.")


class Broadcast:
    """Encodes frames at the times at which they come. A context manager.

    Args:
        target: an address (rtmp://, srt://, udp://, ...), a file, "-" (Matroska on standard output), "v4l2:/dev/videoN".
        size: width and height of the frames; odd ones lose a row or a column.
        rate: frames per second, about: the encoder's hint.

    Raises:
        InputError: nobody listens there, or the file cannot be written.
    """

    def __init__(self, target: str, size: tuple[int, int], rate: int = 25) -> None:
        self._target = target
        self._size = (size[0] - size[0] % 2, size[1] - size[1] % 2)
        self._begun: float | None = None
        self._last = -1
        try:
            self._container = _opened(target)
            self._container.metadata["comment"] = STATEMENT
            self._stream = self._add_stream(rate)
            self._container.start_encoding()
        except av.error.ProtocolNotFoundError as error:
            raise InputError(
                f"--to {target}: the FFmpeg in this PyAV does not speak {target.partition(':')[0]}; send by rtmp, udp or tcp."
            ) from error
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise InputError(
                f"--to {target}: cannot be sent to ({_why(error)}); check that somebody listens."
            ) from error

    def _add_stream(self, rate: int) -> Any:
        if self._target.startswith("v4l2:"):
            stream = self._container.add_stream("rawvideo", rate=rate)
            stream.pix_fmt = "yuyv422"
        else:
            options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "20"}
            stream = self._container.add_stream("libx264", rate=rate, options=options)
            stream.pix_fmt = "yuv420p"
            stream.codec_context.gop_size = 2 * rate
        stream.width, stream.height = self._size
        stream.codec_context.time_base = _CLOCK
        return stream

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Send a frame, (H, W, 3) uint8 RGB, shown from now on. Raises InputError where it cannot be sent any more."""
        now = time.monotonic()
        self._begun = now if self._begun is None else self._begun
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(picture[: self._size[1], : self._size[0]]), format="rgb24"
        )
        self._last = max(self._last + 1, round((now - self._begun) / _CLOCK))
        frame.pts, frame.time_base = self._last, _CLOCK
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: Any) -> None:
        try:
            self._container.mux(packets)
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(f"--to {self._target}: broke off ({_why(error)}).") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._mux(self._stream.encode(None))
            self._container.close()
        except (InputError, av.error.FFmpegError, OSError):
            if kind is None:
                raise


def _opened(target: str) -> av.container.OutputContainer:
    if target == "-":
        return av.open(sys.stdout.buffer, "w", format="matroska")
    if target.startswith("v4l2:"):
        return av.open(target.removeprefix("v4l2:"), "w", format="v4l2")
    if ADDRESS.fullmatch(target):
        return av.open(target, "w", format=FORMATS[target.partition(":")[0].lower()], timeout=PATIENCE)
    return av.open(target, "w", format=CONTAINERS[Path(target).suffix.lower()])


def _why(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
