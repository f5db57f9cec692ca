"""Checks before work: whatever can be refused is refused before anything is written or any model is loaded."""

from __future__ import annotations

import os
from pathlib import Path

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import same_file
from vidstyle.media.paths import NumberedName, find_pictures
from vidstyle.pipeline.plan.journal import journal_folder


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
        check_numbered(source, output, numbered, overwrite=overwrite)
        return
    if same_file(source, output):
        raise UsageError(f"{output}: is the input itself; choose another output with -o.")
    if output.is_dir():
        raise UsageError(f"{output}: is a folder; name a file in it with -o.")
    if os.path.lexists(output) and not overwrite:
        raise OutputExists(output, "exists already; add -y to replace it")
    check_folder(output)


def check_numbered(source: Path, output: Path, name: NumberedName, *, overwrite: bool) -> None:
    there = {path.resolve() for _, path in name.existing()}
    if there & {path.resolve() for path in (source, *find_pictures(source))}:
        raise UsageError(f"{output}: its pictures are the input's; choose another output with -o.")
    if there and not overwrite:
        # A run that was killed while its pictures got their names goes on with --resume: its journal is still there.
        if any(journal_folder(output).glob("*.seg")):
            return
        raise OutputExists(output, f"{len(there)} such pictures exist already; add -y to replace them")
    check_folder(name.folder if not name.folder.exists() else output)


def check_folder(output: Path) -> None:
    """Refuse an output whose folder is missing or cannot be written to."""
    folder = output.absolute().parent
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist; make it first"
        raise InputError(f"{output}: the folder {folder} {what}, or choose another output with -o.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{output}: the folder {folder} cannot be written to; choose another output with -o.")


def check_journal(output: Path, *, overwrite: bool, resume: bool) -> None:
    """Refuse to throw an unfinished run's work away without being told to. Raises UsageError."""
    folder = journal_folder(output)
    if resume or overwrite or not any(folder.glob("*.seg")):
        return
    raise UsageError(
        f"{folder}: holds an unfinished run of this output; add --resume to go on with it, or -y to start over."
    )
