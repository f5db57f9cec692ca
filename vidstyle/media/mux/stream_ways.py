"""How each stream of the source may be taken along: the ways there are, best first, each with what is said of it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from vidstyle.media.input.video_info import StreamInfo
from vidstyle.media.mux.transcode import TEXT_ENCODERS, TEXT_SUBTITLES

IMAGE_TYPES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "bmp": ("bmp", "image/bmp")}
"""Suffix and MIME type of cover art, by codec."""


@dataclass(frozen=True)
class Way:
    """One way to take a stream along."""

    kind: Literal["copy", "encode", "text", "attachment", "cover", "leave"]
    """As it is; sound or text encoded anew; as an attachment of Matroska, as it is or as cover art; not at all."""
    why: str = ""
    """Why the stream is left out, for a sentence; empty where there is nothing to say."""


@dataclass(frozen=True)
class Holder:
    """The container that is written."""

    format: str
    """FFmpeg's name of the muxer."""
    suffix: str
    codecs: Set[str]
    """Names of decoders whose packets it holds."""


def ways(about: StreamInfo, decoder: str | None, holder: Holder, *, chapters: bool) -> tuple[Way, ...]:
    """The ways for one stream, best first; the last one never fails.

    Args:
        about: the stream.
        decoder: FFmpeg's name of its decoder; None where there is none.
        chapters: the source has chapters, which are written anew.
    """
    cannot = Way("leave", f"{holder.suffix} cannot hold it")
    held = decoder in holder.codecs
    if about.attached_picture:
        known = about.codec in IMAGE_TYPES and decoder is not None
        kept = {"matroska": Way("cover"), "mp4": Way("copy"), "mov": Way("copy")}.get(holder.format) if known else None
        return (cannot,) if kept is None else (kept, cannot)
    if about.type == "audio":
        if about.codec == "unknown":
            return (Way("leave", "its sound is of an unknown kind"),)
        return (*((Way("copy"),) if held else ()), Way("encode"), Way("leave", "it cannot be read"))
    if about.type == "video":
        return (Way("leave", "only one video stream is styled"),)
    if about.type == "subtitle":
        text = about.codec in TEXT_SUBTITLES and holder.format in TEXT_ENCODERS
        return (*((Way("copy"),) if held else ()), *((Way("text"),) if text else ()), cannot)
    if about.type == "attachment":
        return (Way("attachment"), cannot) if holder.format == "matroska" else (cannot,)
    return _data(about, holder, cannot, held=held, chapters=chapters)


def _data(about: StreamInfo, holder: Holder, cannot: Way, *, held: bool, chapters: bool) -> tuple[Way, ...]:
    if about.tag == "tmcd" or (about.tag == "text" and chapters):
        return (Way("leave"),)  # both are written anew, from the tags and the list of chapters
    if about.codec in ("unknown", "none"):
        return (Way("leave", f"its kind ({about.tag}) is not known" if about.tag else "its kind is not known"),)
    # Telemetry has no decoder that the muxer could be asked about; GoPro's is the one that has a name of its own.
    named = about.codec != "bin_data" or about.tag == "gpmd"
    family = holder.format in ("mp4", "mov")
    return (Way("copy"), cannot) if held or (named and family) else (cannot,)
