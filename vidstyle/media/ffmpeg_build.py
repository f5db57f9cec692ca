"""The FFmpeg that PyAV brought along: how it was built, and what it says of its licence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from av._core import ffmpeg_version_info, library_meta

_GPL = ("libx264", "libx265")


@dataclass(frozen=True)
class FFmpegBuild:
    """An FFmpeg as it is loaded."""

    version: str
    licence: str
    """Its own words, which do not count the libraries that it was linked with."""
    gpl: tuple[str, ...]
    """Libraries and parts under the GPL that it was built with, of those that are known here."""

    @property
    def sentence(self) -> str:
        """What follows for somebody who passes it on."""
        about = f'FFmpeg {self.version}, by PyAV, says of itself "{self.licence}"'
        if not self.gpl:
            return f"{about}, and was built without {' and '.join(_GPL)}."
        return (
            f"{about}, but was built with {' and '.join(self.gpl)}, whose licence is GPL-2.0-or-later: who passes this "
            "FFmpeg on, or a program that contains it, has to do so under the GPL. What is made with it, a video, is not "
            "concerned."
        )


def ffmpeg_build() -> FFmpegBuild:
    """The FFmpeg of this installation."""
    about = library_meta["libavcodec"]
    enabled = set(re.findall(r"--enable-([\w-]+)", about["configuration"]))
    parts = [*(name for name in _GPL if name in enabled), *(["its own GPL parts"] if "gpl" in enabled else [])]
    return FFmpegBuild(ffmpeg_version_info, about["license"], tuple(parts))
