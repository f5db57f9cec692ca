"""Decoding on a GPU (NVDEC), where it is asked for, listed by this FFmpeg and able to read the film. Not run by us yet.

The choice is made once, by decoding the first frame, and holds for the whole film: what decodes is part of what bytes depend
on, so nothing falls back in the middle. Frames are copied to the host's memory as they come.
"""

from __future__ import annotations

from typing import Literal

import av
import av.error
from av.codec.hwaccel import HWAccel, hwdevices_available

from vidstyle.core.errors import InputError
from vidstyle.media.container import open_source, packets
from vidstyle.media.input.video_info import VideoInfo

Decoder = Literal["software", "cuda"]

_PACKETS = 100
"""Of video, in which a first frame must come out."""


def accelerator(decoder: Decoder) -> HWAccel | None:
    """What `open_source` takes for a decoder; a fresh one for each opening."""
    return None if decoder == "software" else HWAccel(decoder, allow_software_fallback=False)


def settled(wanted: str, info: VideoInfo) -> Decoder:
    """ "cuda" where that is wanted and can decode the film, else "software"."""
    if wanted == "cuda" and fits(info) and listed("cuda", info.codec) and works("cuda", info):
        return "cuda"
    return "software"


def fits(info: VideoInfo) -> bool:
    """Whether a film is of the plain kind, 8 bits of 4:2:0, progressive, opaque: deeper ones, HDR and interlaced ones have
    roads to RGB that were made for the software decoder's frames."""
    return bool(not info.pictures and info.pix_fmt == "yuv420p" and not info.interlaced and not info.has_alpha)


def listed(decoder: Decoder, codec: str) -> bool:
    """Whether this FFmpeg has such a device, and knows to decode `codec` on it."""
    if decoder not in hwdevices_available():
        return False
    try:
        configs = av.Codec(codec, "r").hardware_configs
    except ValueError:
        return False
    return any(c.is_supported and c.device_type.name == decoder for c in configs)


def works(decoder: Decoder, info: VideoInfo) -> bool:
    """Whether the film's first frame comes out."""
    try:
        with open_source(info.path, accelerator(decoder)) as container:
            stream = container.streams[info.stream_index]
            assert isinstance(stream, av.VideoStream)
            if not stream.codec_context.is_hwaccel:
                return False
            for _, packet in zip(range(_PACKETS), packets(container, stream), strict=False):
                if stream.codec_context.decode(packet):
                    return True
    except (av.error.FFmpegError, InputError, NotImplementedError, RuntimeError):
        pass
    return False
