"""The two kinds of failure a user can meet, each carrying its exit code.

A message is one sentence: the file, the cause, the way out. It speaks of the options of the command line, which is where most
people meet it; `in_api_words` says the same to those who call functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable


class VidstyleError(Exception):
    """Base of every error that is reported to the user as one sentence, without a traceback."""

    exit_code: int = 1


class InputError(VidstyleError):
    """The input or the work failed: unreadable file, no video, damage, disk full (exit code 1)."""

    exit_code = 1


class UsageError(VidstyleError):
    """The command was wrong: options, unknown style name, output exists, output = input (exit code 2)."""

    exit_code = 2


class SettingError(UsageError):
    """A value of an option, which a program may have set as well: told in the words of the API.

    Attributes:
        in_command: the same sentence in those of the command line.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(in_api_words(sentence))
        self.in_command = sentence


_API_WORDS: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r" with -o\b", ""),
    (r"\banother -o\b", "another output"),
    (r"\badd -y\b", "pass overwrite=True"),
    (r"\bwith -y\b", "with overwrite=True"),
    (r", or -y to\b", ", or overwrite=True to"),
    (r"\badd --resume\b", "pass resume=True"),
    (r"--resume\b", "resume=True"),
    (r"--style (NAME|picture\.jpg|the picture)", r"\1"),
    (r"--style(?![-a-z])", "styles"),
    (r"--([a-z]+(?:-[a-z]+)*)", lambda found: found[1].replace("-", "_")),
)


def in_api_words(sentence: str) -> str:
    """A sentence that names options as one that names arguments: "--max-side 3" as "max_side 3"."""
    for pattern, words in _API_WORDS:
        sentence = re.sub(pattern, words, sentence)
    return sentence
