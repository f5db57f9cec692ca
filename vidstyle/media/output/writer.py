"""Encodes RGB frames into a video-only segment file, every frame at its own time."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import av.container
import av.error
import numpy as np
from av.video.reformatter import ColorRange

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import write_failure
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.yuv import YUV420
from vidstyle.media.colour import ColourTags, from_rgb
from vidstyle.media.output.codecs import find_codec, steady_options
from vidstyle.media.output.planar_writer import planar_frame
from vidstyle.media.timestamps import rescale

ORIGIN_TAG = "PTS_ORIGIN"
"""Tag of a segment file: what has to be added to its times (NUT cannot hold times before zero)."""

# What every film is tagged with: BT.709 matrix, primaries and transfer (H.273 code point 1).
_OUTPUT = ColourTags()
_BT709 = 1


@dataclass(frozen=True)
class EncodeSettings:
    """How frames are encoded. All of it changes bytes, so all of it belongs into a job's fingerprint."""

    codec: str = "h264"
    """A name of `codecs.CODECS`, or of any video encoder of this FFmpeg."""
    crf: int | None = None
    """Constant quality, lower is better; None: the codec's default (H.264: 18)."""
    preset: str = "veryfast"
    """Speed of H.264 and HEVC; other codecs have their own fixed one."""
    pix_fmt: str | None = None
    """Pixel format; None: the codec's usual one (H.264: yuv420p)."""
    bit_depth: int = 8
    """8, or 10 where the codec can."""
    alpha: bool = False
    """Encode the alpha plane of the frames."""
    threads: int = 0
    """Encoder threads; 0 lets the encoder choose."""

    def resolved_pix_fmt(self) -> str:
        """The pixel format that is encoded. Raises UsageError where the codec has none of what is asked."""
        choice = find_codec(self.codec)
        if self.pix_fmt is not None:
            return self.pix_fmt
        if self.alpha:
            if choice.alpha_pix_fmt is None:
                raise UsageError(f"--codec {self.codec}: cannot hold transparency; use vp9, prores or ffv1.")
            return choice.alpha_pix_fmt
        if self.bit_depth > 8 and "10" not in choice.pix_fmt:
            if choice.deep_pix_fmt is None:
                raise UsageError(f"--codec {self.codec}: has no 10-bit form; use h264, hevc, av1 or prores.")
            return choice.deep_pix_fmt
        return choice.pix_fmt

    def encoder_options(self) -> dict[str, str]:
        """FFmpeg's options of the encoder."""
        choice = find_codec(self.codec)
        options = {**choice.options, **steady_options(choice.encoder)}
        if choice.crf is not None:
            options[choice.quality] = str(choice.crf if self.crf is None else self.crf)
        if choice.presets:
            options["preset"] = self.preset
        if self.codec == "prores" and self.alpha:
            options["profile"] = "4444"
        return options


class VideoWriter:
    """Writes one segment. A context manager: an exception inside removes the unfinished file.

    Args:
        path: the segment file; its container follows from the codec, not from its suffix.
        width, height: of the frames.
        time_base: seconds per tick of the frames' pts; kept exactly (alpha VP9 alone: to 1 ms, as webm has it).
        settings: codec and quality.
        sample_aspect_ratio: width / height of a pixel.
        rate: frames per second, a hint for the encoder's rate control.
        told_as: what messages call the file; None: `path` itself.

    Attributes:
        warnings: what the user should know, one sentence each.

    Raises InputError where the encoder refuses or the disk is full, UsageError for settings that cannot be.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        time_base: Fraction,
        settings: EncodeSettings,
        sample_aspect_ratio: Fraction = Fraction(1),
        rate: Fraction | None = None,
        told_as: Path | None = None,
    ) -> None:
        self.path = Path(path)
        self._name = told_as or self.path
        self.warnings: list[str] = []
        self._size = (width, height)
        self._time_base = time_base
        self._origin: int | None = None
        self._alpha = settings.alpha
        self._pix_fmt = settings.resolved_pix_fmt()
        choice = find_codec(settings.codec)
        self._pad = (height % 2, width % 2) if choice.even else (0, 0)
        if any(self._pad):
            self.warnings.append(
                f"{width}x{height} is odd, which {settings.codec} cannot encode: "
                f"the last row or column is repeated ({width + self._pad[1]}x{height + self._pad[0]})."
            )
        # The alpha plane of VP9 travels beside its packets, which only Matroska can carry.
        container = "matroska" if settings.codec == "vp9" and settings.alpha else choice.segment
        self._container = self._opened(container, time_base)
        # Only a hint, but x264 wants a sane one; its time base carries the truth.
        hint = rate if rate and 0 < rate <= 1000 else Fraction(25)
        stream = self._container.add_stream(choice.encoder, rate=hint, options=settings.encoder_options())
        assert isinstance(stream, av.VideoStream)
        self._stream = stream
        context = self._stream.codec_context
        context.width, context.height = width + self._pad[1], height + self._pad[0]
        context.pix_fmt = self._pix_fmt
        context.time_base = time_base
        context.thread_count = settings.threads
        context.sample_aspect_ratio = sample_aspect_ratio
        if not av.VideoFormat(self._pix_fmt).is_rgb:
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = ColorRange.MPEG
        if choice.segment == "mov":
            self._stream.time_base = time_base
        os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 greets on stderr unless told to speak of errors only
        try:
            context.open()
        except av.error.FFmpegError as error:
            self._discard()
            raise InputError(
                f"{self._name}: the encoder {choice.encoder} refuses {width}x{height} {self._pix_fmt} with these "
                "settings; choose another --codec or another --size."
            ) from error

    def _opened(self, container: str, time_base: Fraction) -> av.container.OutputContainer:
        """The file, open. Raises InputError."""
        # Reordered frames start with negative decoding times; shifting them away would move every frame.
        muxing = {"avoid_negative_ts": "disabled", "fflags": "+bitexact"}
        if container == "mov":
            muxing["movie_timescale"] = str(time_base.denominator)  # the first frame's time is written in it
        try:
            if not self.path.absolute().parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return av.open(str(self.path.absolute()), "w", format=container, container_options=muxing)
        except OSError as error:
            raise InputError(f"{self._name}: {write_failure(error, self._name)}.") from error

    def write(self, frame: Frame) -> None:
        """Encode the next frame; its time base may be any."""
        ticks = rescale(frame.pts, frame.time_base, self._time_base)
        if self._origin is None:
            self._origin = min(0, ticks)
            if self._origin:
                self._container.metadata[ORIGIN_TAG] = str(self._origin)
        converted = self._converted(frame)
        converted.pts, converted.time_base = ticks - self._origin, self._time_base
        self._mux(converted)

    def close(self) -> None:
        """Finish the file."""
        self._mux(None)
        try:
            self._container.close()
        except OSError as error:
            raise InputError(f"{self._name}: {write_failure(error, self._name)}.") from error

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except OSError as error:
            raise InputError(f"{self._name}: {write_failure(error, self._name)}.") from error

    def _converted(self, frame: Frame) -> av.VideoFrame:
        """A frame in the encoder's format and size."""
        if frame.size != self._size:
            raise ValueError(f"frames must be {self._size[0]}x{self._size[1]}, got {frame.size[0]}x{frame.size[1]}")
        if isinstance(frame.full, YUV420):
            return planar_frame(frame.full, self._pix_fmt, self._pad)
        image = frame.data
        if self._alpha:
            opaque = np.full(image.shape[:2], 255, np.uint8)
            image = np.dstack([image, opaque if frame.alpha is None else frame.alpha])
        if any(self._pad):
            image = np.pad(image, ((0, self._pad[0]), (0, self._pad[1]), (0, 0)), mode="edge")
        name = "rgba" if self._alpha else "rgb24"
        return from_rgb(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), name), self._pix_fmt, _OUTPUT)

    def _discard(self) -> None:
        with suppress(av.error.FFmpegError, OSError, ValueError):  # the first failure is the one to tell
            self._container.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self.close()
        except BaseException:
            self._discard()
            raise
