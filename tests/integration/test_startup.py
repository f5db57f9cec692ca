"""What a command imports before it knows that it can work, and what a run needs that has all been seen before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ClipMaker

PROGRAM = """
import json, sys
from vidstyle.cli import main
code = 0
try:
    main(sys.argv[1:])
except SystemExit as stop:
    code = stop.code or 0
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""


def run(folder: Path, *words: str) -> tuple[int, set[str]]:
    """Exit code and imported modules of `vidstyle WORDS`, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], cwd=folder, env=os.environ, capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "nowhere.mp4", "--style", "mosaic"], 1),
        (["run", "film.mp4", "--style", "mosaik"], 2),
        (["run", "film.mp4", "--style", "mosaic", "--crf", "99"], 2),
        (["image", "film.mp4", "--style", "mosaic", "--strength", "7"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_wrong_name_is_refused_before_anything_heavy_is_imported(
    tmp_path: Path, words: list[str], expected: int
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"not looked at")
    code, modules = run(tmp_path, *words)
    assert code == expected
    assert not modules & {"torch", "openvino", "av", "cv2"}


@pytest.mark.slow
def test_a_run_that_has_been_seen_before_needs_no_torch(tmp_path: Path, make_clip: ClipMaker, tiny_model: Path) -> None:
    """The style's code and the compiled graph are remembered: OpenVINO alone does the rest, to the same bytes."""
    pytest.importorskip("openvino")
    make_clip("film.mp4", frames=5)
    words = ["run", "film.mp4", "--style", "mosaic", "--model", str(tiny_model), "--engine", "openvino", "--no-fit"]
    first, modules = run(tmp_path, *words, "-o", "first.mp4", "-q")
    assert first == 0
    assert "torch" in modules
    second, modules = run(tmp_path, *words, "-o", "second.mp4", "-q")
    assert second == 0
    assert not modules & {"torch", "torchvision", "kornia"}
    assert (tmp_path / "first.mp4").read_bytes() == (tmp_path / "second.mp4").read_bytes()
