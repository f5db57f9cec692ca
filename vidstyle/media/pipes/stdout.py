"""Standard output for one film and nothing else."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from vidstyle.core.errors import InputError, UsageError

_CHUNK = 1 << 18


class Stdout:
    """Takes standard output over: what anybody else prints, libraries in C included, goes to standard error from then on. A
    context manager that gives it back. A file to those who write to it.

    Raises:
        UsageError: it is a terminal.
    """

    name = "-"

    def __init__(self) -> None:
        if sys.stdout is not None and sys.stdout.isatty():
            raise UsageError("-o -: standard output is a terminal; pipe it into a program, or name a file with -o.")
        self.sent = 0
        """Bytes."""
        if sys.stdout is not None:
            sys.stdout.flush()
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def write(self, data: bytes) -> int:
        """Send all of `data`. Raises InputError where nobody reads any more."""
        view = memoryview(data)
        while view:
            try:
                done = os.write(self._descriptor, view)
            except OSError as error:
                raise self._closed() from error
            self.sent += done
            view = view[done:]
        return len(data)

    def send(self, path: Path) -> None:
        """Send a file. Raises InputError where nobody reads any more."""
        with path.open("rb") as file:
            while data := file.read(_CHUNK):
                self.write(data)

    def check_reader(self) -> None:
        """Raise InputError where who reads has left, before any work is done for nobody."""
        if not hasattr(select, "poll"):
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLERR)
        if any(event & select.POLLERR for _, event in poll.poll(0)):
            raise self._closed()

    def _closed(self) -> InputError:
        return InputError(
            f"-: the program that reads the film has ended, after {self.sent} bytes; the rest is not made."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.dup2(self._descriptor, 1)
        os.close(self._descriptor)
