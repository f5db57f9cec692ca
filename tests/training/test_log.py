"""The log: means over lines and processes, the same numbers in TensorBoard's files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from vidstyle.models.vgg import VGG
from vidstyle.training.data.batches import Folders
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.log import Log, Sums
from vidstyle.training.recipe import Recipe
from vidstyle.training.recipe_file import checked
from vidstyle.training.trainer import Training


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(x) for x in (folder / "log.jsonl").read_text().splitlines()]


def test_a_line_holds_means_over_steps_and_processes(tmp_path: Path) -> None:
    other: Sums = {"g": (9.0, 1), "v": (4.0, 2)}  # of a process that saw pairs of frames where this one saw none
    said: list[str] = []
    log = Log(tmp_path, said.append, lambda sums: [sums, other])
    log.add({"g": torch.tensor(1.0), "l": 5.0})
    log.add({"g": torch.tensor(2.0)})
    log.note({"val_score": 0.5})
    log.write({"step": 2, "stage": "style"}, 8)
    log.add({"g": 3.0})
    log.write({"step": 4, "stage": "style"}, 8)
    log.close()
    first, second = lines(tmp_path)
    assert {k: first[k] for k in ("step", "g", "l", "v", "val_score")} == {
        "step": 2, "g": 4.0, "l": 5.0, "v": 2.0, "val_score": 0.5,
    }  # fmt: skip
    assert second["g"] == 6.0
    assert not {"l", "val_score"} & set(second)
    assert first["pictures_per_second"] > 0
    assert len(said) == 2


def test_a_process_that_does_not_write_says_nothing(tmp_path: Path) -> None:
    log = Log(tmp_path, pytest.fail, writes=False)
    log.add({"g": 1.0})
    log.write({"step": 1}, 1)
    log.close()
    assert not list(tmp_path.iterdir())


def test_charts_hold_what_the_log_says(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    config = {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8}
    stage = {"kind": "autoencode", "steps": 4, "crop": 64, "batch": 2}
    validation = {"every": 4, "side": 64}
    plan = checked(
        Recipe, {"config": config, "log_every": 2, "save_every": 4, "validation": validation, "stage": [stage]}
    )
    Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None).run()
    charts = reading.EventAccumulator(str(tmp_path / "tensorboard"))
    charts.Reload()
    log = lines(tmp_path)
    for tag, key in (
        ("loss/l1", "l1"), ("training/lr", "lr"), ("training/pictures_per_second", "pictures_per_second"),
    ):  # fmt: skip
        found = [(e.step, e.value) for e in charts.Scalars(tag)]
        assert found == [(x["step"], pytest.approx(x[key], rel=1e-6)) for x in log]
    assert [e.value for e in charts.Scalars("validation/val_score")] == [pytest.approx(log[-1]["val_score"], rel=1e-6)]
    picture = charts.Images("preview")[0]
    assert (picture.step, picture.width) == (4, 6 * (64 + 2) + 2)
