"""`vidstyle train-video` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.helpers.commands import Finished, vidstyle
from vidstyle.models.checkpoint import load_model
from vidstyle.models.vgg import VGG

RECIPE = """
config = { widths = [8, 8, 16], key_widths = [8, 8], output_width = 8 }
precision = "fp32"
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


def train(*arguments: str) -> Finished:
    return vidstyle("train-video", *arguments)


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


def test_clips_are_trained_and_validated_on(
    arguments: list[str], make_clip: Callable[..., Path], tmp_path: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    make_clip("films/a.mp4", width=96, height=80, frames=6)
    (films / "broken.mp4").write_bytes(b"no film")
    recipe, out = tmp_path / "recipe.toml", tmp_path / "run"
    recipe.write_text(
        RECIPE.replace("[[stage]]", "[validation]\nevery = 1\nside = 64\n[[stage]]") + "weights = { v = 9.0 }\n"
    )
    changed = [*arguments, "--out", str(out), "--max-steps", "1"]
    changed[changed.index("--recipe") + 1] = str(recipe)
    done = train(*changed, "--video", str(films), "--validation-video", str(films))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("1 clips with 5 pairs of frames, 1 unreadable, 0 too small or still") == 2
    (line,) = [json.loads(x) for x in (out / "log.jsonl").read_text().splitlines()]
    assert {"v", "val_E_1", "val_E_1_source", "val_score"} <= set(line)
    assert (out / "best.safetensors").exists()


def test_no_loss_network_is_one_sentence(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    where = arguments.index("--vgg")
    result = train(*arguments[:where], *arguments[where + 2 :], "--out", str(tmp_path / "run"))
    assert result.returncode == 1
    assert "--download-vgg" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()
