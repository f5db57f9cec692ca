"""Several processes: two with a batch each compute the gradients of one with both batches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vidstyle.models.model_files import read_metadata
from vidstyle.models.vgg import VGG

pytestmark = pytest.mark.timeout(600)  # processes that start torch anew, which a busy machine takes its time for

SCRIPT = Path(__file__).with_name("ddp_gradients.py")
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def gradients(pictures: Path, out: Path, *, processes: int, batch: int, parts: int = 1) -> dict[str, Tensor]:
    """Of one step of every kind of stage, by the number of processes."""
    launch = TWO if processes == 2 else []
    command = [sys.executable, *launch, str(SCRIPT), str(pictures), str(out), str(batch), str(parts)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with safe_open(out, "pt") as file:
        assert file.metadata()["processes"] == str(processes)
        return {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def one(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """Gradients of one process and one batch."""
    return gradients(pictures, tmp_path_factory.mktemp("one") / "x", processes=1, batch=4)


def test_two_processes_have_the_gradients_of_one_with_the_doubled_batch(
    one: dict[str, Tensor], pictures: Path, tmp_path: Path
) -> None:
    two = gradients(pictures, tmp_path / "two", processes=2, batch=2)
    assert set(one) == set(two)
    for kind, least in (("distil", 8), ("autoencode", 40), ("style", 40)):
        names = [k for k in one if k.startswith(kind)]
        assert len(names) > least, names
        for name in names:
            size = float(one[name].abs().max())
            torch.testing.assert_close(two[name], one[name], rtol=0, atol=max(2e-3 * size, 1e-7), msg=name)


def test_accumulated_batches_have_the_gradients_of_one_batch(
    one: dict[str, Tensor], pictures: Path, tmp_path: Path
) -> None:
    parts = gradients(pictures, tmp_path / "parts", processes=1, batch=2, parts=2)
    for name in (k for k in one if not k.startswith("distil") and not k.endswith("loss")):
        size = float(one[name].abs().max())
        torch.testing.assert_close(parts[name], one[name], rtol=0, atol=max(2e-3 * size, 1e-7), msg=name)


@pytest.mark.slow
def test_the_command_trains_in_two_processes(pictures: Path, tmp_path: Path) -> None:
    """Losses of the first step are those of one process with the doubled batch; one process writes; it can be resumed."""
    config = "config = { widths = [8, 8, 16], key_widths = [8, 8], output_width = 8 }"
    layers = "style_layers = [1.0, 1.0]\nlocal_layers = [2]\nsimilarity_layers = [2]\nevery_t = 1"
    vgg = tmp_path / "vgg.safetensors"
    torch.manual_seed(0)
    save_file({k: v.contiguous() for k, v in VGG("vgg16").state_dict().items()}, vgg)
    logs = []
    for processes, batch in ((1, 4), (2, 2)):
        recipe, out = tmp_path / f"{processes}.toml", tmp_path / f"run{processes}"
        recipe.write_text(
            f"{config}\nprecision = 'fp32'\nlog_every = 1\n[validation]\nevery = 2\nside = 64\n"
            f"[[stage]]\nkind = 'style'\nsteps = 3\ncrop = 64\nbatch = {batch}\n{layers}\n"
        )
        launch = TWO if processes == 2 else []
        command = [sys.executable, *launch, "-m", "vidstyle", "train-video", "--recipe", str(recipe), "--vgg", str(vgg)]
        command += ["--content", str(pictures), "--style", str(pictures), "--out", str(out), "--minutes", "60"]
        for more in (["--max-steps", "2"], ["--resume"]):
            done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            assert done.stderr.count("unreadable or too small") == 2  # one process speaks
        logs.append([json.loads(x) for x in (out / "log.jsonl").read_text().splitlines()])
        assert [x["step"] for x in logs[-1]] == [1, 2, 3]
        assert read_metadata(out / "model.safetensors")["processes"] == processes
    for key in ("g", "l", "i", "t", "norm"):
        assert logs[0][0][key] == pytest.approx(logs[1][0][key], rel=1e-3), key
