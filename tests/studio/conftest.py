"""A studio without helpers' work: what it does with requests, files and jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the studio needs more packages: pip install '.[studio]'")

from vidstyle.core.errors import InputError
from vidstyle.studio.jobs import JobTable
from vidstyle.studio.library import Library


@pytest.fixture
def table(tmp_path: Path) -> Iterator[JobTable]:
    made = JobTable(tmp_path / "studio")
    yield made
    made.close()


def seen(kind: str, path: Path, name: str) -> dict[str, Any]:
    """Types a file by its first byte: "v" is a video, "p" a picture."""
    if path.read_bytes()[:1] != kind[:1].encode():
        raise InputError(f"{name}: is no {kind}.")
    return {"width": 64, "height": 48, "suffix": ".mp4" if kind == "video" else ".png"}


@pytest.fixture
def library(tmp_path: Path) -> Callable[..., Library]:
    """`library(**limits)`: a library that types files by their first byte."""
    from vidstyle.studio.configuration import UploadLimits

    return lambda **limits: Library(tmp_path / "studio" / "library", UploadLimits(**limits), seen)
