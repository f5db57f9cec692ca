"""The recipes of the paper's networks train: what learns moves, what is frozen does not, resuming goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidstyle.core.errors import UsageError
from vidstyle.models.checkpoint import load_model
from vidstyle.models.paper import VGGImage, VGGVideo
from vidstyle.models.vgg import VGG
from vidstyle.training.data.batches import Folders
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.recipe import Recipe, as_json
from vidstyle.training.recipe_file import checked, load_recipe
from vidstyle.training.trainer import Limits, Training

PIPELINES = Path(__file__).parents[2] / "pipelines"
NAMES = ("vgg_video", "vgg_image")


@pytest.fixture
def vgg() -> VGG:
    """With all its channels."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VGG("vgg16")


def small(name: str, steps: int, **stage: Any) -> Recipe:
    """The last stage of the shipped recipe with tiny crops, in fp32, for the VGG-16 of these tests."""
    plan = as_json(load_recipe(PIPELINES / f"{name}.toml"))
    plan |= {
        "config": {"layout": "vgg16"},
        "precision": "fp32",
        "log_every": 1,
        "save_every": 100,
        "validation": {"every": 0},
    }
    plan["stage"] = [{**plan["stage"][-1], "steps": steps, "crop": 64, "batch": 2, "warmup": 1, **stage}]
    return checked(Recipe, plan)


def lines(out: Path) -> list[dict[str, float]]:
    return [json.loads(x) for x in (out / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_what_learns_moves_and_the_encoder_is_the_given_vgg(
    name: str, images: ImageFolder, vgg: VGG, tmp_path: Path
) -> None:
    plan = small(name, 2)
    training = Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None)
    before = {k: v.clone() for k, v in training.net.state_dict().items()}
    training.run()
    after = training.net.state_dict()
    given = vgg.state_dict()
    for key, value in after.items():
        if key.startswith("encoder."):
            assert torch.equal(value, given[key.removeprefix("encoder.")]), key
        elif "attend" not in key or "bias" not in key:  # a bias of queries or keys may do nothing, as softmax sees it
            assert not torch.equal(value, before[key]), key
    assert all(np.isfinite(v) for line in lines(tmp_path) for v in line.values() if isinstance(v, float))
    assert {"g", "l"} <= set(lines(tmp_path)[0])
    model = load_model(tmp_path / "model.safetensors")
    assert isinstance(model, VGGVideo | VGGImage)
    assert model.config.layout == "vgg16"


@pytest.mark.slow
def test_a_resumed_training_is_the_uninterrupted_one(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    plan = small("vgg_video", 3)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    Training(plan, Folders(images, images), vgg, whole, say=lambda _: None).run()
    Training(plan, Folders(images, images), vgg, parts, say=lambda _: None).run(Limits(max_steps=1))
    Training(plan, Folders(images, images), vgg, parts, resume=True, say=lambda _: None).run()
    a, b = (load_model(f / "model.safetensors").state_dict() for f in (whole, parts))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_a_vgg_of_another_layout_is_refused_before_anything_is_written(
    images: ImageFolder, vgg: VGG, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"vgg19.*vgg16.*layout"):
        Training(load_recipe(PIPELINES / "vgg_video.toml"), Folders(images, images), vgg, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_frozen_encoder_cannot_be_distilled(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="distil needs an encoder that learns"):
        Training(small("vgg_video", 1, kind="distil"), Folders(images, images), vgg, tmp_path, say=lambda _: None).run()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_twenty_steps_bring_the_style_nearer(name: str, images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    weights = {"g": 10.0, "l": 0.0, "i": 0.0, "t": 0.0, "r": 0.0, "range": 0.0}
    plan = small(name, 20, lr=1e-3, lr_end=1.0, weights=weights)
    assert Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None).run() == 20
    loss = [line["g"] for line in lines(tmp_path)]
    assert len(loss) == 20
    assert np.mean(loss[-5:]) < 0.8 * np.mean(loss[:5])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_twenty_steps_of_the_first_stage_begin_to_invert_the_encoder(
    name: str, images: ImageFolder, vgg: VGG, tmp_path: Path
) -> None:
    assert load_recipe(PIPELINES / f"{name}.toml").stage[0].kind == "autoencode"
    Training(
        small(name, 20, kind="autoencode", lr=3e-4, clip=1.0, warmup=5),
        Folders(images, images),
        vgg,
        tmp_path,
        say=lambda _: None,
    ).run()
    loss = [line["l1"] for line in lines(tmp_path)]
    assert np.mean(loss[-5:]) < 0.7 * loss[0]  # two pictures per step: single steps say little


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_twenty_steps_of_the_whole_recipe_stay_finite(name: str, images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    said: list[str] = []
    weights = {"g": 10.0, "l": 3.0, "i": 3.0, "t": 300.0, "r": 2.0, "range": 10.0}
    plan = small(name, 20, weights=weights, similarity_layers=[2, 3], every_i=2)
    Training(plan, Folders(images, images), vgg, tmp_path, say=said.append).run()
    assert not [s for s in said if "not finite" in s]
    assert {"g", "l", "i", "t", "r", "range"} <= set().union(*lines(tmp_path))
