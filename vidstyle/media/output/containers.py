"""Which file suffix an output gets, and which container a suffix means."""

from __future__ import annotations

from pathlib import Path

from vidstyle.core.errors import UsageError
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.paths import PICTURES, NumberedName

CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".nut": "nut",
    ".gif": "gif",
}
"""FFmpeg's muxer for each suffix that we write."""


def default_suffix(info: VideoInfo) -> str:
    """The input's own suffix where we write that kind of file well, else the kind it really is, else ".mkv"; ".mp4" for a film
    that lies as pictures."""
    if info.pictures:
        return ".mp4"
    own = info.path.suffix.lower()
    demuxers = set(info.container.split(","))
    if own in (".mp4", ".m4v", ".mov") and "mp4" in demuxers:
        return own
    if own in (".mkv", ".webm") and "matroska" in demuxers:
        return own
    if own == ".nut" and "nut" in demuxers:
        return own
    return ".gif" if "gif" in demuxers else ".mkv"


def container_format(output: Path) -> str:
    """FFmpeg's muxer for the suffix of `output`; "image2" for a numbered picture ("%06d.png"). Raises UsageError for
    what we do not write."""
    if NumberedName.parse(output) is not None:
        return "image2"
    if output.suffix.lower() in PICTURES:
        raise UsageError(f"{output}: is one picture; number the film's as {output.stem}-%06d{output.suffix}.")
    name = CONTAINERS.get(output.suffix.lower())
    if name is None:
        known = ", ".join(CONTAINERS)
        raise UsageError(f"{output}: cannot write {output.suffix or 'a file without suffix'}; use one of {known}.")
    return name
