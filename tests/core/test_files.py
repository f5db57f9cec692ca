"""Files of the user: what is refused before it is opened, and where an output lands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vidstyle.core.errors import InputError
from vidstyle.core.files import atomic_output, cause, check_readable


def test_a_pipe_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", Path("/dev/zero")):
        with pytest.raises(InputError, match=f"{path}: is a pipe or a device, not a file"):
            check_readable(path)


@pytest.mark.parametrize("there", [True, False])
def test_an_output_is_written_through_a_symbolic_link(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "folder" / "target.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to("folder/target.txt")
    with atomic_output(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert sorted(p.name for p in target.parent.iterdir()) == ["target.txt"]


@pytest.mark.parametrize("name", ["n" * 251 + ".txt", "ü" * 125 + ".txt", "🎨" * 62 + ".txt", "n." + "x" * 250])
def test_a_name_as_long_as_the_file_system_takes(tmp_path: Path, name: str) -> None:
    with atomic_output(tmp_path / name) as temporary:
        temporary.write_text("x")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_causes_have_no_numbers(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none", "no such file or directory"), (tmp_path, "is a directory")):
        with pytest.raises(OSError, match="Errno") as failure:
            path.read_bytes()
        assert cause(failure.value) == words
    with pytest.raises(UnicodeDecodeError) as garbled:
        b"\xff".decode()
    assert cause(garbled.value) == "not text in UTF-8"
