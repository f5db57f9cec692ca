"""Films at addresses: copied once, put back whole, and nothing secret told."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vidstyle.cluster.storage import ScratchCopies, TransferError, is_url, name_of, publish, shown, url_of, videos_at
from vidstyle.core.errors import InputError, UsageError

pytest.importorskip("fsspec")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> ScratchCopies:
    return ScratchCopies(tmp_path / "scratch")


@pytest.fixture
def served(there: Path) -> Iterator[str]:
    """A web server's address of the folder `there`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(there))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s3://bucket/films/a.mp4", "s3://bucket/films/a.mp4"),
        ("https://user:word@host/a.mp4?X-Amz-Signature=abc", "https://host/a.mp4"),
        ("file:///films/a.mp4", "file:///films/a.mp4"),
        ("a.mp4", "a.mp4"),
    ],
)
def test_what_is_told_of_an_address(text: str, told: str) -> None:
    assert shown(text) == told
    assert name_of(text) == "a.mp4"


def test_an_address_survives_being_a_path() -> None:
    for url in ("s3://bucket/a.mp4", "file:///films/a.mp4", "http://host:80/a.mp4?x=1"):
        assert is_url(Path(url))
        assert url_of(Path(url)) == url
    assert not any(map(is_url, ("a.mp4", "C:\\films\\a.mp4", "./s3:/a", "a:b.mp4")))


def test_a_password_in_an_address_is_refused_and_not_told() -> None:
    with pytest.raises(UsageError, match="set them in the environment") as refused:
        url_of("s3://key:secret@bucket/a.mp4")
    assert "secret" not in str(refused.value)


def test_copied_once_and_again_when_it_changed(there: Path, scratch: ScratchCopies) -> None:
    (there / "a.mp4").write_bytes(b"first")
    url = (there / "a.mp4").as_uri()
    copy = scratch.get(url)
    assert copy.read_bytes() == b"first"
    assert copy.name == "a.mp4"
    held = copy.stat().st_ino
    assert scratch.get(url).stat().st_ino == held
    (there / "a.mp4").write_bytes(b"second")
    assert scratch.get(url).read_bytes() == b"second"


def test_many_ask_at_once_and_one_copies(there: Path, scratch: ScratchCopies, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.local import LocalFileSystem

    (there / "a.mp4").write_bytes(b"x" * 100_000)
    copies: list[str] = []
    original = LocalFileSystem.get_file

    def slow(self: Any, path: str, to: str, **more: Any) -> None:
        copies.append(path)
        time.sleep(0.1)
        original(self, path, to, **more)

    monkeypatch.setattr(LocalFileSystem, "get_file", slow)
    threads = [threading.Thread(target=scratch.get, args=((there / "a.mp4").as_uri(),)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(copies) == 1


def test_what_breaks_off_is_not_taken(there: Path, scratch: ScratchCopies, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.local import LocalFileSystem

    (there / "a.mp4").write_bytes(b"x" * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "get_file", lambda self, path, to, **_: Path(to).write_bytes(b"x" * 10))
        with pytest.raises(TransferError, match="10 of 1000 bytes"):
            scratch.get((there / "a.mp4").as_uri())
    assert scratch.get((there / "a.mp4").as_uri()).stat().st_size == 1000


def test_the_oldest_copies_make_room(there: Path, scratch: ScratchCopies, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = []
    for i, age in enumerate((9000, 8000, 10)):  # seconds; the last one may be in use
        (there / f"{i}.mp4").write_bytes(b"x" * 100)
        copies.append(scratch.get((there / f"{i}.mp4").as_uri()))
        os.utime(copies[-1], (time.time() - age,) * 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Disk", (), {"free": 200})())  # half of 500 may be used
    (there / "new.mp4").write_bytes(b"x" * 100)
    scratch.get((there / "new.mp4").as_uri())
    assert [copy.exists() for copy in copies] == [False, False, True]
    (there / "large.mp4").write_bytes(b"x" * 1000)
    with pytest.raises(InputError, match="no room"):
        scratch.get((there / "large.mp4").as_uri())


def test_from_a_web_server(there: Path, served: str, scratch: ScratchCopies) -> None:
    pytest.importorskip("aiohttp")
    (there / "a.mp4").write_bytes(b"film")
    assert scratch.get(f"{served}/a.mp4?token=hidden").read_bytes() == b"film"
    with pytest.raises(InputError, match=r"gone\.mp4: there is no such thing") as refused:
        scratch.get(f"{served}/gone.mp4?token=hidden")
    assert "hidden" not in str(refused.value)


def test_a_folder_at_an_address(there: Path) -> None:
    for name in ("b.mp4", "a.mkv", "notes.txt"):
        (there / name).write_bytes(b"")
    assert videos_at(there.as_uri()) == [(there / "a.mkv").as_uri(), (there / "b.mp4").as_uri()]
    assert videos_at("s3://bucket/a.mp4") == ["s3://bucket/a.mp4"]
    (there / "sub").mkdir()
    with pytest.raises(InputError, match="holds no film"):
        videos_at((there / "sub").as_uri())


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("nosuch://bucket/a.mp4", UsageError, "no kind of address"),
        ("file:///no/such/a.mp4", InputError, "there is no such thing"),
        ("http://127.0.0.1:9/a.mp4?token=hidden", TransferError, "could not be reached"),
    ],
)
def test_refused(url: str, error: type[Exception], words: str, scratch: ScratchCopies) -> None:
    pytest.importorskip("aiohttp")
    with pytest.raises(error, match=words) as refused:
        scratch.get(url)
    assert "hidden" not in str(refused.value)


def test_published_whole(there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    publish(film, f"{there.as_uri()}/new/film.mp4")
    assert (there / "new" / "film.mp4").read_bytes() == b"film"
    assert [p.name for p in (there / "new").iterdir()] == ["film.mp4"]
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    from fsspec.implementations.local import LocalFileSystem

    monkeypatch.setattr(LocalFileSystem, "put_file", full)
    with pytest.raises(TransferError, match="could not be reached"):
        publish(film, f"{there.as_uri()}/other.mp4")
    assert film.exists()
    assert not (there / "other.mp4").exists()
