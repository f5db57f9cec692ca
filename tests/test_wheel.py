"""What a user installs holds all that it needs, and nothing that only developers need."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import vidstyle

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_wheel_holds_the_whole_package(wheel: ZipFile) -> None:
    """Every file of the package that git knows, and no other."""
    tracked = subprocess.run(["git", "ls-files", "vidstyle"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout: no list of files to compare with")
    packed = {n for n in wheel.namelist() if not re.match(r"vidstyle-[^/]*\.dist-info/", n)}
    new = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "vidstyle"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert packed == {n for n in (tracked.stdout + new.stdout).splitlines() if (ROOT / n).exists()}
    assert "vidstyle/py.typed" in packed


def test_metadata(wheel: ZipFile) -> None:
    (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
    about = Parser().parsestr(wheel.read(name).decode())
    assert about["Version"] == vidstyle.__version__
    assert about["License-Expression"] == "Apache-2.0"
    assert any(n.endswith("licenses/LICENSE") for n in wheel.namelist())
    assert b"vidstyle = vidstyle.cli:script" in wheel.read(name.replace("METADATA", "entry_points.txt"))


def test_every_style_that_is_named_is_packed(wheel: ZipFile) -> None:
    from vidstyle.styles.gallery import names

    assert names()
    for style in names():
        assert f"vidstyle/styles/pictures/{style}.webp" in wheel.namelist()


def test_the_default_model_is_packed(wheel: ZipFile) -> None:
    assert "vidstyle/weights/compact.safetensors" in wheel.namelist()
    assert wheel.getinfo("vidstyle/weights/compact.safetensors").file_size < 8e6
