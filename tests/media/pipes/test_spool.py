"""Pipes and addresses become files: whole, or a sentence."""

import io
import shutil
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from vidstyle.core.errors import InputError, UsageError
from vidstyle.media.paths import is_piped
from vidstyle.media.pipes.spool import spool


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.startswith("/short"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Address of a server of `tmp_path`."""

    def handler(*args: Any) -> Handler:
        return Handler(*args, directory=str(tmp_path))

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "spooled"
    path.mkdir()
    return path


def pipe_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_what_is_piped() -> None:
    assert [is_piped(s) for s in ("-", "http://h/a.mp4", "rtsp://h:1/x", "a.mp4", "C:/a.mp4", "C://a.mp4", "-x")] == [
        *(True, True, True),
        *(False, False, False, False),
    ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    data = bytes(range(256)) * 10_000
    pipe_in(monkeypatch, data)
    assert spool("-", folder).read_bytes() == data


def test_nothing_came(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    pipe_in(monkeypatch, b"")
    with pytest.raises(InputError, match="-: nothing came"):
        spool("-", folder)


def test_a_terminal_is_no_pipe(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    pipe_in(monkeypatch, b"x")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    with pytest.raises(UsageError, match="nothing is piped"):
        spool("-", folder)


def test_a_disk_is_never_filled(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    pipe_in(monkeypatch, b"x" * 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100 << 20))
    with pytest.raises(InputError, match="nearly full"):
        spool("-", folder)


def test_an_address_is_copied_byte_for_byte(server: str, tmp_path: Path, folder: Path) -> None:
    data = bytes(range(256)) * 10_000
    (tmp_path / "My film.mp4").write_bytes(data)
    path = spool(f"{server}/My%20film.mp4?key=1", folder)
    assert (path.name, path.read_bytes()) == ("My_film.mp4", data)


@pytest.mark.parametrize(
    ("name", "words"), [("/none.mp4", "answers 404"), ("/short", "broke off after 10 of 1000 bytes")]
)
def test_a_server_that_fails(name: str, words: str, server: str, folder: Path) -> None:
    with pytest.raises(InputError, match=words):
        spool(server + name, folder)


def test_nobody_listens(server: str, folder: Path) -> None:
    port = server.rpartition(":")[2]
    for address in ("http://127.0.0.1:1/a.mp4", "rtmp://127.0.0.1:1/a", f"http://127.0.0.1:{port}0000/a"):
        with pytest.raises(InputError, match="cannot be read"):
            spool(address, folder)


def test_a_playlist_is_collected(server: str, tmp_path: Path, make_clip: Any, folder: Path) -> None:
    """HLS: pictures, sound and times of both pieces, in one clock."""
    whole = make_clip("whole.mkv", frames=50, sound="aac", options={"g": "25", "bf": "0"})
    with (
        av.open(str(whole)) as source,
        av.open(
            str(tmp_path / "list.m3u8"), "w", format="hls", options={"hls_time": "1", "hls_list_size": "0"}
        ) as target,
    ):
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    path = spool(f"{server}/list.m3u8", folder)
    assert path.suffix == ".nut"

    def times(file: Path, kind: str) -> list[Fraction]:
        with av.open(str(file)) as container:
            stream = next(s for s in container.streams if s.type == kind)
            return sorted(p.pts * p.time_base for p in container.demux(stream) if p.size)

    got, expected = times(path, "video"), times(whole, "video")
    assert [float(t - got[0]) for t in got] == pytest.approx([float(t - expected[0]) for t in expected], abs=1e-4)
    lag = times(whole, "audio")[0] - expected[0]
    assert float(times(path, "audio")[0] - got[0]) == pytest.approx(float(lag), abs=0.002)
    short = spool(f"{server}/list.m3u8", tmp_path, seconds=Fraction(1, 2))
    assert 12 <= len(times(short, "video")) <= 14


def test_a_playlist_reads_no_file_of_ours(server: str, tmp_path: Path, make_clip: Any, folder: Path) -> None:
    secret = make_clip("secret.ts")
    (tmp_path / "evil.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(InputError, match="cannot be read"):
        spool(f"{server}/evil.m3u8", folder)
