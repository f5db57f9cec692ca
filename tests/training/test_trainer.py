"""The loop: every stage trains, resuming continues the same curve, a finished model starts a new schedule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from vidstyle.core.errors import UsageError
from vidstyle.models.checkpoint import load_model
from vidstyle.models.model_files import read_metadata
from vidstyle.models.quantization import edge_convolutions
from vidstyle.models.registry import find_model
from vidstyle.models.vgg import VGG
from vidstyle.training.data.batches import Folders
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.recipe import Recipe, as_json
from vidstyle.training.recipe_file import checked
from vidstyle.training.resume import check_resumable
from vidstyle.training.trainer import Limits, Training

CONFIG = {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8}


def recipe(*stages: dict[str, object], **settings: object) -> Recipe:
    """A small recipe in fp32."""
    small = [{"crop": 64, "batch": 2, "warmup": 2, **s} for s in stages]
    plan = {"config": CONFIG, "precision": "fp32", "log_every": 2, "save_every": 100, "stage": small}
    plan["validation"] = {"side": 64}
    plan |= settings
    return checked(Recipe, plan)


STAGES = (
    {"kind": "distil", "steps": 3},
    {"kind": "autoencode", "steps": 3},
    {"kind": "style", "steps": 4, "style_layers": [0.5, 1.0, 1.0], "local_layers": [3], "similarity_layers": [2, 3]},
)


def lines(out: Path) -> list[dict[str, float]]:
    return [json.loads(x) for x in (out / "log.jsonl").read_text().splitlines()]


def whole_and_resumed(
    plan: Recipe, images: ImageFolder, vgg: VGG, folder: Path, stops: Sequence[int], clips: ClipFolder | None = None
) -> tuple[nn.Module, nn.Module, Training]:
    """The models of a training in one go (in folder/whole) and of one that was stopped after so many steps and resumed (in
    folder/parts), and the last session of the second."""
    whole, parts = folder / "whole", folder / "parts"
    Training(plan, Folders(images, images, clips), vgg, whole, say=lambda _: None).run()
    for session, stop in enumerate((*stops, None)):
        again = Training(plan, Folders(images, images, clips), vgg, parts, resume=session > 0, say=lambda _: None)
        again.run(Limits(max_steps=stop))
    return load_model(whole / "model.safetensors"), load_model(parts / "model.safetensors"), again


def equal(a: nn.Module, b: nn.Module) -> bool:
    """Whether two models have the same weights, bit for bit."""
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_resumed_training_is_the_uninterrupted_one(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    # Stopped within the first stage, within the second, within the third.
    a, b, last = whole_and_resumed(recipe(*STAGES), images, vgg, tmp_path, (2, 4, 8))
    assert last.step == read_metadata(tmp_path / "whole" / "model.safetensors")["steps"] == 10
    for (name, x), y in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=0, msg=name)
    terms = lines(tmp_path / "whole")[-1]
    assert {"range", "g", "l", "norm", "step", "lr"} <= set(terms)


@pytest.mark.slow
def test_training_on_clips_resumes_as_well(images: ImageFolder, clips: ClipFolder, vgg: VGG, tmp_path: Path) -> None:
    plan = recipe({**STAGES[2], "weights": {"v": 300.0}})
    a, b, _ = whole_and_resumed(plan, images, vgg, tmp_path, (1,), clips)
    assert equal(a, b)
    assert "v" in lines(tmp_path / "whole")[-1]
    assert read_metadata(tmp_path / "whole" / "model.safetensors")["data"]["video"]["pairs"] == 3


def test_a_frozen_teacher_resumes_as_it_was_frozen(
    images: ImageFolder, vgg: VGG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.training.trainer.calibrated", lambda *_: {})  # takes longer than all steps
    off = {"global_style": 0.0, "local": 0.0, "similarity": 0.0, "temporal": 0.0, "identity": 0.0}
    stage = {
        "kind": "style",
        "steps": 4,
        "lr": 1e-2,
        "weights": {**off, "shift": 9.0, "teacher": 9.0, "sharpness": 1.0},
    }
    a, b, _ = whole_and_resumed(recipe(stage, validation={"every": 0}), images, vgg, tmp_path, (2,))
    assert equal(a, b)
    last = lines(tmp_path / "whole")[-1]
    assert {"range", "shift", "teacher", "blur"} <= set(last)
    assert "g" not in last


def test_another_teacher_cannot_take_over_in_the_middle() -> None:
    def about(weights: dict[str, float], **teacher: object) -> dict[str, object]:
        plan = recipe({"kind": "style", "steps": 4, "weights": weights, "teacher": teacher})
        return {"recipe": as_json(plan), "data": {}}

    taught = about({"teacher": 9.0})
    for other in (about({}), about({"teacher": 9.0}, config={"last_upsampling": "bilinear"})):
        assert check_resumable(taught, other, 0, Path("x"))  # at its beginning it is only told
        with pytest.raises(UsageError, match="teacher"):
            check_resumable(taught, other, 2, Path("x"))
    assert check_resumable(taught, about({"sharpness": 1.0}), 2, Path("x"))
    older = about({})
    older["recipe"]["stage"][0].pop("teacher")  # type: ignore[index]
    check_resumable(older, about({}), 2, Path("x"))


def test_clips_and_their_weight_go_together(images: ImageFolder, clips: ClipFolder, vgg: VGG, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--video"):
        Training(recipe({**STAGES[2], "weights": {"v": 1.0}}), Folders(images, images), vgg, tmp_path)
    with pytest.raises(UsageError, match=r"weights\.clips"):
        Training(recipe(STAGES[2]), Folders(images, images, clips), vgg, tmp_path)


@pytest.mark.slow
def test_muon_resumes_as_well(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    a, b, _ = whole_and_resumed(recipe({**STAGES[1], "optimiser": "muon"}), images, vgg, tmp_path, (2,))
    assert equal(a, b)
    Training(recipe(STAGES[1]), Folders(images, images), vgg, tmp_path / "adam", say=lambda _: None).run()
    assert not equal(a, load_model(tmp_path / "adam" / "model.safetensors"))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_trains_and_resumes(precision: str, images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    """In fp16 the loss is scaled; a resumed run must go on with the same scale."""
    plan = recipe({**STAGES[1], "steps": 2, "accumulate": 2}, precision=precision, log_every=1)
    a, b, again = whole_and_resumed(plan, images, vgg, tmp_path, (1,))
    assert equal(a, b)
    assert all(0 < x["norm"] < 1e4 for x in lines(tmp_path / "whole"))  # of gradients with the scale taken off again
    assert again.scaler.is_enabled() == (precision == "fp16")


def test_the_model_file_tells_its_story(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    Training(
        recipe({"kind": "autoencode", "steps": 2}), Folders(images, images), vgg, tmp_path, say=lambda _: None
    ).run()
    about = read_metadata(tmp_path / "model.safetensors")
    assert about["steps"] == 2
    assert about["data"]["content"] == {"pictures": 3, "sha256": images.digest}  # of four one is set aside
    assert about["recipe"]["stage"][0]["kind"] == "autoencode"
    assert (tmp_path / "preview" / "000002.png").stat().st_size > 1000
    ranges = find_model(tmp_path / "model.safetensors").int8_ranges
    assert (
        {"encoder.stem", "half_out"} < set(ranges) < set(edge_convolutions(load_model(tmp_path / "model.safetensors")))
    )
    assert all(low <= 0 <= high for low, high in ranges.values())


def test_the_autoencoder_learns(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    plan = recipe({"kind": "autoencode", "steps": 40, "lr": 3e-3, "clip": 1.0}, log_every=5)
    Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None).run()
    errors = [x["l1"] for x in lines(tmp_path)]
    assert errors[-1] < 0.5 * errors[0]


def test_style_losses_fall(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    style = {
        "kind": "style",
        "steps": 60,
        "lr": 3e-3,
        "style_layers": [1.0, 1.0],
        "local_layers": [],
        "similarity_layers": [],
    }
    weights = {"g": 10.0, "l": 0.0, "i": 0.0, "t": 0.0, "r": 0.0}
    Training(
        recipe({**style, "weights": weights}, log_every=5), Folders(images, images), vgg, tmp_path, say=lambda _: None
    ).run()
    log = lines(tmp_path)
    assert log[-1]["g"] < 0.8 * log[0]["g"]
    assert not {"l", "i", "t", "r"} & set(log[0])  # a term with weight 0 is not computed


def test_weights_alone_start_a_new_schedule(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    plan = recipe({"kind": "autoencode", "steps": 2})
    first, second = tmp_path / "first", tmp_path / "second"
    Training(plan, Folders(images, images), vgg, first, say=lambda _: None).run()
    (first / "state.safetensors").unlink()
    trained = load_model(first / "model.safetensors").state_dict()
    for again in (
        Training(plan, Folders(images, images), vgg, first, resume=True, say=lambda _: None),
        Training(plan, Folders(images, images), vgg, second, weights=first / "model.safetensors", say=lambda _: None),
    ):
        assert again.step == 0
        assert all(torch.equal(trained[k], v) for k, v in again.net.state_dict().items())


def test_nothing_is_overwritten_and_nothing_is_resumed_from_nothing(
    images: ImageFolder, vgg: VGG, tmp_path: Path
) -> None:
    plan = recipe({"kind": "autoencode", "steps": 1})
    with pytest.raises(UsageError, match="nothing to resume"):
        Training(plan, Folders(images, images), vgg, tmp_path, resume=True)
    Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None).run()
    with pytest.raises(UsageError, match="--resume"):
        Training(plan, Folders(images, images), vgg, tmp_path)


@pytest.mark.slow
def test_parts_learn_at_their_own_rates_and_resume(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    style = {**STAGES[2], "steps": 2, "warmup": 0, "rates": {"encoder": 0.0, "half": 3.0, "half_mid": 0.0}}
    plan = recipe(style, {**STAGES[2], "steps": 2})
    one, two = tmp_path / "one", tmp_path / "two"
    training = Training(plan, Folders(images, images), vgg, one, say=lambda _: None)
    start = {k: v.detach().clone() for k, v in training.net.named_parameters()}
    training.run(Limits(max_steps=1))
    moved = {k: float((v.detach() - start[k]).abs().max()) for k, v in training.net.named_parameters()}
    rate = plan.stage[0].rate(0)
    assert not any(v for k, v in moved.items() if k.startswith(("encoder", "half_mid")))
    # Adam's first step is the learning rate for every weight with a gradient.
    assert moved["half_out.weight"] == pytest.approx(3 * rate, rel=1e-3)
    assert moved["full.weight"] == pytest.approx(rate, rel=1e-3)
    Training(plan, Folders(images, images), vgg, one, resume=True, say=lambda _: None).run()
    Training(plan, Folders(images, images), vgg, two, say=lambda _: None).run()
    a, b = (load_model(x / "model.safetensors").state_dict() for x in (one, two))
    assert all(torch.equal(a[k], b[k]) for k in a)
    # The stage after it trains everything again.
    encoder = "encoder.stem.weight"
    assert not torch.equal(
        training.net.state_dict()[encoder], load_model(two / "model.safetensors").state_dict()[encoder]
    )


def test_a_rate_for_nothing_is_an_error(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    plan = recipe({"kind": "autoencode", "steps": 2, "rates": {"encodr": 0.0}})
    with pytest.raises(UsageError, match="encodr"):
        Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None).run()
