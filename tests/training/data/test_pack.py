"""Packs: what comes out is what went in, in files of the size that was asked for; the command; a machine with nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.conftest import ClipMaker
from tests.helpers.commands import vidstyle
from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.checkpoint import load_model, read, write
from vidstyle.models.model_files import read_metadata
from vidstyle.models.vgg import VGG
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.data.pack import Pack, pack_flow, pack_mask, read_pack, unpack_flow, unpack_mask
from vidstyle.training.data.pack_writer import HEADER, PackContents, depth_of, write_pack
from vidstyle.training.recipe import Recipe, Stage

pytestmark = pytest.mark.timeout(900)  # commands start torch anew, which a busy machine takes its time for

BARE = ("av", "decord", "kornia", "pydantic", "cv2", "openvino", "torchvision", "accelerate", "tensorboard", "typer")
"""What a rented machine may lack."""
TRAIN = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1].split(",")))
from pathlib import Path
from vidstyle.training import calibration, trainer
from vidstyle.training.session import session_from_pack
calibration.SIDE, calibration.PAIRS, trainer.PREVIEW_SIDE = 64, 4, 64
for out, steps in zip(sys.argv[3::2], sys.argv[4::2]):
    session = session_from_pack([Path(sys.argv[2])], None, print)
    session.train(Path(out), trainer.Limits(max_steps=int(steps)), print, resume=(Path(out) / "model.safetensors").exists())
"""
"""Trains in a process that has not the modules of its first argument: into each folder up to a step, going on where there is a
model."""
RECIPE = """
config = { widths = [8, 8, 16], key_widths = [8, 8], output_width = 8 }
precision = "fp32"
log_every = 1
save_every = 100
[validation]
every = 0
[[stage]]
kind = "style"
steps = 4
crop = 64
batch = 2
style_layers = [1.0, 1.0, 1.0]
local_layers = [3]
similarity_layers = [2]
jpeg = [15, 95]
every_clips = 2
weights = { clips = 9.0 }
"""


@pytest.fixture(scope="module")
def network() -> VGG:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VGG("vgg16", 4)


def contents(images: ImageFolder, clips: ClipFolder, network: VGG) -> PackContents:
    plan = Recipe(stage=(Stage(kind="style", steps=3),))
    return PackContents(images, images, clips, network, plan, "painted by hand")


@pytest.mark.parametrize("room", [50_000_000, 12_000])
def test_what_comes_out_is_what_went_in(
    images: ImageFolder, clips: ClipFolder, network: VGG, room: int, tmp_path: Path
) -> None:
    """`room`: bytes beside the loss network; with little, there are parts."""
    largest = HEADER + 2 * sum(p.numel() for p in network.parameters()) + room
    path = tmp_path / "x.safetensors"
    files = write_pack(contents(images, clips, network), path, largest=largest, quality=100, settings={"side": 64})
    assert (files == [path]) == (room > 1_000_000)
    assert all(0 < f.stat().st_size <= largest for f in files)
    pack = read_pack(files[::-1])
    assert pack.about["credits"] == "painted by hand"
    assert pack.recipe == Recipe(stage=(Stage(kind="style", steps=3),))
    assert (pack.content.digest, len(pack.style.images)) == (images.digest, 4)
    for ours, theirs in zip(pack.content.images, images.images, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs).mean() < 4  # WebP halves the chroma's size
    assert [(p.first, p.second) for p in pack.pairs] == [(0, 1), (1, 2), (2, 3)]  # each frame once
    assert [list(c) for c in pack.clips] == [[0, 1, 2]]
    for pair in pack.pairs:
        seen = pair.visible[::4, ::4, 0] > 0
        assert pair.flow.shape[:2] == seen.shape
        assert np.abs(pair.flow[seen] - [1.0, 0.0]).mean() < 0.2  # the camera moves down by a pixel a frame
        assert (pair.visible > 0).mean() > 0.5
    for name, tensor in pack.loss_network().state_dict().items():
        torch.testing.assert_close(tensor, network.state_dict()[name], rtol=1e-3, atol=1e-6)
    if len(files) > 1:
        with pytest.raises(InputError, match="not all parts"):
            read_pack(files[:1])


def test_damage_is_noticed(images: ImageFolder, clips: ClipFolder, network: VGG, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_pack(contents(images, clips, network), path, largest=60_000_000, quality=75, settings={})
    tensors, metadata = read(path)
    tensors["bytes"][1000] += 1
    write(tensors, tmp_path / "damaged.safetensors", metadata)
    with pytest.raises(InputError, match="SHA-256"):
        read_pack([tmp_path / "damaged.safetensors"])
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="not a pack"):
        read_pack([tmp_path / "other.safetensors"])
    with pytest.raises(UsageError, match="no room"):
        write_pack(contents(images, clips, network), path, largest=1_000_000, quality=75, settings={})


def test_motion_that_is_smooth_comes_back_and_hidden_pixels_do_not_count() -> None:
    y, x = np.mgrid[0:50, 0:70].astype(np.float32)
    flow = np.stack([0.05 * x - 3, 0.02 * y + 1])  # x, y
    visible = np.ones((50, 70), bool)
    visible[10:13, 20:23] = False
    spoiled = flow.copy()
    spoiled[:, ~visible] = 99
    back = unpack_flow(pack_flow(spoiled, visible), (50, 70, 3))
    assert back.shape == (13, 18, 2)
    assert np.abs(back[2, 5] - [0.02 * 9.5 + 1, 0.05 * 21.5 - 3]).max() < 0.1
    assert np.array_equal(unpack_mask(pack_mask(visible), (50, 70))[..., 0] > 0, visible)


def test_the_loss_network_is_as_deep_as_the_recipe_looks() -> None:
    whole = VGG("vgg16")
    assert depth_of(whole, None).depth == 4
    assert depth_of(whole, Recipe(stage=(Stage(kind="style", steps=1, style_layers=(1.0,) * 5),))).depth == 5
    assert depth_of(whole, Recipe(architecture="vgg-video", stage=())) is whole
    assert torch.equal(depth_of(whole, None).get_parameter("conv4_1.weight"), whole.get_parameter("conv4_1.weight"))


@pytest.fixture(scope="module")
def made(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack, made by the command."""
    folder = tmp_path_factory.mktemp("packed")
    films = ClipMaker(tmp_path_factory.mktemp("films"))("a.mp4", width=96, height=80, frames=6).parent
    torch.manual_seed(0)
    vgg, recipe = folder / "vgg.safetensors", folder / "recipe.toml"
    save_file({k: v.half().contiguous() for k, v in VGG("vgg16").state_dict().items()}, vgg)
    recipe.write_text(RECIPE)
    (folder / "SOURCES.md").write_text("made up")
    arguments: list[str | Path] = [
        "--content",
        pictures,
        "--style",
        pictures,
        "--video",
        films,
        "--vgg",
        vgg,
        "--recipe",
        recipe,
    ]
    arguments += ["--side", "80", "--credits", folder / "SOURCES.md", "-o", folder / "x.safetensors"]
    done = vidstyle("pack", *arguments)
    assert done.returncode == 0, done.stderr
    assert "4 photos, 4 paintings" in done.stderr
    assert "pairs of frames of 1 clips" in done.stderr
    again = vidstyle("pack", *arguments)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    return folder / "x.safetensors"


def test_a_machine_with_nothing_trains_from_a_pack_and_resumes_bit_for_bit(made: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for work in ([str(whole), "4", str(parts), "2"], [str(parts), "4"]):
        command = [sys.executable, "-c", TRAIN, ",".join(BARE), str(made), *work]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "TFLOP per second of bf16 matrix products" in done.stdout
    line = json.loads((whole / "log.jsonl").read_text().splitlines()[-1])
    assert {"norm", "pictures_per_second", "gflop_per_picture", "share_of_peak"} <= set(line)
    assert line["share_of_peak"] > 0
    assert '"v"' in (whole / "log.jsonl").read_text()
    a, b = (load_model(x / "model.safetensors").state_dict() for x in (whole, parts))
    assert all(torch.equal(a[name], b[name]) for name in a)
    about = read_metadata(whole / "model.safetensors")
    assert about["data"]["pack"]["credits"].endswith("made up")
    assert about["data"]["pack"]["sha256"] == read_pack([made]).about["sha256"]
    assert all(f.stat().st_size <= 15_000_000 for f in whole.rglob("*") if f.is_file())


def test_a_pack_and_folders_are_not_given_together(made: Path, tmp_path: Path) -> None:
    done = vidstyle("train-video", "--pack", made, "--content", tmp_path, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "--pack takes the place" in done.stderr
    done = vidstyle("train-video", "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "--content" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_pack_is_read_by_what_reads_it(made: Path) -> None:
    pack = read_pack([made])
    assert isinstance(pack, Pack)
    assert pack.about["settings"] == {"side": 80, "quality": 75}
    assert max(min(x.shape[:2]) for x in pack.content.images) <= 80
