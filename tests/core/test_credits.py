"""Every file of the package that is no source has somebody to thank, and terms."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import vidstyle
from vidstyle.core.credits import credits_of_files

PACKAGE = Path(vidstyle.__file__).parent


def test_every_file_has_its_terms_and_every_row_its_file() -> None:
    held = [p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*") if p.is_file()]
    files = [name for name in held if not name.endswith((".py", ".pyc"))]
    rows = credits_of_files()
    assert [name for name in files if not any(fnmatch(name, row.file) for row in rows)] == []
    assert [row.file for row in rows if not any(fnmatch(name, row.file) for name in files)] == []
    assert all(row.what and row.by and row.licence for row in rows)


def test_others_are_named() -> None:
    by = {row.file: (row.by, row.licence) for row in credits_of_files()}
    assert by["weights/vgg16_relu4_1.safetensors"][1] == "CC-BY-4.0"
    assert "Zisserman" in by["weights/vgg16_relu4_1.safetensors"][0]
    assert by["styles/fit/photos/coffee.webp"] == ("Rachel Michetti", "CC0")
