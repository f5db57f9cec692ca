"""A process that does for the server what might crash, hang or take a model: it answers calls, one after the other.

A call that takes too long, or that ends the process, is an InputError of that call; the next one finds a fresh process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from vidstyle.core.errors import InputError, VidstyleError

Functions = Mapping[str, Callable[..., Any]]
MakeFunctions = Callable[..., Functions]
"""Given the helper's arguments, in its own process: the functions by name. A function of a module, so that it can be named to
another process."""


class HelperProcess:
    """The server's end. Calls may come from several threads; they take turns.

    Args:
        make: gives the functions that can be called, in the process.
        args: of `make`.
        quiet_names: what a file is called in messages: full paths are nobody's business.
    """

    def __init__(self, make: MakeFunctions, *args: Any) -> None:
        self._make, self._args = make, args
        self._turn = threading.Lock()
        self._process: SpawnProcess | None = None
        self._line: Connection[Any, Any] | None = None

    def call(self, function: str, *args: Any, timeout: float = 60.0) -> Any:
        """What the function gives.

        Raises:
            InputError: what it raised, in its words; or that it took too long or ended its process.
        """
        with self._turn:
            line = self._started()
            try:
                line.send((function, args))
                if not line.poll(timeout):
                    self._stop()
                    raise InputError(f"this took more than {timeout:.0f} seconds and was given up.")
                done, value = line.recv()
            except (EOFError, OSError) as error:
                self._stop()
                raise InputError("the process that worked on this ended; the file may be damaged.") from error
        if not done:
            raise InputError(value)
        return value

    def start(self) -> None:
        """Start the process now, so that the first call need not wait."""
        with self._turn:
            self._started()

    @property
    def pid(self) -> int | None:
        """Of the process; None before it has started."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process, in the middle of a call as well."""
        process = self._process
        if process is not None:
            process.kill()
            process.join(5)

    def _started(self) -> Connection[Any, Any]:
        if self._line is None or self._process is None or not self._process.is_alive():
            self._stop()
            context = multiprocessing.get_context("spawn")
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._make, self._args), daemon=True)
            self._process.start()
            theirs.close()
        return self._line

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(5)
        if self._line is not None:
            self._line.close()
        self._process = self._line = None


def _serve(line: Connection[Any, Any], make: MakeFunctions, args: tuple[Any, ...]) -> None:
    """Answer calls until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's; it ends us
    functions = make(*args)
    while True:
        try:
            name, given = line.recv()
        except (EOFError, OSError):
            os._exit(0)
        try:
            answer = (True, functions[name](*given))
        except VidstyleError as error:
            answer = (False, str(error))
        except MemoryError:
            answer = (False, "not enough memory for this; try a smaller size.")
        except Exception as error:
            answer = (False, f"{type(error).__name__}: {error}")
        try:
            line.send(answer)
        except OSError:
            os._exit(0)
