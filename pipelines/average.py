"""Average the weights of a model before and after a training, and observe the ranges of its layers anew.

    python pipelines/average.py BEFORE.safetensors AFTER.safetensors --content PHOTOS --style PAINTINGS -o OUT.safetensors

On the line between two such models every point is a model, and often one that keeps more of what either is good at than a
shorter training would (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor

from vidstyle.models.checkpoint import load_model, read, write
from vidstyle.training.calibration import calibrated
from vidstyle.training.data.folders import load_folder


def average(before: dict[str, Tensor], after: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """`(1 - share) * before + share * after`, computed in float64, in the types of `after`.

    Raises:
        ValueError: tensors of other names or shapes.
    """
    if {k: t.shape for k, t in before.items()} != {k: t.shape for k, t in after.items()}:
        raise ValueError("the two files hold models of different shapes")
    return {
        name: torch.lerp(before[name].double(), tensor.double(), share).to(tensor.dtype)
        for name, tensor in after.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of AFTER")
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    (first, _), (second, about) = read(arguments.before), read(arguments.after)
    parents = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (arguments.before, arguments.after)]
    about |= {"averaged": json.dumps({"sha256": parents, "share": arguments.share})}
    tensors = average(first, second, arguments.share)
    write(tensors, arguments.output, about)
    ranges = calibrated(load_model(arguments.output), load_folder(arguments.content), load_folder(arguments.style))
    write(tensors, arguments.output, about | {"int8_ranges": json.dumps(ranges)})
    print(f"{arguments.output}: ranges of {len(ranges)} convolutions")


if __name__ == "__main__":
    main()
