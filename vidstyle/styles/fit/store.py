"""Fitted styles in the user's data folder: they take time to make, so nothing removes them but `styles forget`."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.styles.fit.settings import VERSION, FitSettings

_SUFFIX = ".safetensors"


def folder() -> Path:
    """$VIDSTYLE_STYLES, or the place that the system has for a program's data."""
    if own := os.environ.get("VIDSTYLE_STYLES"):
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "vidstyle" / "styles"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "vidstyle" / "styles"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "vidstyle" / "styles"


def place(
    name: str, picture: NDArray[np.uint8], settings: FitSettings, model_digest: str, fitted_on: str | None = None
) -> Path:
    """The file of a fit: its name holds the digest of all it depends on.

    Args:
        name: what the user calls the style.
        picture: (H, W, 3) uint8, as it is read for a code.
        fitted_on: digest of the film or folder that it is fitted on; None: the photos that ship.
    """
    key = {
        **settings.key(),
        "model": model_digest,
        "picture": hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest(),
        "shape": list(picture.shape),
        "on": fitted_on,
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).stem).strip("-.")[:40] or "style"
    return folder() / f"{readable}-{digest[:24]}{_SUFFIX}"


@dataclass(frozen=True)
class Remembered:
    """A fitted style in the folder."""

    path: Path
    about: dict[str, Any]
    """Its metadata: `fit` (name, steps, deep, balance, paint_size, before, after ...) and `model_digest`."""

    @property
    def name(self) -> str:
        return str(self.about["fit"]["name"])


def remembered() -> list[Remembered]:
    """All fitted styles in the folder, by name; files that are none are passed over."""
    return sorted(_readable(), key=lambda r: (r.name, r.path.name))


def _readable() -> Iterator[Remembered]:
    from vidstyle.models.model_files import read_metadata

    place = folder()
    for path in sorted(place.glob(f"*{_SUFFIX}")) if place.is_dir() else ():
        try:
            about = read_metadata(path)
        except InputError:
            continue
        if "fit" in about:
            yield Remembered(path, about)


def usable(path: Path, model_digest: str) -> bool:
    """Whether a file holds a style fitted by this version for this model; a damaged one does not."""
    from vidstyle.models.model_files import read_metadata, read_style

    if not path.is_file():
        return False
    try:
        about = read_metadata(path)
        code = read_style(path)
    except (InputError, KeyError, ValueError):
        return False
    return bool(about.get("fit", {}).get("version") == VERSION) and code.model == model_digest
