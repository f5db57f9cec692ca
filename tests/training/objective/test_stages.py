"""Whole objectives: flat pictures give finite gradients, weights of 0 switch terms off, clips come in by turns."""

from __future__ import annotations

import pytest
import torch

from vidstyle.core.errors import UsageError
from vidstyle.losses.gram import gram, gram_loss
from vidstyle.models.checkpoint import StyleModel, build
from vidstyle.models.vgg import VGG
from vidstyle.training.data.rng import StepRandomness
from vidstyle.training.objective.batch import Batch, ClipMotion
from vidstyle.training.objective.stages import OBJECTIVES, Step
from vidstyle.training.recipe import Stage
from vidstyle.training.recipe_file import checked

CONFIG = {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8}
SHORT = {
    "steps": 9, "crop": 64, "every_t": 1, "every_r": 1, "every_i": 1, "style_layers": (1.0, 1.0, 1.0), "local_layers": (3,),
    "similarity_layers": (2, 3),
}  # fmt: skip


def lively() -> StyleModel:
    """A network that answers to frame and style; a fresh one paints one flat colour."""
    torch.manual_seed(0)
    net = build("compact", CONFIG)
    with torch.no_grad():
        for weights in net.parameters():
            weights.add_(0.1 * torch.randn_like(weights))
    return net


def still(pairs: list[int], side: int) -> ClipMotion:
    """Nothing moves and all can be seen."""
    centres = (2 * torch.arange(side) + 1) / side - 1
    grid = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), -1)
    m = len(pairs)
    return ClipMotion(torch.tensor(pairs), grid.expand(m, side, side, 2), torch.ones(m, 1, side, side))


@pytest.mark.parametrize("half", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize("kind", sorted(OBJECTIVES))
def test_flat_pictures_give_finite_gradients(kind: str, half: bool, vgg: VGG) -> None:
    torch.manual_seed(0)
    net = build("compact", CONFIG)
    stage = checked(Stage, {"kind": kind, "weights": {"v": 100.0}, **SHORT})
    step = Step(OBJECTIVES[kind](net, vgg.bfloat16() if half else vgg, stage))
    black, grey = torch.zeros(2, 3, 64, 64), torch.full((2, 3, 64, 64), 0.5)
    motion = still([0], 64) if kind == "style" else None
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        loss, terms = step(Batch(black, grey, StepRandomness(0, 0, 1), motion))
    loss.backward()
    gradients = [p.grad for p in step.parameters() if p.grad is not None]
    assert len(gradients) > 8
    assert all(torch.isfinite(g).all() for g in gradients)
    assert all(torch.isfinite(t) for t in terms.values())


def test_the_loss_is_the_weighted_sum_of_its_terms(vgg: VGG) -> None:
    """A term computed every second step counts twice then; a pair of frames that is one of two pairs, at every_v = 4, twice."""
    net = lively()
    weights = {"g": 2.0, "l": 3.0, "i": 5.0, "t": 7.0, "v": 11.0, "r": 13.0, "range": 17.0}
    stage = checked(Stage, {"kind": "style", "weights": weights, **SHORT, "every_t": 2, "every_v": 4})
    x = torch.rand(4, 3, 64, 64)
    loss, terms = Step(OBJECTIVES["style"](net, vgg, stage))(
        Batch(x, x.flip(0), StepRandomness(0, 0, 2), still([1], 64))
    )
    factors = {**weights, "t": 2 * 7.0, "v": 4 * 11.0 / 2}
    assert set(terms) == set(weights)
    assert float(loss.detach()) == pytest.approx(sum(factors[k] * float(v) for k, v in terms.items()), rel=1e-5)


def test_two_frames_that_are_alike_are_painted_alike(vgg: VGG) -> None:
    """Equal frames in the same style: v is 0, and Lis, of a pair with itself, compares equal with equal."""
    net = build("compact", CONFIG)
    stage = checked(Stage, {"kind": "style", "weights": {"v": 1.0}, **SHORT})
    x = torch.rand(1, 3, 64, 64).repeat(2, 1, 1, 1)
    _, terms = Step(OBJECTIVES["style"](net, vgg, stage))(Batch(x, x, StepRandomness(0, 0, 1), still([0], 64)))
    assert float(terms["v"]) < 1e-10
    stage = checked(Stage, {"kind": "style", "weights": {"i": 0.0, "r": 0.0}, **SHORT})
    _, terms = Step(OBJECTIVES["style"](net, vgg, stage))(Batch(x, x, StepRandomness(0, 0, 1)))
    assert set(terms) == {"range", "g", "l", "t"}


def test_steadiness_needs_no_loss_network_and_its_weights_are_what_they_say(
    vgg: VGG, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = lively()
    off = {"g": 0.0, "l": 0.0, "i": 0.0, "t": 0.0, "r": 0.0}
    weights = {"range": 17.0, "shift": 2.0, "noise": 3.0, "teacher": 5.0, "sharpness": 7.0}
    stage = checked(Stage, {"kind": "style", "weights": {**off, **weights}, **SHORT, "every_noise": 2})
    monkeypatch.setattr(vgg, "forward", None)
    step = Step(OBJECTIVES["style"](net, vgg, stage))
    x = torch.rand(2, 3, 64, 64)
    loss, terms = step(Batch(x, x.flip(0), StepRandomness(0, 0, 2)))
    factors = {"range": 17.0, "shift": 2.0, "noise": 6.0, "teacher": 5.0, "blur": 7.0}
    assert set(terms) == set(factors)
    assert float(loss.detach()) == pytest.approx(sum(factors[k] * float(v) for k, v in terms.items()), rel=1e-5)
    assert all(float(terms[k]) > 0 for k in ("shift", "noise", "teacher"))
    assert float(terms["blur"]) < 0.01  # it is its own teacher still
    loss.backward()
    frozen = {name for name, p in step.named_parameters() if not p.requires_grad}
    assert frozen == {name for name, _ in step.named_parameters() if name.startswith("extra.")}


def test_a_flat_frame_has_no_shift_error(vgg: VGG) -> None:
    stage = checked(Stage, {"kind": "style", "weights": {"g": 0.0, "l": 0.0, "i": 0.0, "shift": 1.0}, **SHORT})
    x = torch.full((2, 3, 64, 64), 0.4)
    _, terms = Step(OBJECTIVES["style"](lively(), vgg, stage))(Batch(x, torch.rand_like(x), StepRandomness(0, 0, 1)))
    assert float(terms["shift"]) < 1e-9


def test_gram_is_compared_beside_moments(vgg: VGG) -> None:
    stage = checked(Stage, {"kind": "style", "weights": {"i": 0.0, "t": 0.0, "r": 0.0, "gram": 1.0}, **SHORT})
    x, style = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    objective = OBJECTIVES["style"](lively(), vgg, stage)
    _, terms = Step(objective)(Batch(x, style, StepRandomness(0, 0, 1)))
    picture = objective.net(x, objective.net.encode_style(style))
    wanted = gram_loss(vgg(picture, 3), [gram(f) for f in vgg(style, 3)])
    torch.testing.assert_close(terms["gram"], wanted.detach(), rtol=1e-4, atol=1e-6)
    with pytest.raises(UsageError, match="variants"):
        checked(
            Stage, {"kind": "style", "steps": 1, "variants": 2, "local_attention": "uniform", "weights": {"gram": 1.0}}
        )


def test_jpeg_reaches_the_moved_picture_alone(vgg: VGG) -> None:
    net = lively()
    x = torch.rand(2, 3, 64, 64)
    found = []
    for jpeg in (None, (5, 5)):
        stage = checked(Stage, {"kind": "style", **SHORT, "jpeg": jpeg})
        found.append(Step(OBJECTIVES["style"](net, vgg, stage))(Batch(x, x.flip(0), StepRandomness(0, 0, 2)))[1])
    plain, lossy = found
    assert float(lossy["t"]) != pytest.approx(float(plain["t"]), rel=1e-3)
    assert all(float(lossy[k]) == float(v) for k, v in plain.items() if k != "t")
