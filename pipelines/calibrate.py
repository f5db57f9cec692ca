"""Note the ranges of a trained model's layers in its file, as `train-video` does for what it trains: for files that are older.

python pipelines/calibrate.py MODEL.safetensors --content PHOTOS --style PAINTINGS
"""

from __future__ import annotations

import argparse
from pathlib import Path

from vidstyle.models.checkpoint import load_model, read_metadata, save_model
from vidstyle.training.calibration import calibrated
from vidstyle.training.data import load_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--content", type=Path, required=True)
    parser.add_argument("--style", type=Path, required=True)
    arguments = parser.parse_args()
    model, about = load_model(arguments.model), read_metadata(arguments.model)
    about["int8_ranges"] = calibrated(model, load_folder(arguments.content), load_folder(arguments.style))
    save_model(model, arguments.model, metadata={k: v for k, v in about.items() if k not in ("architecture", "config")})
    print(f"{arguments.model}: ranges of {len(about['int8_ranges'])} convolutions")


if __name__ == "__main__":
    main()
