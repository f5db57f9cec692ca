"""A command as a user types it, without a process of its own: one takes seconds to import torch."""

from __future__ import annotations

import io
import os
import threading
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from vidstyle.cli import main


@dataclass(frozen=True)
class Finished:
    """What a command has left; fields are named as in subprocess.CompletedProcess."""

    returncode: int
    stdout: str
    stderr: str


def vidstyle(*arguments: object) -> Finished:
    """`vidstyle ARGUMENTS`; what it changes of the process (environment, hooks) is undone."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        patch.dict(os.environ),
        patch.object(threading, "excepthook", threading.excepthook),
    ):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Finished(code, out.getvalue(), err.getvalue())
