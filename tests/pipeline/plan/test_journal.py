"""What the journal says is true, whatever killed the run that wrote it."""

import json
from pathlib import Path

import pytest

from vidstyle.core.differences import differences
from vidstyle.core.errors import InputError, UsageError
from vidstyle.pipeline.plan.fingerprint import SAMPLE_BYTES, SAMPLES, file_sample
from vidstyle.pipeline.plan.journal import Journal, journal_folder

PRINT = {"input": {"bytes": 3}, "video": {"crf": 18}, "chunk": 4}


def write(journal: Journal, segment: int, data: bytes, frames: int) -> None:
    journal.partial(segment).write_bytes(data)
    journal.finish(segment, frames)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return journal_folder(tmp_path / "out.mp4")


def test_remembers(folder: Path) -> None:
    with Journal.create(folder, PRINT) as journal:
        write(journal, 0, b"abc", 5)
        journal.skip(1, 10**9)
        write(journal, 10**9, b"defg", 2)
        journal.end(10**9 + 1)
    with Journal.reopen(folder) as again:
        assert again.done == {0: 5, 10**9: 2}
        assert again.empty == [(1, 10**9)]
        assert sorted(again.covered()) == [(0, 1), (1, 10**9), (10**9, 10**9 + 1)]
        assert again.total == 10**9 + 1
        assert [p.read_bytes() for p in again.parts()] == [b"abc", b"defg"]
        again.require(PRINT)
        again.remove()
    assert not folder.exists()


def test_torn_line_is_ignored_and_repaired(folder: Path) -> None:
    with Journal.create(folder, PRINT) as journal:
        write(journal, 0, b"abc", 5)
    with (folder / "done.jsonl").open("a") as file:
        file.write('{"segment": 1, "fra')
    with Journal.reopen(folder) as again:
        assert again.done == {0: 5}
        write(again, 1, b"x", 1)
    with Journal.reopen(folder) as third:
        assert third.done == {0: 5, 1: 1}


def test_a_listed_file_that_is_not_whole_is_not_done(folder: Path) -> None:
    with Journal.create(folder, PRINT) as journal:
        write(journal, 0, b"abc", 5)
        write(journal, 1, b"abc", 5)
        write(journal, 2, b"abc", 5)
        journal.path(0).write_bytes(b"ab")
        journal.path(1).unlink()
    with Journal.reopen(folder) as again:
        assert again.done == {2: 5}


def test_create_clears_what_was_there(folder: Path) -> None:
    with Journal.create(folder, PRINT) as journal:
        write(journal, 0, b"abc", 5)
    with Journal.create(folder, PRINT) as fresh:
        assert fresh.done == {}
    assert sorted(p.name for p in folder.iterdir() if p.name != "lock") == ["run.json"]
    assert json.loads((folder / "run.json").read_text()) == PRINT


def test_private(folder: Path) -> None:
    with Journal.create(folder, PRINT):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_two_runs_do_not_share_a_journal(folder: Path) -> None:
    with Journal.create(folder, PRINT), pytest.raises(UsageError, match="another run"):
        Journal.reopen(folder)


@pytest.mark.parametrize("content", [None, "{", ""])
def test_unreadable_journal(folder: Path, content: str | None) -> None:
    folder.mkdir()
    if content is not None:
        (folder / "run.json").write_text(content)
    with pytest.raises(UsageError, match="start over with -y"):
        Journal.reopen(folder)


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written to"):
        Journal.create(tmp_path / "no" / "where" / "x.vidstyle", PRINT)


def test_refuses_with_the_reason(folder: Path) -> None:
    with Journal.create(folder, PRINT) as journal, pytest.raises(UsageError, match=r"video.crf \(18 then, 20 now\)"):
        journal.require({**PRINT, "video": {"crf": 20}})


def test_a_journal_of_before_is_read_by_the_names_of_now(folder: Path) -> None:
    with Journal.create(folder, {"look": {"strength": 1.0}, "film": {"crf": 18}, "chunk": 4}):
        pass
    with Journal.reopen(folder) as again:
        again.require({"style": {"strength": 1.0}, "video": {"crf": 18}, "chunk": 4})


def test_a_journal_that_holds_something_else_is_refused(folder: Path) -> None:
    with Journal.create(folder, PRINT):
        pass
    (folder / "run.json").write_text("[1]")
    with pytest.raises(UsageError, match="no journal that can be read"):
        Journal.reopen(folder)


def test_long_names_fit(tmp_path: Path) -> None:
    long = journal_folder(tmp_path / ("ä" * 120 + ".mp4"))
    long.mkdir()
    assert long != journal_folder(tmp_path / ("ä" * 119 + ".mp4"))


def test_differences() -> None:
    assert differences(PRINT, PRINT) == []
    assert differences({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3, "d": 4}}) == [
        "b.c (2 then, 3 now)",
        "b.d (None then, 4 now)",
    ]


@pytest.mark.parametrize("size", [0, 1, 1000, SAMPLES * SAMPLE_BYTES, SAMPLES * SAMPLE_BYTES + 12345])
def test_sample_sees_first_and_last_byte(tmp_path: Path, size: int) -> None:
    path = tmp_path / "film"
    data = bytearray(size)
    seen = set()
    for change in (None, 0, size - 1):
        if change is not None and size:
            data[change] ^= 255
        path.write_bytes(data)
        seen.add(json.dumps(file_sample(path)))
    assert len(seen) == (3 if size > 1 else 2 if size else 1)
