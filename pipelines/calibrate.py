"""Note the ranges of a trained model's layers in its file, as `train-video` does for what it trains: for files that are older.

    python pipelines/calibrate.py MODEL.safetensors --content PHOTOS --style PAINTINGS

Weights and everything else that the file says stay as they are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from vidstyle.models.checkpoint import load_model, read, write
from vidstyle.training.calibration import calibrated
from vidstyle.training.data.folders import load_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True)
    arguments = parser.parse_args()
    ranges = calibrated(load_model(arguments.model), load_folder(arguments.content), load_folder(arguments.style))
    tensors, about = read(arguments.model)
    write(tensors, arguments.model, about | {"int8_ranges": json.dumps(ranges)})
    print(f"{arguments.model}: ranges of {len(ranges)} convolutions")


if __name__ == "__main__":
    main()
