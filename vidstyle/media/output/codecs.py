"""The video encoders we know, with the settings that make sense for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
import av.error
import cv2
from av.codec.codec import Capabilities

from vidstyle.core.errors import UsageError
from vidstyle.media.output.containers import container_format


@dataclass(frozen=True)
class CodecChoice:
    """How one kind of video is encoded."""

    encoder: str
    """FFmpeg's name of the encoder."""
    pix_fmt: str
    deep_pix_fmt: str | None = None
    """Pixel format for 10 bits; None where the encoder has none, or `pix_fmt` is 10 bits deep already."""
    alpha_pix_fmt: str | None = None
    """Pixel format with an alpha plane; None where there is none."""
    crf: int | None = None
    """Default quality; None where the encoder has no constant quality."""
    quality: str = "crf"
    """The encoder's name for it."""
    presets: bool = False
    """Takes x264's preset names ("ultrafast" ... "placebo")."""
    even: bool = False
    """Refuses odd widths and heights."""
    tag: str | None = None
    """Codec tag in mp4 and mov that players expect, where FFmpeg's default is another."""
    segment: str = "nut"
    """Container of a segment file. NUT keeps any time base exactly; what it cannot hold goes into another."""
    containers: tuple[str, ...] = ("mp4", "mov", "matroska", "nut")
    """Muxers that hold it."""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


CODECS: Mapping[str, CodecChoice] = MappingProxyType(
    {
        "h264": CodecChoice("libx264", "yuv420p", "yuv420p10le", crf=18, presets=True, even=True),
        "hevc": CodecChoice(
            "libx265",
            "yuv420p",
            "yuv420p10le",
            crf=20,
            presets=True,
            even=True,
            tag="hvc1",
            options={"x265-params": "log-level=error"},
        ),
        "av1": CodecChoice(
            "libsvtav1",
            "yuv420p",
            "yuv420p10le",
            crf=28,
            containers=("mp4", "matroska", "webm"),
            options={"preset": "8"},
        ),
        "vp9": CodecChoice(
            "libvpx-vp9",
            "yuv420p",
            None,
            "yuva420p",
            crf=26,
            containers=("mp4", "matroska", "webm"),
            options={"b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"},
        ),
        "prores": CodecChoice(
            "prores_ks",
            "yuv422p10le",
            None,
            "yuva444p10le",
            segment="mov",
            containers=("mov", "matroska"),
            options={"profile": "hq"},
        ),
        "ffv1": CodecChoice(
            "ffv1", "bgr0", "gbrp10le", "bgra", containers=("matroska", "nut"), options={"slicecrc": "1"}
        ),
        # Pictures: what the segments hold is written out, as it is or in another format.
        "png": CodecChoice("png", "rgb24", None, "rgba", containers=("image2",)),
        # A GIF is encoded when its segments are joined (one header, one palette road); segments are lossless.
        "gif": CodecChoice("png", "rgb24", None, "rgba", containers=("gif",)),
    }
)
"""By the names that `--codec` takes."""

_NVENC: Mapping[str, str] = MappingProxyType({"rc": "vbr", "b": "0", "preset": "p5"})
HARDWARE: Mapping[str, CodecChoice] = MappingProxyType(
    {
        "h264_nvenc": CodecChoice(
            "h264_nvenc", "yuv420p", crf=19, quality="cq", even=True, options=_NVENC
        ),  # 10 bits only on the newest GPUs
        "hevc_nvenc": CodecChoice(
            "hevc_nvenc", "yuv420p", "p010le", crf=22, quality="cq", even=True, tag="hvc1", options=_NVENC
        ),
        "av1_nvenc": CodecChoice(
            "av1_nvenc",
            "yuv420p",
            "p010le",
            crf=28,
            quality="cq",
            even=True,
            containers=("mp4", "matroska", "webm"),
            options=_NVENC,
        ),
    }
)
"""Encoders of NVIDIA's GPUs, by FFmpeg's names. As it comes, NVENC aims at 2 Mbit/s whatever the picture; here it is told a
quality, as the others are. Not run by us yet. Their bytes may depend on GPU and driver."""

_DEFAULTS = {
    "mp4": "h264",
    "mov": "h264",
    "matroska": "h264",
    "webm": "vp9",
    "nut": "h264",
    "gif": "gif",
    "image2": "png",
}


# x264's AVX-512 code reads memory that it never wrote, so the same frames give other bytes from run to run. Held to
# AVX2, it gives the same ones on every processor that has it (the name is refused, harmlessly, by other architectures).
_CPU_AVX2 = 11  # OpenCV's number


def steady_options(encoder: str) -> dict[str, str]:
    """Options without which `encoder` does not give the same bytes for the same frames."""
    if encoder == "libx264" and cv2.checkHardwareSupport(_CPU_AVX2):
        return {"x264-params": "asm=avx2"}
    return {}


def default_codec(output: Path, *, alpha: bool = False) -> str:
    """The codec for the suffix of `output`: H.264 in mp4, mov and mkv, VP9 in webm, GIF in gif.

    With `alpha`, one that keeps it: ProRes 4444 in mov, VP9 in mkv. Raises UsageError for a suffix that we do not write.
    """
    container = container_format(output)
    if alpha and container in ("mov", "matroska"):
        return "prores" if container == "mov" else "vp9"
    return _DEFAULTS[container]


def find_codec(name: str) -> CodecChoice:
    """The choice for a name of `CODECS`, or for any video encoder of this FFmpeg (such as "h264_nvenc").

    Raises UsageError for an unknown name.
    """
    if name in CODECS:
        return CODECS[name]
    try:
        codec = av.Codec(name, "w")
    except ValueError as error:
        known = ", ".join(CODECS)
        raise UsageError(f"--codec {name}: no such encoder; use one of {known}.") from error
    if name in HARDWARE:
        return HARDWARE[name]
    formats = [f.name for f in codec.video_formats or ()]
    if codec.type != "video":
        raise UsageError(f"--codec {name}: is no video encoder; use one of {', '.join(CODECS)}.")
    usual = next((f for f in ("yuv420p", "nv12") if f in formats), formats[0] if formats else "yuv420p")
    deep = next((f for f in ("yuv420p10le", "p010le", "yuv422p10le") if f in formats), None)
    return CodecChoice(name, usual, deep, even=True)


def check_codec(name: str, output: Path) -> None:
    """Raise UsageError where the container of `output` cannot hold the codec `name`."""
    container = container_format(output)
    choice = find_codec(name)
    if container not in choice.containers:
        fit = [n for n, c in CODECS.items() if container in c.containers]
        raise UsageError(f"{output}: {output.suffix} cannot hold {name}; use --codec {' or '.join(fit)}.")
    if name not in CODECS and not opens(name):
        instead = name.partition("_")[0]
        raise UsageError(
            f"--codec {name}: this FFmpeg lists it, but it does not start here (its hardware or its driver is missing); "
            f"use --codec {instead if instead in CODECS else _DEFAULTS[container]}."
        )


def opens(name: str) -> bool:
    """Whether a video encoder starts on this machine; only those of hardware are tried, as only they may not."""
    codec = av.Codec(name, "w")
    if not codec.capabilities & Capabilities.hardware:
        return True
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 640, 352, find_codec(name).pix_fmt
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    try:
        context.open()
    except (av.error.FFmpegError, NotImplementedError):
        return False
    return True
