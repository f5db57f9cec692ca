"""Checks before work: whatever can be refused is refused before anything is written or any model is loaded."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import same_file
from vidstyle.media.paths import NumberedName, find_images
from vidstyle.pipeline.plan.journal import in_use, journal_folder


class OutputExists(UsageError):
    """There is something under the output's name already."""

    def __init__(self, output: Path, what: str) -> None:
        super().__init__(f"{output}: {what}, or choose another output with -o.")
        self.output = output


def check_output(source: Path, output: Path, *, overwrite: bool) -> None:
    """Refuse an output that is the input (also by link), exists without leave, or lies where nothing can be written.

    A numbered name is refused where any picture of it exists, or is one of the input's; its folder is made if only that is
    missing.

    Raises:
        UsageError: the command was wrong (exit code 2).
        InputError: the place is (exit code 1).
    """
    numbered = NumberedName.parse(output)
    if numbered is not None:
        _check_numbered(source, output, numbered, overwrite=overwrite)
        return
    _check_name(output)
    if same_file(source, output):
        raise UsageError(f"{output}: is the input itself; choose another output with -o.")
    if output.is_dir():
        raise UsageError(f"{output}: is a folder; name a file in it with -o.")
    if output.exists() and not output.is_file():
        raise UsageError(f"{output}: is a pipe or a device; choose a file with -o.")
    if os.path.lexists(output) and not overwrite:
        raise OutputExists(output, "exists already; add -y to replace it")
    _check_folder(output)


def _check_name(output: Path) -> None:
    """Refuse what is no file's name: standard output, an address, and a name longer than the file system takes, in bytes.

    Raises:
        UsageError: it is one of these.
    """
    if str(output) == "-":
        raise UsageError("-: standard output is not written to; name a file with -o.")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(output)):
        raise UsageError(f"{output}: is an address, which is not written to; name a file with -o.")
    length, most = len(os.fsencode(output.name)), _longest_name(output.absolute().parent)
    if length > most:
        raise UsageError(
            f"{output}: this name has {length} bytes, of which the file system takes {most}; choose a shorter one with -o."
        )


def _longest_name(folder: Path) -> int:
    """Bytes that a file's name may have in a folder."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (
        OSError,
        AttributeError,
        ValueError,
    ):  # no such folder, which is another check's business, or no such question
        return 255


def _check_numbered(source: Path, output: Path, name: NumberedName, *, overwrite: bool) -> None:
    there = {path.resolve() for _, path in name.existing()}
    if there & {path.resolve() for path in (source, *find_images(source))}:
        raise UsageError(f"{output}: its pictures are the input's; choose another output with -o.")
    if there and not overwrite:
        # A run that was killed while its pictures got their names goes on with --resume: its journal is still there.
        if any(journal_folder(output).glob("*.seg")):
            return
        raise OutputExists(output, f"{len(there)} such pictures exist already; add -y to replace them")
    _check_folder(name.folder if not name.folder.exists() else output)


def _check_folder(output: Path) -> None:
    """Refuse an output whose folder is missing or cannot be written to."""
    folder = output.absolute().parent
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist; make it first"
        raise InputError(f"{output}: the folder {folder} {what}, or choose another output with -o.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{output}: the folder {folder} cannot be written to; choose another output with -o.")


def check_journal(output: Path, *, overwrite: bool, resume: bool) -> None:
    """Refuse an output that another run is writing, and to throw an unfinished run's work away without being told to.

    Raises:
        UsageError: one of these.
    """
    folder = journal_folder(output)
    if in_use(folder):
        raise UsageError(f"{output}: another run is writing this output; wait for it, or choose another with -o.")
    if resume or overwrite or not any(folder.glob("*.seg")):
        return
    raise UsageError(
        f"{folder}: holds an unfinished run of this output; add --resume to go on with it, or -y to start over."
    )
