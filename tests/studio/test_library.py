"""Uploads: taken in pieces, typed by opening, limited, kept under keys that nobody can guess, deleted after a while."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest

from vidstyle.core.errors import InputError
from vidstyle.studio.library import Item, Kind, Library, TooLarge, shown_name

Make = Callable[..., Library]


def send(library: Library, *pieces: bytes, kind: Kind = "video", name: str = "a.mp4", client: str = "me") -> Item:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return anyio.run(library.receive, stream(), kind, name, client)


def left(library: Library) -> list[str]:
    return sorted(path.name for path in library.folder.rglob("*"))


def test_an_upload_lies_under_its_key(library: Make) -> None:
    held = library()
    item = send(held, b"v12", b"345", name="../../etc/pass\x00wd")
    assert held.get(item.id) == item
    assert item.path.read_bytes() == b"v12345"
    assert item.path.parent == held.folder / item.id
    assert (item.name, item.bytes, item.path.name) == ("passwd", 6, "video.mp4")
    assert not {"path", "client", "suffix"} & item.told().keys()


def test_what_is_not_what_it_should_be_leaves_nothing(library: Make) -> None:
    held = library(picture_bytes=4)
    for pieces in ((b"nothing",), (), (b"p123", b"4")):
        with pytest.raises(InputError, match=r"a\.mp4"):
            send(held, *pieces, kind="picture")
    assert left(held) == []


def test_an_upload_that_is_too_large_is_broken_off(library: Make) -> None:
    held, taken = library(video_bytes=10), []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            taken.append(1)
            yield b"v" * 4

    with pytest.raises(TooLarge):
        anyio.run(held.receive, endless(), "video", "big.mp4", "me")
    assert len(taken) == 3
    assert left(held) == []


def test_a_full_folder_takes_no_more(library: Make) -> None:
    with pytest.raises(TooLarge, match="full"):
        send(library(folder_bytes=3), b"v123")


def test_clients_see_their_own(library: Make) -> None:
    held = library()
    mine, yours = send(held, b"v1"), send(held, b"v2", client="you")
    assert [item.id for item in held.items("me")] == [mine.id]
    assert [item.id for item in held.items("you")] == [yours.id]
    assert {item.id for item in held.items()} == {mine.id, yours.id}


@pytest.mark.parametrize(
    "key", ["", ".", "..", "../jobs", "a/b", "x" * 22, "\0" * 22, "../" * 7 + "a", "%2e" * 7 + "a"]
)
def test_a_key_is_never_a_path(library: Make, key: str) -> None:
    held = library()
    assert held.get(key) is None
    held.remove(key)
    assert held.folder.is_dir()


def test_old_uploads_go_but_for_those_in_use(library: Make, tmp_path: Path) -> None:
    held = library(keep_hours=1)
    old, used, fresh = send(held, b"v1"), send(held, b"v2"), send(held, b"v3")
    broken = held.folder / ".left.part"
    broken.mkdir()
    for path in (held.folder / old.id / "about.json", held.folder / used.id / "about.json", broken):
        os.utime(path, (1, 1))
    assert held.sweep({used.id}) == 2
    assert {item.id for item in held.items()} == {used.id, fresh.id}
    held.touch(used)
    assert held.sweep(()) == 0


def test_a_video_that_was_named_by_its_path_stays(library: Make, tmp_path: Path) -> None:
    held, video = library(), tmp_path / "mine.mp4"
    video.write_bytes(b"v1")
    item = held.add_path(video, "me")
    held.remove(item.id)
    assert video.exists()
    assert held.get(item.id) is None


def test_names_are_shown_without_folders() -> None:
    assert shown_name("C:\\films\\a b.mp4") == "a b.mp4"
    assert shown_name("/\n") == "unnamed"
    assert len(shown_name("x" * 500)) == 120
