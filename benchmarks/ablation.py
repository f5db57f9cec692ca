"""What each part of the method does: softmax attention, cosine attention, with Lis, with Lt, without the decoder's example.

    python -m benchmarks.ablation --weights FILE --content DIR --style DIR --vgg FILE [--quick] [--out DIR] [--runs DIR]

Trains `compact` by pipelines/ablation.toml once a variant: same start, same pictures, same number of steps; only what the
variant's name says differs. Then measures each on clips and paintings of the validation set. --weights is a model after the
second stage of pipelines/compact.toml (`vidstyle train-video ... --max-steps 1700`). A quarter of an hour on two cores; the
differences that it shows are those of a short training.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.films import Frames
from benchmarks.harness import measure
from benchmarks.record import ROOT, environment, options, save
from benchmarks.study import extent, line
from benchmarks.validation import KEYS, WIDTH, Rulers, Source, Style, mean, means, measured, sources, styles
from vidstyle.engines.base import Engine
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.imaging.flow import DisFlow
from vidstyle.imaging.tensors import unit_range
from vidstyle.metrics.warp_error import motion, warp_error
from vidstyle.models.registry import find_model
from vidstyle.training.data.batches import Folders
from vidstyle.training.data.folders import load_folder
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.objective.loss_network import load_loss_network
from vidstyle.training.recipe import LossWeights, Recipe
from vidstyle.training.recipe_file import checked, load_recipe
from vidstyle.training.trainer import Training

GAP = 10


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    name: str
    config: dict[str, Any]
    off: tuple[str, ...]
    """Weights that are set to 0."""


VARIANTS = (
    Variant("softmax", {"attention": "softmax"}, ("similarity", "temporal")),
    Variant("cosine", {}, ("similarity", "temporal")),
    Variant("cosine + Lis", {}, ("temporal",)),
    Variant("cosine + Lis + Lt", {}, ()),
    Variant("cosine + Lis + Lt, decoder without example", {"by_example": False}, ()),
)


def main() -> None:
    parser = options(__doc__)
    for name in ("clips", "styles", "frames"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help="how many are measured; default: as --quick says")
    for name in ("weights", "content", "style", "vgg"):
        parser.add_argument(f"--{name}", type=Path, required=True, metavar="PATH", help="see above")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where the trainings stay; default: nowhere")
    parser.add_argument("--steps", type=int, metavar="N", help="of each training; default: the recipe's")
    arguments = parser.parse_args()
    machine = environment()
    base = load_recipe(ROOT / "pipelines" / "ablation.toml")
    steps = arguments.steps or (20 if arguments.quick else base.steps)
    clip_count, style_count, count = extent(arguments, quick=(1, 1, 12), full=(2, 4, 12))
    content, style = load_folder(arguments.content), load_folder(arguments.style)
    rulers = Rulers(arguments.vgg)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        seen = [s for s in styles(style_count) if s.kind == "paintings"] or styles(style_count)
        films = list(sources(clip_count, count, work))
        for source in films:
            for art in seen:
                rows.append(row("source", source, art, source.frames, rulers))
        for number, variant in enumerate(VARIANTS):
            out = (arguments.runs or work) / f"{number}"
            terms = train(varied(base, variant, steps), content, style, arguments.vgg, arguments.weights, out)
            engine = TorchEngine(find_model(out / "model.safetensors"), device="cpu", precision="fp32")
            for source in films:
                for art in seen:
                    frames, seconds = painted(engine, source, art)
                    more = {"seconds": seconds, **{f"last_{k}": v for k, v in terms.items()}}
                    rows.append(row(variant.name, source, art, frames, rulers) | more)
            print(line(variant.name, table(rows)[variant.name], TABLE), flush=True)
    found = table(rows)
    more = {"quick": arguments.quick, "width": WIDTH, "frames": count, "steps": steps, "means": found}
    print(save(arguments.out, "ablation", rows, machine, **more))


TABLE = ("E_1", "E_10", "flicker", "ssim", "style_distance")


def table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of TABLE by variant."""
    return {
        name: means([r for r in rows if r["variant"] == name], TABLE)
        for name in dict.fromkeys(r["variant"] for r in rows)
    }


def varied(base: Recipe, variant: Variant, steps: int) -> Recipe:
    """The recipe of a variant."""
    stage = base.stage[0]
    weights = checked(LossWeights, {**asdict(stage.weights), **dict.fromkeys(variant.off, 0.0)})
    stage = replace(stage, weights=weights, steps=steps)
    return replace(base, config={**base.config, **variant.config}, stage=(stage,))


def train(
    recipe: Recipe, content: ImageFolder, style: ImageFolder, vgg: Path, weights: Path, out: Path
) -> dict[str, float]:
    """Train into `out`; the loss terms at the end, means over the last steps."""
    last: list[str] = []
    training = Training(
        recipe, Folders(content, style), load_loss_network(vgg, []), out, weights=weights, say=last.append
    )
    training.run()
    words = last[-1].split()
    return {k: float(v) for k, v in zip(words[::2], words[1::2], strict=False) if k in ("g", "l", "i", "t")}


def painted(engine: Engine, source: Source, style: Style) -> tuple[Frames, Any]:
    """The source's frames in a style, and the time of one."""
    code = engine.encode_style(style.picture)
    time = measure(lambda: engine.stylize(source.frames[:1], code), warmup=1, repeats=2)
    return np.concatenate([engine.stylize(frame[None], code) for frame in source.frames]), time


def row(variant: str, source: Source, style: Style, frames: Frames, rulers: Rulers) -> dict[str, Any]:
    """Numbers of one film."""
    flow, far = DisFlow(), []
    for i in range(0, len(frames) - GAP, 2):
        moved = motion(flow, source.frames[i], source.frames[i + GAP])
        far.append(warp_error(unit_range(frames[i]), unit_range(frames[i + GAP]), moved))
    found = measured(frames, source, rulers.get(style, source.short_side))
    return {
        "variant": variant,
        "clip": source.name,
        "style": style.name,
        **{k: found[k] for k in KEYS},
        "E_10": mean(far),
    }


if __name__ == "__main__":
    main()
