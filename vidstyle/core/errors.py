"""The two kinds of failure a user can meet, each carrying its exit code.

A message is one sentence: the file, the cause, the way out.
"""

from __future__ import annotations


class VidstyleError(Exception):
    """Base of every error that is reported to the user as one sentence, without a traceback."""

    exit_code: int = 1


class InputError(VidstyleError):
    """The input or the work failed: unreadable file, no video, damage, disk full (exit code 1)."""

    exit_code = 1


class UsageError(VidstyleError):
    """The command was wrong: options, unknown style name, output exists, output = input (exit code 2)."""

    exit_code = 2
