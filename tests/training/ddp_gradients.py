"""Run by test_processes.py, alone or in several processes: the gradients of one step, written by the first of them.

python ddp_gradients.py PICTURES OUT BATCH PARTS
"""

from __future__ import annotations

import sys
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from vidstyle.models.checkpoint import build
from vidstyle.models.vgg import VGG
from vidstyle.training.data.batches import Folders
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.folders import load_folder
from vidstyle.training.distributed import Processes
from vidstyle.training.objective.stages import OBJECTIVES, Step
from vidstyle.training.recipe import Recipe
from vidstyle.training.recipe_file import checked

CONFIG = {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8}
EVERY = {"every_t": 1, "every_r": 1, "every_i": 1, "every_v": 2, "weights": {"v": 300.0}}
DEPTH = {"style_layers": [0.5, 1.0, 1.0], "local_layers": [3], "similarity_layers": [2, 3]}


def main(pictures: Path, out: Path, batch: int, parts: int) -> None:
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    processes = Processes()
    stages = [{"kind": kind, "steps": 4, "crop": 64, "batch": batch, **EVERY, **DEPTH} for kind in OBJECTIVES]
    recipe = checked(Recipe, {"config": CONFIG, "precision": "fp32", "stage": stages})
    images = load_folder(pictures)
    frames = [np.ascontiguousarray(images.images[1][i : i + 96]) for i in range(4)]
    clips = ClipFolder((pictures,), (tuple(pairwise(frames)),), 0, 0, "")
    source = Folders(images, images, clips).batches(recipe, processes.device, (processes.rank, processes.count))
    torch.manual_seed(0)
    vgg = VGG("vgg16", widths=(8, 16, 24, 32, 32))
    found: dict[str, torch.Tensor] = {}
    for index, stage in enumerate(recipe.stage):
        torch.manual_seed(1)
        net = build("compact", CONFIG)
        with torch.no_grad():  # a fresh network paints one flat colour
            for weights in net.parameters():
                weights.add_(0.1 * torch.randn_like(weights))
        module = processes.wrap(Step(OBJECTIVES[stage.kind](net, vgg, stage, processes.mean)), stage.kind == "distil")
        seen: set[str] = set()
        for part in range(parts):
            loss, terms = module(source.batch(index, 1, part))
            (loss / parts).backward()
            seen |= set(terms)
        if stage.kind == "style":  # the one pair of frames may be another process's
            assert seen - {"v"} == {"range", "g", "l", "i", "t", "r"}
            assert processes.any("v" in seen)
        found |= {f"{stage.kind}.{k}": p.grad for k, p in net.named_parameters() if p.grad is not None}
        total = processes.mean(loss)
        found[f"{stage.kind}.loss"] = total[None]
    if processes.first:
        save_file(found, out, {"processes": str(processes.count)})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
