"""How much nearer to a painting a fitted style is than one that is read, what it costs, and what becomes of steadiness.

    python -m benchmarks.fit [--vgg FILE] [--styles 8] [--clips 4] [--methods read,code,deep] [--keep DIR] [--quick] [--out DIR]

Clips and paintings are those of benchmarks/validation.py, which neither training nor fitting has seen; films have a short
side of 360 px. Writes fit.json: a row a method, painting and clip, and means with the ratio to `read`, pair by pair. Rows that
a run before has measured (DIR/fit.rows.jsonl) are not measured again, and fitted styles in the folder of --keep are not fitted
again. With --vgg, weights up to conv5_1, there is a Gram
distance that no loss uses.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call

from benchmarks.films import clips, first_frames
from benchmarks.record import environment, options, save
from benchmarks.validation import Style, styles
from vidstyle.imaging.flow import DisFlow
from vidstyle.imaging.resize import resize_short, with_short_side
from vidstyle.imaging.tensors import as_pixels, as_planes, tensor_of, unit_range
from vidstyle.losses.network import loss_network
from vidstyle.metrics.fidelity import DeepGram, StyleDistance, content_ms_ssim
from vidstyle.metrics.patches import PatchDistance
from vidstyle.metrics.shift import shift_error
from vidstyle.metrics.warp_error import FlowMotion, motion, warp_error
from vidstyle.models.checkpoint import load_model, load_style, save_fitted_code
from vidstyle.models.compact import CompactNet
from vidstyle.models.model_files import read_metadata
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import StyleCode
from vidstyle.models.vgg import load_vgg
from vidstyle.models.weight_change import WeightChange
from vidstyle.styles.fit.optimise import Art, fit
from vidstyle.styles.fit.settings import FitSettings

SIDE = 360
FRAMES = 2
SHIFTS = (1, 2, 3)
KEYS = ("style_distance", "gram_relu5_1", "patch_distance", "E_1", "shift_error", "ms_ssim")
METHODS: dict[str, dict[str, Any] | None] = {
    "read": None,
    "code": {},
    "deep": {"deep": True},
    "code steady": {"balance": "steady"},
    "code bold": {"balance": "bold"},
    "deep steady": {"deep": True, "balance": "steady"},
    "deep bold": {"deep": True, "balance": "bold"},
    "deep 100": {"steps": 100, "deep": True},
    "code 200": {"steps": 200},
    "deep 200": {"steps": 200, "deep": True},
}
"""Name > what differs from the defaults of a fit; None: not fitted."""
Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    name: str
    frames: Frames
    """(FRAMES, H, W, 3) uint8."""
    motion: FlowMotion


@dataclass(frozen=True)
class StyleStage:
    """A network with a style."""

    model: CompactNet
    code: StyleCode
    change: WeightChange | None

    def __call__(self, frames: Frames) -> Frames:
        """(N, H, W, 3) uint8 to the same."""
        weights = self.change.applied(self.model) if self.change else {}
        with torch.no_grad():
            return np.concatenate(
                [
                    as_pixels(
                        functional_call(self.model, weights, (as_planes(tensor_of(f[None]), "cpu"), self.code))
                    ).numpy()
                    for f in frames
                ]
            )


def main(argv: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("--vgg", type=Path, help="normalised VGG-16 up to conv5_1, for gram_relu5_1")
    parser.add_argument("--styles", type=int, default=8)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--methods", default="read,code,deep")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for fitted styles, STYLE--METHOD.safetensors")
    arguments = parser.parse_args(argv)
    methods = arguments.methods.split(",")
    if arguments.quick:
        arguments.styles, arguments.clips = 1, 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    machine = environment()
    store = arguments.out / "fit.rows.jsonl"
    rows = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    with tempfile.TemporaryDirectory() as work:
        films = list(read_clips(arguments.clips, Path(work)))
        for row in measured(arguments, methods, films, rows):
            rows.append(row)
            with store.open("a") as file:
                file.write(json.dumps(row) + "\n")
    more = {"side": SIDE, "frames": FRAMES, "shifts": SHIFTS, "means": means(rows)}
    print(save(arguments.out, "fit", rows, machine, **more))


def read_clips(count: int, work: Path) -> Iterator[Clip]:
    """Two frames of each clip, half a second in."""
    flow = DisFlow()
    for clip in clips(count, work):
        frames = np.stack([resize_short(f, SIDE) for f in list(first_frames(clip, 12 + FRAMES))[-FRAMES:]])
        yield Clip(clip.name, frames, motion(flow, frames[0], frames[1]))


def measured(
    arguments: argparse.Namespace, methods: Sequence[str], films: Sequence[Clip], rows: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    model = load_model("compact")
    assert isinstance(model, CompactNet)
    network, deepest = loss_network(), load_vgg(arguments.vgg) if arguments.vgg else None
    known = {(row["method"], row["style"], row["clip"]) for row in rows}
    for style in [s for s in styles(arguments.styles) if s.kind == "paintings"] or styles(arguments.styles):
        for method in methods:
            wanted = [clip for clip in films if (method, style.name, clip.name) not in known]
            if not wanted:
                continue
            kept = arguments.keep / f"{style.name}--{method}.safetensors" if arguments.keep else None
            painter, about = painted(model, style, METHODS[method], kept)
            for clip in wanted:
                height, width = clip.frames.shape[1:3]
                short = min(height, width)
                result = painter(clip.frames)
                values = {
                    "style_distance": StyleDistance(network, style.picture, short)(result[0]),
                    "gram_relu5_1": DeepGram(deepest, style.picture, short)(result[0]) if deepest else None,
                    "patch_distance": PatchDistance(style.picture, short)(result[0]),
                    "E_1": warp_error(unit_range(result[0]), unit_range(result[1]), clip.motion),
                    "shift_error": statistics.fmean(shift_error(painter, clip.frames[0], SHIFTS).values()),
                    "ms_ssim": content_ms_ssim(clip.frames[0], result[0]),
                }
                yield {"method": method, "style": style.name, "clip": clip.name, **about, **values}


def painted(
    model: CompactNet, style: Style, settings: dict[str, Any] | None, kept: Path | None
) -> tuple[StyleStage, dict[str, Any]]:
    """A painter, and what its fit took; from the file `kept` where there is one, else that is written."""
    read = with_short_side(style.picture, 384)
    if settings is None:
        with torch.no_grad():
            return StyleStage(model, model.encode_style(as_planes(tensor_of(read[None]), "cpu")), None), {
                "seconds": 0.0
            }
    if kept and kept.exists():
        code = load_style(kept)
        return StyleStage(model, code.unchanged(), code.change), read_metadata(kept)["fit"]
    wanted = FitSettings(paint_size=SIDE, **settings)
    begun = time.perf_counter()
    found = fit(model, [Art(read, with_short_side(style.picture, wanted.target_size))], wanted)
    about = {"seconds": round(time.perf_counter() - begun, 2), "share": found.share}
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_fitted_code(replace(found.code, change=found.change), kept, find_model().digest, {"fit": about})
    return StyleStage(model, found.code, found.change), about


def means(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of each method: means, the mean ratio to `read` over pairs of painting and clip, and the largest ratio of one pair."""
    read = {(row["style"], row["clip"]): row for row in rows if row["method"] == "read"}
    out: dict[str, dict[str, Any]] = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method and (row["style"], row["clip"]) in read]
        pairs = [(row, read[row["style"], row["clip"]]) for row in own]
        about: dict[str, Any] = {
            "pairs": len(pairs),
            "seconds": statistics.median([row["seconds"] for row in own] or [0]),
        }
        for key in KEYS:
            values = [row[key] for row in own if row[key] is not None]
            ratios = [a[key] / b[key] for a, b in pairs if a[key] is not None and b[key]]
            if values:
                about[key] = {
                    "mean": statistics.fmean(values),
                    "ratio": statistics.fmean(values) / statistics.fmean([b[key] for _, b in pairs]),
                    "worst_ratio": max(ratios),
                }
        out[method] = about
    return out


if __name__ == "__main__":
    main()
