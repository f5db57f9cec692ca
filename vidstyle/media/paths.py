"""What a name means: `folder/%06d.png` as one name for many pictures, folders of pictures and of films, addresses, a pipe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"})
"""Suffixes of pictures that films are made of, and made into."""

VIDEOS = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif", ".avi", ".flv", ".wmv", ".asf", ".ogv", ".mxf"),
        *(".mpg", ".mpeg", ".vob", ".ts", ".m2ts", ".mts", ".3gp", ".3g2", ".y4m"),
    }
)
"""Suffixes of what is taken for a film in a folder."""

PIPE = "-"
"""Standard input or output."""
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.+", re.DOTALL)

_LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"%(?:0(\d{1,2}))?d")


@dataclass(frozen=True)
class NumberedName:
    """`folder/before%0Nd.after` of C's printf; only a file's name can hold the number."""

    folder: Path
    before: str
    digits: int
    """At least so many, filled up with zeros; 1 for %d."""
    after: str

    @classmethod
    def parse(cls, path: Path) -> Self | None:
        """The numbered name that `path` is written as; None where it is an ordinary one, a picture's or not."""
        parts = _NUMBER.split(path.name)
        if len(parts) != 3 or path.suffix.lower() not in PICTURES:
            return None
        before, digits, after = parts
        return cls(path.parent, before, int(digits or 1), after)

    def path(self, number: int) -> Path:
        return self.folder / f"{self.before}{number:0{self.digits}d}{self.after}"

    def existing(self) -> list[tuple[int, Path]]:
        """The files that are there, with their numbers, in order."""
        pattern = re.compile(rf"{re.escape(self.before)}(\d{{{self.digits},}}){re.escape(self.after)}", re.ASCII)
        found = [(int(m[1]), p) for p in _files(self.folder) if (m := pattern.fullmatch(p.name))]
        return sorted(pair for pair in found if self.path(pair[0]).name == pair[1].name)


def find_images(path: Path) -> tuple[Path, ...]:
    """The pictures that `path` means, in order: those of a numbered name, or all of a folder, by name with numbers as numbers
    (2 before 10). None for any other path: a file that is there is itself, whatever its name looks like."""
    if path.is_dir():
        return tuple(sorted((p for p in _files(path) if p.suffix.lower() in PICTURES), key=_natural))
    numbered = None if path.exists() else NumberedName.parse(path)
    return tuple(p for _, p in numbered.existing()) if numbered else ()


def numbers_of(pictures: Sequence[Path]) -> list[int]:
    """The numbers of pictures of one film: the last ones in their names where these differ in nothing else and rise, else 1, 2,
    3 ..."""
    found = [_LAST_NUMBER.fullmatch(path.stem) for path in pictures]
    matches = [match for match in found if match is not None]
    numbers = [int(match[2]) for match in matches]
    alike = len({(match[1], match[3]) for match in matches}) == 1
    if len(matches) == len(pictures) and alike and all(a < b for a, b in pairwise(numbers)):
        return numbers
    return list(range(1, len(pictures) + 1))


def video_name(path: Path) -> str:
    """What outputs of a film are named after: its name without suffix; of pictures the folder they lie in."""
    if path.is_dir():
        return path.resolve().name
    numbered = not path.exists() and NumberedName.parse(path) is not None
    return path.absolute().parent.name if numbered else path.stem


def is_piped(source: str) -> bool:
    """Whether a source is standard input or an address rather than a file."""
    return source == PIPE or ADDRESS.fullmatch(source) is not None


def find_videos(folder: Path) -> tuple[Path, ...]:
    """The films of a folder, by name with numbers as numbers."""
    return tuple(sorted((p for p in _files(folder) if p.suffix.lower() in VIDEOS), key=_natural))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]


def _natural(path: Path) -> tuple[list[tuple[bool, int, str]], str]:
    parts = re.split(r"(\d+)", path.name)
    return [(p.isdecimal(), int(p) if p.isdecimal() else 0, p.casefold()) for p in parts], path.name
