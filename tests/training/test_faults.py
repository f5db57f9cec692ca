"""What goes wrong in people's trainings: one painting, a rate too high, a full disk, a resumed run that is another one."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.test_trainer import STAGES, lines, recipe
from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.checkpoint import load_model
from vidstyle.models.model_files import read_metadata
from vidstyle.models.vgg import VGG
from vidstyle.training.data.batches import Folders
from vidstyle.training.data.folders import load_folder
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.divergence import LIMIT, Divergence
from vidstyle.training.log import cut
from vidstyle.training.trainer import Limits, Training

LOSING = {"kind": "autoencode", "steps": 60, "lr": 1e30, "warmup": 0}


@pytest.mark.parametrize("few", ["content", "style"])
def test_my_one_painting(few: str, images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    one, said = replace(images, images=images.images[:1]), list[str]()
    folders = (one, images) if few == "content" else (images, one)
    plan = recipe({"kind": "autoencode", "steps": 2}, validation={"side": 64, "every": 1})
    Training(plan, Folders(*folders), vgg, tmp_path, say=said.append).run()
    assert sum("validation is off: it takes at least four photos and four paintings" in line for line in said) == 1
    assert "val_score" not in lines(tmp_path)[-1]
    assert not (tmp_path / "best.safetensors").exists()
    # Nothing is set aside of the other folder either: it would never be looked at.
    counts = [read_metadata(tmp_path / "model.safetensors")["data"][name]["pictures"] for name in ("content", "style")]
    assert sorted(counts) == [1, 4]


def test_the_state_is_saved_before_a_validation(
    images: ImageFolder, vgg: VGG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, float]:
        raise MemoryError

    monkeypatch.setattr("vidstyle.training.validation.Validation.__call__", broken)
    plan = recipe({"kind": "autoencode", "steps": 3}, validation={"side": 64, "every": 2})
    with pytest.raises(MemoryError):
        Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None).run()
    assert Training(plan, Folders(images, images), vgg, tmp_path, resume=True, say=lambda _: None).step == 2


def test_a_diverged_training_stops_and_keeps_its_last_good_model(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    sound = recipe({**LOSING, "lr": 1e-3}, validation={"every": 0})
    Training(sound, Folders(images, images), vgg, tmp_path, say=lambda _: None).run(Limits(max_steps=2))
    kept = (tmp_path / "model.safetensors").read_bytes(), (tmp_path / "state.safetensors").read_bytes()
    said: list[str] = []
    losing = recipe(LOSING, validation={"every": 0}, log_every=1)
    again = Training(losing, Folders(images, images), vgg, tmp_path, resume=True, say=said.append)
    with pytest.raises(InputError, match=r"diverged at step \d+ .*saved at step 2 is kept, and --resume goes on"):
        again.run()
    assert again.step < 60
    assert ((tmp_path / "model.safetensors").read_bytes(), (tmp_path / "state.safetensors").read_bytes()) == kept
    load_model(tmp_path / "model.safetensors")
    assert "NaN" not in (tmp_path / "log.jsonl").read_text()
    assert "Infinity" not in (tmp_path / "log.jsonl").read_text()


def test_weights_too_large_for_the_model_file_are_not_written(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    training = Training(
        recipe({"kind": "autoencode", "steps": 1}), Folders(images, images), vgg, tmp_path, say=lambda _: None
    )
    with torch.no_grad():
        next(iter(training.net.parameters())).fill_(1e9)  # finite here, infinite in float16
    training.average.load(training.net.state_dict())
    with pytest.raises(InputError, match=r"is infinite or undefined\).*Nothing had been saved"):
        training.run()
    assert not (tmp_path / "model.safetensors").exists()


def test_one_bad_step_now_and_then_is_no_divergence() -> None:
    watch, bad = Divergence(), math.nan
    assert not any(watch(x) for x in [bad] * (LIMIT - 1) + [1.0] + [bad] * (LIMIT - 1))
    assert watch(math.inf)
    assert not any(Divergence()(bad, searching=True) for _ in range(20))  # fp16 looks for its scale


def test_resuming_says_what_differs(images: ImageFolder, pictures: Path, vgg: VGG, tmp_path: Path) -> None:
    plan = recipe(*STAGES[1:])
    Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None).run(Limits(max_steps=2))
    said: list[str] = []
    Training(plan, Folders(images, images), vgg, tmp_path, resume=True, say=said.append)
    assert said == []
    longer = recipe({**STAGES[1], "lr": 1e-3}, {**STAGES[2], "steps": 9})
    others = replace(images, digest="f" * 64)
    again = Training(longer, Folders(images, others), vgg, tmp_path, resume=True, say=said.append)
    assert again.step == 2
    assert [line.split(" (")[0] for line in said] == [
        "not as it was begun: recipe.stage.1",
        "not as it was begun: recipe.stage.2",
        "not as it was begun: data.style",
    ]
    assert "(0.0004 then, 0.001 now)" in said[0]
    assert "(4 then, 9 now)" in said[1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"config": {"widths": [8, 8, 8], "key_widths": [8, 8], "output_width": 8}}, "recipe.config.widths"),
        ({"stage": [{**STAGES[1], "optimiser": "muon"}]}, "optimiser (adam then, muon now)"),
        ({"stage": [{**STAGES[2], "steps": 3}]}, "recipe.stage"),
    ],
)
def test_what_a_state_does_not_fit_is_refused(
    changed: dict[str, Any], words: str, images: ImageFolder, vgg: VGG, tmp_path: Path
) -> None:
    Training(recipe(STAGES[1]), Folders(images, images), vgg, tmp_path, say=lambda _: None).run(Limits(max_steps=1))
    stages = changed.get("stage", [STAGES[1]])
    other = recipe(*stages, **{k: v for k, v in changed.items() if k != "stage"})
    with pytest.raises(UsageError, match="cannot go on from step 1") as refused:
        Training(other, Folders(images, images), vgg, tmp_path, resume=True, say=lambda _: None)
    assert words in str(refused.value)


def test_lines_after_the_state_that_is_resumed_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    steps = [1, 2, 90, 1, 2, 3, 4]  # an earlier schedule went up to 90
    path.write_text("".join(json.dumps({"step": n}) + "\n" for n in steps) + '{"step": 5, "g"')
    cut(tmp_path, 2)
    assert [x["step"] for x in lines(tmp_path)] == [1, 2, 90, 1, 2]
    cut(tmp_path / "nowhere", 2)


def test_equal_trainings_give_equal_files(images: ImageFolder, vgg: VGG, tmp_path: Path) -> None:
    plan = recipe(STAGES[1], validation={"side": 64, "every": 2})
    names = ("model.safetensors", "best.safetensors", "state.safetensors")
    for out in ("a", "b"):
        Training(plan, Folders(images, images), vgg, tmp_path / out, say=lambda _: None).run()
    Training(plan, Folders(images, images), vgg, tmp_path / "c", say=lambda _: None).run(Limits(max_steps=2))
    Training(plan, Folders(images, images), vgg, tmp_path / "c", resume=True, say=lambda _: None).run()
    for name in names:
        assert len({(tmp_path / out / name).read_bytes() for out in "abc"}) == 1, name


def test_a_pipe_among_the_photos_is_passed_by(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes((pictures / "0.png").read_bytes())
    os.mkfifo(tmp_path / "b.jpg")
    (tmp_path / "folder.png").mkdir()
    assert len(load_folder(tmp_path).images) == 1


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A limit on file size stands in for the full disk: the same write fails, with another number."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("size", [20, 20_000])
def test_a_full_disk_is_one_sentence(
    size: int, images: ImageFolder, vgg: VGG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 20 bytes the first line of the log does not fit, at 20 kB the first state."""
    monkeypatch.setattr("vidstyle.training.log.find_spec", lambda _: None)  # charts fail in a thread, and pytest minds
    plan = recipe({"kind": "autoencode", "steps": 4}, log_every=1, save_every=2, validation={"every": 0})
    training = Training(plan, Folders(images, images), vgg, tmp_path, say=lambda _: None)
    with largest_file(size), pytest.raises(InputError, match=r"the disk of .* is full; free some space"):
        training.run()
    assert not list(tmp_path.glob(".*"))
