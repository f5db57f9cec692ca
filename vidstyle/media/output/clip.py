"""A film made from pictures and samples: H.264 and AAC in one file, without a source to copy from."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.core.files import atomic_output, write_failure
from vidstyle.media.colour import ColourTags, from_rgb

_BT709 = 1


def write_clip(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    rate: Fraction,
    sound: NDArray[np.float32] | None = None,
    sound_rate: int = 48000,
    crf: int = 16,
) -> None:
    """Write an mp4 that appears under its name only when it is whole; an existing file is replaced.

    Args:
        path: ends in .mp4.
        frames: (H, W, 3) uint8 RGB, all of one size, both sides even; frame n is shown at n / rate seconds.
        sound: (samples, channels) float32 in [-1, 1], one or two channels, beginning with the first frame.
        sound_rate: samples per second.

    Raises:
        InputError: the place cannot be written.
    """
    path = Path(path)
    with atomic_output(path) as temporary:
        try:
            _write(temporary, frames, rate, sound, sound_rate, crf)
        except av.error.FFmpegError as error:
            failure = write_failure(error, path) if isinstance(error, OSError) else f"could not be written ({error})"
            raise InputError(f"{path}: {failure}.") from error


def _write(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    rate: Fraction,
    sound: NDArray[np.float32] | None,
    sound_rate: int,
    crf: int,
) -> None:
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(path), "w", format="mp4", container_options=options) as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "veryfast"})
        video.pix_fmt = "yuv420p"
        video.time_base = 1 / rate
        context = video.codec_context
        context.color_range = 1  # limited
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        audio = None
        if sound is not None:
            audio = container.add_stream("aac", rate=sound_rate, layout="stereo" if sound.shape[1] == 2 else "mono")
            audio.bit_rate = 160_000
        for n, image in enumerate(frames):
            if n == 0:
                video.height, video.width = image.shape[:2]
            frame = from_rgb(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24"), "yuv420p", ColourTags())
            frame.pts, frame.time_base = n, 1 / rate
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            step = 1024  # samples of an AAC frame
            for first in range(0, len(sound), step):
                block = np.ascontiguousarray(sound[first : first + step].T)
                piece = av.AudioFrame.from_ndarray(block, "fltp", layout=audio.layout.name)
                piece.sample_rate, piece.pts, piece.time_base = sound_rate, first, Fraction(1, sound_rate)
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))
