"""YUV4MPEG2: raw frames at one rate, the form in which programs hand each other pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vidstyle.core.errors import UsageError
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.transforms import on_black
from vidstyle.media.colour import from_rgb, resolve_tags
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames

_UNSPECIFIED = 2
_PIX_FMT = "yuv420p"


def write_y4m(path: Path, sink: Any, rate: Fraction | None = None) -> list[str]:
    """Send the frames of a film to `sink`, which has `write(bytes)`: 8 bits, 4:2:0, progressive.

    The format holds one rate: each frame goes to the nearest place, places without one repeat the frame before, and where two
    meet the later one is shown. It does not name its matrix either; it is the one that readers guess (BT.709 from 720 lines or
    1280 columns on, else BT.601).

    Args:
        rate: frames per second; None: the film's own.

    Returns:
        What the user should know, one sentence each.

    Raises:
        UsageError: nobody knows the rate.
    """
    info = probe(path)
    rate = rate or info.average_rate
    if not rate:
        raise UsageError(f"{path}: does not say its frame rate, which y4m has to; give --fps.")
    size = (info.width + info.width % 2, info.height + info.height % 2)
    tags = resolve_tags(_UNSPECIFIED, 0, _UNSPECIFIED, _UNSPECIFIED, pix_fmt=_PIX_FMT, width=size[0], height=size[1])
    repeated = dropped = count = 0
    with av.open(sink, "w", format="yuv4mpegpipe") as container:
        stream = container.add_stream("rawvideo", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, _PIX_FMT
        stream.codec_context.sample_aspect_ratio = info.sample_aspect_ratio
        for frame, times in placed(read_frames(info), rate):
            repeated, dropped = repeated + max(0, times - 1), dropped + (times == 0)
            picture = np.pad(on_black(frame).data, ((0, info.height % 2), (0, info.width % 2), (0, 0)), mode="edge")
            converted = from_rgb(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24"), _PIX_FMT, tags)
            for _ in range(times):
                converted.pts, converted.time_base = count, 1 / rate
                container.mux(stream.encode(converted))
                count += 1
        container.mux(stream.encode(None))
    if not repeated and not dropped:
        return []
    return [
        f"{path}: its rate varies, and y4m has but one ({float(rate):.4g} a second): {repeated} frames are repeated, {dropped} "
        "left out."
    ]


def placed(frames: Iterable[Frame], rate: Fraction) -> Iterator[tuple[Frame, int]]:
    """Frames, each with how many places of the constant `rate` it takes: none where the next one comes to the same place."""
    held: Frame | None = None
    first = Fraction(0)
    done = 0
    for frame in frames:
        time = frame.pts * frame.time_base
        if held is None:
            held, first = frame, time
            continue
        place = max(done, round((time - first) * rate))
        yield held, place - done
        done, held = place, frame
    if held is not None:
        yield held, max(1, round(held.duration * held.time_base * rate))
