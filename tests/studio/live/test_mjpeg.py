"""The page of `vidstyle live`: what a browser, OBS or FFmpeg sees of it."""

import threading
import urllib.request
from collections.abc import Iterator

import av
import numpy as np
import pytest

from vidstyle.studio.live.mjpeg import MjpegPage


@pytest.fixture
def page() -> Iterator[MjpegPage]:
    page = MjpegPage(0, {"/vidstyle/next": "a < b"})
    yield page
    page.close()


def read(page: MjpegPage, path: str) -> str:
    with urllib.request.urlopen(page.address + path, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def test_the_page_tells_the_messages(page: MjpegPage) -> None:
    text = read(page, "")
    assert "<dt>/vidstyle/next</dt><dd>a &lt; b</dd>" in text
    assert 'src="/stream.mjpeg"' in text


def test_ffmpeg_sees_the_newest_pictures(page: MjpegPage) -> None:
    ended = threading.Event()

    def paint() -> None:
        for level in range(0, 250, 2):
            page.write(np.full((48, 64, 3), level, np.uint8))
            if ended.wait(0.02):
                return

    painter = threading.Thread(target=paint)
    painter.start()
    try:
        with av.open(page.address + "stream.mjpeg", format="mpjpeg", timeout=10) as stream:
            levels = [
                float(frame.to_ndarray(format="gray").mean())
                for frame, _ in zip(stream.decode(video=0), range(3), strict=False)
            ]
    finally:
        ended.set()
        painter.join()
    assert len(levels) == 3
    assert levels == sorted(set(levels))
