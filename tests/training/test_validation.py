"""Validation: a network that changes nothing is perfectly steady and far from the style; the best model is kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vidstyle.models.checkpoint import load_model
from vidstyle.models.model_files import read_metadata
from vidstyle.models.vgg import VGG
from vidstyle.training.data.batches import Folders
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.recipe import Recipe, Scoring
from vidstyle.training.recipe_file import checked
from vidstyle.training.trainer import Limits, Training
from vidstyle.training.validation import Validation, score

SCORING = Scoring(side=64)
CONFIG = {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8}


class Unchanged(torch.nn.Module):
    """Gives its input back, with a step of brightness wherever `noise` says."""

    def __init__(self, noise: float = 0.0) -> None:
        super().__init__()
        self.noise, self.generator = noise, torch.Generator().manual_seed(0)

    def encode_style(self, image: Tensor) -> Tensor:
        return image

    def forward(self, frames: Tensor, code: Tensor) -> Tensor:
        return frames + self.noise * torch.randn(frames.shape, generator=self.generator)


class Repainted(Unchanged):
    """Gives the style picture itself."""

    def forward(self, frames: Tensor, code: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(code, frames.shape[2:])


@pytest.fixture
def validation(images: ImageFolder, clips: ClipFolder, vgg: VGG) -> Validation:
    return Validation(SCORING, images.images[:2], images.images[2:], clips, vgg)


def test_a_network_that_changes_nothing(validation: Validation) -> None:
    found = validation(Unchanged())  # type: ignore[arg-type]
    assert found["val_ssim"] == pytest.approx(1, abs=1e-6)
    assert found["val_style"] == pytest.approx(found["val_style_source"], rel=1e-6)
    assert found["val_E_moved"] == pytest.approx(found["val_E_moved_source"])
    assert found["val_E_1"] == pytest.approx(found["val_E_1_source"])
    # Style counts whole, structure nothing, and the source's own warp error (nearly 0 here) at most once.
    assert 1 - 1e-5 <= found["val_score"] <= 1.05 + 1e-5


def test_noise_is_measured_as_twice_its_variance(validation: Validation) -> None:
    """Independent noise of variance s^2 in both frames; interpolation between pixels averages some of the second's away."""
    found = validation(Unchanged(0.05))  # type: ignore[arg-type]
    added = found["val_E_1"] - found["val_E_1_source"]
    assert 1.2 * 0.05**2 < added < 2.1 * 0.05**2


def test_a_still_picture_of_the_style_is_nearest_and_shows_nothing(validation: Validation) -> None:
    found = validation(Repainted())  # type: ignore[arg-type]
    assert found["val_style"] == pytest.approx(0, abs=1e-9)
    assert found["val_ssim"] < 0.5


def test_known_motion_is_exact(images: ImageFolder, vgg: VGG) -> None:
    """What is left of the sources' own warp error is the camera's noise, about (0.015 / 2)^2, and rounding."""
    smooth = [np.full((64, 64, 3), 128, np.uint8)]
    smooth[0][..., 0] = np.linspace(60, 200, 64).astype(np.uint8)
    validation = Validation(SCORING, smooth, images.images[:1], None, vgg)
    found = validation(Unchanged())  # type: ignore[arg-type]
    assert found["val_E_moved_source"] < 1e-3
    assert "val_E_1" not in found


def test_score_by_hand() -> None:
    found = {
        "val_style": 3.0,
        "val_style_source": 12.0,
        "val_ssim": 0.4,
        "val_E_moved": 8e-4,
        "val_E_moved_source": 2e-4,
    }
    assert score(found, Scoring(style=2, ssim=1, warp=0.1)) == pytest.approx(2 * 0.25 + 0.6 + 0.1 * 4)
    real = {**found, "val_E_1": 6e-4, "val_E_1_source": 2e-4}
    assert score(real, Scoring(style=2, ssim=1, warp=0.1)) == pytest.approx(2 * 0.25 + 0.6 + 0.1 * 3)


@pytest.mark.slow
def test_the_best_model_is_kept_and_survives_a_resume(
    images: ImageFolder, vgg: VGG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([3.0, 1.0, 2.0, 1.5])
    measure = Validation.__call__
    monkeypatch.setattr(Validation, "__call__", lambda self, net: {**measure(self, net), "val_score": next(scores)})
    stage = {"kind": "autoencode", "steps": 8, "crop": 64, "batch": 2}
    plan = checked(
        Recipe,
        {
            "config": CONFIG,
            "precision": "fp32",
            "log_every": 2,
            "save_every": 2,
            "validation": {"every": 2, "side": 64},
            "stage": [stage],
        },
    )
    first = Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None)
    first.run(Limits(max_steps=5))
    assert first.best == 1.0
    again = Training(plan, Folders(images, images), vgg, tmp_path, resume=True, say=lambda _: None)
    assert again.best == 1.0
    again.run()
    assert read_metadata(tmp_path / "best.safetensors")["steps"] == 4
    assert read_metadata(tmp_path / "best.safetensors")["metrics"]["val_score"] == 1.0
    assert read_metadata(tmp_path / "model.safetensors")["steps"] == 8
    load_model(tmp_path / "best.safetensors")
    lines = [json.loads(x) for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [x["val_score"] for x in lines if "val_score" in x] == [3.0, 1.0, 2.0, 1.5]
    assert {"val_style", "val_ssim", "val_E_moved"} <= set(lines[-1])
