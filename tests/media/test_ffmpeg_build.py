"""What is told of the FFmpeg that is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from vidstyle.media import ffmpeg_build


@pytest.mark.parametrize(
    ("configuration", "gpl"),
    [
        ("--enable-libx264 --enable-version3 --enable-libx265", ("libx264", "libx265")),
        ("--enable-gpl --enable-libx264rgb", ("its own GPL parts",)),
        ("--disable-libx264 --enable-libvpx", ()),
    ],
)
def test_gpl_parts(monkeypatch: pytest.MonkeyPatch, configuration: str, gpl: tuple[str, ...]) -> None:
    meta: Any = {"libavcodec": {"license": "LGPL", "configuration": configuration, "version": (1, 2, 3)}}
    monkeypatch.setattr(ffmpeg_build, "library_meta", meta)
    build = ffmpeg_build.ffmpeg_build()
    assert build.gpl == gpl
    assert ("under the GPL" in build.sentence) == bool(gpl)


def test_this_one_encodes_h264_only_with_what_it_names() -> None:
    from av.codec import codecs_available

    assert ("libx264" in codecs_available) == ("libx264" in ffmpeg_build.ffmpeg_build().gpl)
