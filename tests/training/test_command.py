"""`vidstyle train-video` as a user types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vidstyle.models.checkpoint import load_model
from vidstyle.models.vgg import VGG

RECIPE = """
config = { widths = [8, 8, 16], key_widths = [4, 8, 8], film_width = 8, output_width = 8 }
log_every = 1
[[stage]]
kind = "style"
steps = 3
crop = 64
batch = 2
style_layers = [1.0, 1.0, 1.0]
local_layers = [3]
similarity_layers = [2]
"""


@pytest.fixture(scope="module")
def arguments(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("train")
    torch.manual_seed(0)
    vgg, recipe = folder / "vgg.safetensors", folder / "recipe.toml"
    save_file({k: v.half().contiguous() for k, v in VGG("vgg16").state_dict().items()}, vgg)
    recipe.write_text(RECIPE)
    paths = {"--recipe": recipe, "--content": pictures, "--style": pictures, "--vgg": vgg}
    return [str(x) for pair in paths.items() for x in pair]


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vidstyle", "train-video", *arguments], capture_output=True, text=True, check=False
    )


def test_train_stop_and_resume(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = train(*arguments, "--out", str(out), "--max-steps", "1")
    assert first.returncode == 0, first.stderr
    assert "4 pictures, 1 unreadable or too small" in first.stderr
    assert first.stdout == ""
    again = train(*arguments, "--out", str(out))
    assert again.returncode == 2
    assert "--resume" in again.stderr
    second = train(*arguments, "--out", str(out), "--resume")
    assert second.returncode == 0, second.stderr
    assert [line.split()[1] for line in second.stderr.splitlines() if line.startswith("step")] == ["1", "2", "3"]
    load_model(out / "model.safetensors")
    assert (out / "preview" / "000003.png").exists()


@pytest.mark.parametrize("option", ["--recipe", "--content", "--style", "--vgg"])
def test_a_missing_file_is_one_sentence(option: str, arguments: list[str], tmp_path: Path) -> None:
    changed = list(arguments)
    changed[changed.index(option) + 1] = str(tmp_path / "missing")
    result = train(*changed, "--out", str(tmp_path / "run"))
    assert result.returncode == 1
    assert "missing" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()
