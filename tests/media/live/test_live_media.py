"""Frames as they come and as they go out: files, pipes, a UDP listener; and addresses that lead nowhere."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vidstyle.core.errors import InputError, UsageError
from vidstyle.media.input.probe import probe
from vidstyle.media.live.broadcast import Broadcast, check_target
from vidstyle.media.live.capture import frames


def test_a_file_comes_at_its_own_pace(make_clip: Callable[..., Path]) -> None:
    clip = make_clip(frames=13, rate=25)
    begun = time.monotonic()
    shapes = [frame.shape for frame in frames(str(clip))]
    assert shapes == [(48, 64, 3)] * 13
    assert 0.45 < time.monotonic() - begun < 5


@pytest.mark.parametrize("source", ["nowhere.mp4", "/dev/video99", "udp://[nonsense", "rtsp://127.0.0.1:9/x"])
def test_what_cannot_be_opened_is_told_at_once(source: str) -> None:
    begun = time.monotonic()
    with pytest.raises(InputError, match=r"no such file|cannot be opened"):
        next(frames(source))
    assert time.monotonic() - begun < 5


def test_sound_alone_is_refused(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="holds no video"):
        next(frames(str(tmp_path / "a.wav")))


def test_a_file_holds_what_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    with Broadcast(str(path), (65, 49)) as out:
        for level in range(5):
            out.write(np.full((49, 65, 3), 40 * level, np.uint8))
            time.sleep(0.02)
    info = probe(path)
    assert (info.width, info.height) == (64, 48)
    assert 0.05 < (info.duration or 0) < 2


def test_a_listener_sees_what_is_sent(make_clip: Callable[..., Path]) -> None:
    """MPEG-TS over UDP to a listener of FFmpeg's own."""
    target, seen = "udp://127.0.0.1:39417", []

    def listen() -> None:
        for frame in frames(f"{target}?timeout=9000000"):
            seen.append(frame)
            if len(seen) == 3:
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    with Broadcast(target, (64, 48)) as out:
        begun = time.monotonic()
        while listener.is_alive() and time.monotonic() - begun < 20:
            out.write(np.full((48, 64, 3), (200, 60, 30), np.uint8))
            time.sleep(0.01)
    assert len(seen) == 3
    assert np.abs(seen[-1].mean((0, 1)) - (200, 60, 30)).max() < 12


@pytest.mark.parametrize("target", ["rtmp://127.0.0.1:9/live", "tcp://127.0.0.1:9"])
def test_nobody_listens(target: str) -> None:
    begun = time.monotonic()
    with pytest.raises(InputError, match="cannot be sent to"):
        Broadcast(target, (64, 48))
    assert time.monotonic() - begun < 5


def test_targets_that_mean_nothing(tmp_path: Path) -> None:
    (tmp_path / "there.mkv").touch()
    for target in ("gopher://x", "file.txt", str(tmp_path / "there.mkv")):
        with pytest.raises(UsageError):
            check_target(target)
    for target in ("-", "v4l2:/dev/video9", "srt://h:1", "new.mp4"):
        check_target(target)


FFMPEG = shutil.which("ffmpeg")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program on this machine")
@pytest.mark.parametrize(
    ("target", "listen"),
    [
        ("rtmp://127.0.0.1:{}/live/key", ["-listen", "1", "-f", "flv", "-i", "{}"]),
        ("tcp://127.0.0.1:{}", ["-f", "mpegts", "-i", "{}?listen"]),
    ],
)
def test_a_server_gets_every_frame(target: str, listen: list[str], tmp_path: Path) -> None:
    """ffmpeg is the server; it needs a moment until it listens, and knows no way to say so."""
    import av

    address, out = target.format(free_port()), tmp_path / "out.mkv"
    words = [str(FFMPEG), "-v", "quiet", *(word.format(address) for word in listen), "-c", "copy", str(out)]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 15
        while True:
            try:
                sink = Broadcast(address, (64, 48))
                break
            except InputError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        with sink:
            for level in range(25):
                sink.write(np.full((48, 64, 3), 10 * level, np.uint8))
                time.sleep(0.01)
        server.wait(20)
    with av.open(str(out)) as container:
        levels = [int(frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)]
    assert len(levels) == 25
    assert levels == sorted(levels)


def test_a_protocol_that_this_ffmpeg_lacks_is_named() -> None:
    """PyAV's wheels have no SRT; where one has it, nobody listens."""
    with pytest.raises(InputError, match=r"does not speak srt; send by rtmp, udp or tcp|cannot be sent to"):
        Broadcast("srt://127.0.0.1:9", (64, 48))
