"""What is installed for vidstyle, under what licences, and what native libraries came along in the wheels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from vidstyle.core.errors import InputError

_BUNDLED: dict[str, str] = {
    "x264": "GPL-2.0-or-later",
    "x265": "GPL-2.0-or-later",
    "postproc": "GPL-2.0-or-later",
    "avcodec": "LGPL-2.1-or-later",
    "avdevice": "LGPL-2.1-or-later",
    "avfilter": "LGPL-2.1-or-later",
    "avformat": "LGPL-2.1-or-later",
    "avutil": "LGPL-2.1-or-later",
    "swresample": "LGPL-2.1-or-later",
    "swscale": "LGPL-2.1-or-later",
    "asound": "LGPL-2.1-or-later",
    "gnutls": "LGPL-2.1-or-later",
    "mp3lame": "LGPL-2.0-or-later",
    "gmp": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "hogweed": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "nettle": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "unistring": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "gfortran": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "gomp": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "quadmath": "LGPL-2.1-or-later",
}
"""Native libraries under (L)GPL that are found inside wheels, by the beginning of their files' names, and the licences that
their authors give them (FFmpeg's: as it is without its GPL parts)."""

_NATIVE = re.compile(r"\.(?:so|dylib|dll)(?:\.|$)")


@dataclass(frozen=True)
class Dependency:
    """A package that is installed and that vidstyle, or one of its extras, asks for; directly or for another one."""

    name: str
    version: str
    licence: str
    """As the package says it: an SPDX expression, or the words of its older fields; "not stated" where it says nothing."""
    extras: tuple[str, ...]
    """Of vidstyle that ask for it; empty where vidstyle itself does."""
    bundled: tuple[tuple[str, str], ...]
    """Libraries of `_BUNDLED` that lie in the package, and their licences."""


def dependencies(package: str = "vidstyle") -> list[Dependency]:
    """What is installed of all that a package asks for, sorted by name. What only another package's extra asks for, and what
    is not installed, is left out.

    Raises:
        InputError: the package runs from a folder, without having been installed: nothing says then what it asks for.
    """
    wanted: dict[str, set[str]] = {}
    try:
        extras = distribution(package).metadata.get_all("Provides-Extra") or []
    except PackageNotFoundError as error:
        raise InputError(
            f"{package}: is not installed, so its needs are not known; install it (pip install .)."
        ) from error
    for extra in ("", *extras):
        for name in _needed(package, extra):
            wanted.setdefault(name, set()).add(extra)
    return [_described(distribution(name), by) for name, by in sorted(wanted.items())]


def _needed(package: str, extra: str) -> set[str]:
    """Names of what is installed and needed for a package with one of its extras ("": none), the package itself excepted."""
    own = canonicalize_name(package)
    seen: set[tuple[str, str]] = set()
    ahead = list(_asked_for(distribution(package), extra))
    while ahead:
        wish = ahead.pop()
        if wish in seen or wish[0] == own:
            continue
        try:
            ahead += _asked_for(distribution(wish[0]), wish[1])
        except PackageNotFoundError:
            continue
        seen.add(wish)
    return {name for name, _ in seen}


def _asked_for(package: Distribution, extra: str) -> Iterator[tuple[str, str]]:
    """Name and extra ("": none) of each thing that a package with one of its extras asks for on this machine."""
    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            name = canonicalize_name(requirement.name)
            yield from ((name, each) for each in ("", *requirement.extras))


def _described(package: Distribution, extras: set[str]) -> Dependency:
    return Dependency(
        package.metadata["Name"],
        package.version,
        _stated_licence(package),
        () if "" in extras else tuple(sorted(extras)),
        # Read as text: `files` would look whether each of the tens of thousands is there.
        tuple(sorted(bundled_in((package.read_text("RECORD") or "").splitlines()).items())),
    )


def _stated_licence(package: Distribution) -> str:
    """The licence that a package's metadata names; of a field that holds a whole text, its first line."""
    about = package.metadata
    if expressions := about.get_all("License-Expression"):
        return str(expressions[0])
    classified = [
        line.rpartition("::")[2].strip()
        for line in about.get_all("Classifier") or ()
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    lines = str((about.get_all("License") or [""])[0]).strip().splitlines()
    if len(lines) == 1:
        return lines[0].strip()
    return ", ".join(classified) or (lines[0].strip() if lines else "not stated")


def bundled_in(files: list[str]) -> dict[str, str]:
    """Those libraries of `_BUNDLED` that are among a package's files, and their licences.

    Args:
        files: paths; what follows a comma, as in a RECORD, does not count.
    """
    found: dict[str, str] = {}
    for file in files:
        name = PurePosixPath(file.partition(",")[0]).name
        if not _NATIVE.search(name):
            continue
        stem = name.removeprefix("lib")
        for library, licence in _BUNDLED.items():
            # x264-165.dll, libx264.165.dylib, libx264-d6533a8d.so.165: a sign follows the library's name.
            if re.match(rf"{re.escape(library)}(?![A-Za-z_])", stem):
                found[library] = licence
    return found
