"""Standard output: the film's alone, and nobody works for a reader that has left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vidstyle.core.errors import UsageError
from vidstyle.media.pipes.stdout import Stdout

PROGRAM = """
import ctypes, pathlib, sys
from vidstyle.core.errors import InputError
from vidstyle.media.pipes.stdout import Stdout
with Stdout() as out:
    print("chatter of Python")
    sys.stdout.flush()
    libc = ctypes.CDLL(None)
    libc.puts(b"chatter of C")
    libc.fflush(None)
    try:
        out.check_reader()
        if sys.argv[1] == "wait":
            sys.stdin.read()
            out.check_reader()
        out.send(pathlib.Path(sys.argv[2]))
    except InputError as error:
        print(error, file=sys.stderr)
print("after")
"""


def start(*args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_nothing_but_the_film(tmp_path: Path) -> None:
    data = os.urandom(700_000)
    (tmp_path / "film").write_bytes(data)
    with start("send", tmp_path / "film") as process:
        out, err = process.communicate(timeout=30)
    assert out == data + b"after\n"
    assert b"chatter of Python" in err
    assert b"chatter of C" in err


@pytest.mark.skipif(sys.platform == "win32", reason="no poll")
@pytest.mark.parametrize("when", ["wait", "send"])
def test_a_reader_that_leaves(when: str, tmp_path: Path) -> None:
    """Before there is anything to send, or in the middle of it."""
    (tmp_path / "film").write_bytes(bytes(1_000_000))
    with start(when, tmp_path / "film") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        if when == "send":
            assert process.stdout.read(10) == bytes(10)
        process.stdout.close()
        process.stdin.close()
        err = process.stderr.read().decode()
        process.wait(30)
    assert "-: the program that reads the film has ended" in err
    assert (", after 0 bytes" in err) == (when == "wait")


def test_a_terminal_gets_no_film(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(UsageError, match="is a terminal"):
        Stdout()
