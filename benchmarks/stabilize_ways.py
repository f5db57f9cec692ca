"""Which way of steadying a painted film is worth what, on clean, grainy and hard compressed film?

    python -m benchmarks.stabilize_ways [--quick] [--out DIR] [--clips N] [--styles N] [--frames N] [--sheet FILE]

The ways, each with the share S of the frame before:

- flow: `--stabilize`: along the source's motion, where the moved source looks like the source, pixel by pixel;
- local: likewise, of the source averaged over 5x5 pixels: grain neither misleads the flow nor counts as a difference;
- still: no motion is followed; where the source stands still (no change of its local mean, by the maximum over a window of
  13x13), the painting is drawn to the one before;
- before: as still, but the source is drawn to the source before, and then painted: grain goes before it is painted.

Grain is Gaussian, 8 levels of 255, about two pixels wide, new in every frame; compressed film is x264 at CRF 40. Motion,
visibility and still places are those of the clean film: what grain does is not taken for motion. E_1 and flicker as in
docs/metrics.md. sharp is the energy of the two finest octaves against the unsteadied painting of the clean film; ghost is how
far the local mean colour is from the unsteadied painting's of the same film where the clean source moves, in levels of 255
(trails). ms is processor time of the filter a frame.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.films import clips, first_frames, styles, write
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, extent, one_model
from vidstyle import Stylizer
from vidstyle.imaging.flow import DisFlow
from vidstyle.imaging.image_io import write_image
from vidstyle.imaging.tensors import unit_range
from vidstyle.losses.sharpness import band_energies
from vidstyle.metrics.fidelity import content_ssim
from vidstyle.metrics.flicker import flicker, still_pixels
from vidstyle.metrics.warp_error import FlowMotion, motion, warp_error
from vidstyle.pipeline.stages.stabilize import Stabilizer

Frames = NDArray[np.uint8]
WIDTH = 320
GRAIN = 8.0
CRF = 40
KEYS = ("E_1", "flicker", "ssim", "sharp", "ghost", "ms")
BOX, WINDOW = 9, 13
CALM, MOVING = 5.0, 12.0
"""Changes of the local mean, levels of 255: below the first nothing moves, above the second everything does."""


Filter = Callable[[Frames, Frames], Frames]
"""Source and painting of the next frame to the steadied painting."""


def local(stabilizer: Stabilizer) -> Filter:
    return lambda source, picture: stabilizer.next(np.asarray(cv2.blur(source, (5, 5)), np.uint8), picture)


class StillFilter:
    """Draws each picture to the one before where the source stands still."""

    def __init__(self, amount: float) -> None:
        self.amount = amount
        self.mean: NDArray[np.float32] | None = None
        self.output: NDArray[np.float32] | None = None

    def next(self, source: Frames, picture: Frames) -> Frames:
        """(H, W, 3) each."""
        mean = np.asarray(cv2.blur(source.astype(np.float32), (BOX, BOX)), np.float32)
        output = picture.astype(np.float32)
        if self.mean is not None and self.output is not None:
            change = np.abs(mean - self.mean).max(axis=2)
            widest = np.asarray(cv2.dilate(change, np.ones((WINDOW, WINDOW), np.uint8)), np.float32)
            share = self.amount * np.clip((MOVING - widest) / (MOVING - CALM), 0, 1)
            output += share[..., None] * (self.output - output)
        self.mean, self.output = mean, output
        return np.clip(np.rint(output), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Clip:
    """A clean film, what moves in it, and the films that are made from it."""

    name: str
    clean: list[Frames]
    motions: list[FlowMotion]
    films: Mapping[str, list[Frames]]


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="a picture of all ways, of the last clip")
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, frames = extent(arguments, quick=(1, 1, 6), full=(4, 2, 24))
    rows: list[dict[str, Any]] = []
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        stylizer = Stylizer(arguments.model, threads=1)
        for path in clips(clip_count, Path(folder)):
            clip = prepared(path, Path(folder), frames)
            for style in styles(style_count):
                rows += measured(clip, style, stylizer, arguments.sheet)
    means = summary(rows)
    for (film, way), numbers in means.items():
        print(f"{film:11} {way:11} " + "  ".join(f"{key} {numbers[key]:.5f}" for key in KEYS), flush=True)
    listed = [{"film": film, "way": way, **numbers} for (film, way), numbers in means.items()]
    print(save(arguments.out, "stabilize_ways", rows, machine, width=WIDTH, means=listed, model_digest=digest))


def prepared(path: Path, work: Path, count: int) -> Clip:
    clean = [_small(frame) for frame in first_frames(path, count)]
    rng = np.random.default_rng(0)
    flow = DisFlow()
    coded = work / "coded.mp4"
    write(coded, clean, Fraction(25), crf=CRF)
    return Clip(
        path.name,
        clean,
        [motion(flow, a, b) for a, b in pairwise(clean)],
        {
            "clean": clean,
            "grain": [grainy(frame, rng) for frame in clean],
            "compressed": list(first_frames(coded, count)),
        },
    )


def _small(frame: Frames) -> Frames:
    height = round(frame.shape[0] * WIDTH / frame.shape[1] / 8) * 8
    return np.asarray(cv2.resize(frame, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def grainy(frame: Frames, rng: np.random.Generator) -> Frames:
    noise = cv2.GaussianBlur(rng.standard_normal(frame.shape[:2]).astype(np.float32), (0, 0), 0.8)
    noise *= GRAIN / noise.std()
    return np.asarray(np.clip(np.rint(frame + noise[..., None]), 0, 255), np.uint8)


def measured(clip: Clip, style: str, stylizer: Stylizer, sheet: Path | None) -> list[dict[str, Any]]:
    """A row for each film and way."""
    code = stylizer.encode_style(style)

    def paint(frames: list[Frames]) -> list[Frames]:
        return [stylizer.stylize(frame[None], code)[0] for frame in frames]

    rows, pictures = [], []
    clean = paint(clip.clean)
    for film, source in clip.films.items():
        plain = clean if film == "clean" else paint(source)
        shown = [source[-1], plain[-1]]
        for way, (result, ms) in results(source, plain, paint).items():
            numbers = {**quality(clip, clean, plain, result), "ms": ms}
            rows.append({"clip": clip.name, "film": film, "style": style, "way": way, **numbers})
            shown += [] if way == "off" else [result[-1]]
        pictures.append(np.hstack(shown))
    if sheet is not None:
        write_image(sheet, np.vstack(pictures))
    return rows


def results(
    source: list[Frames], plain: list[Frames], paint: Callable[[list[Frames]], list[Frames]]
) -> dict[str, tuple[list[Frames], float]]:
    """The film by every way, and processor milliseconds a frame of the filter."""
    found: dict[str, tuple[list[Frames], float]] = {"off": (plain, 0.0)}
    for amount in (0.5, 0.8):
        ways: dict[str, Filter] = {
            "flow": Stabilizer(amount, threads=1).next,
            "local": local(Stabilizer(amount, threads=1)),
            "still": StillFilter(amount).next,
        }
        for name, next_ in ways.items():
            begun = time.process_time()
            steadied = [next_(a, b) for a, b in zip(source, plain, strict=True)]
            found[f"{name} {amount}"] = steadied, 1000 * (time.process_time() - begun) / len(plain)
    before = StillFilter(0.8)
    begun = time.process_time()
    calmer = [before.next(frame, frame) for frame in source]
    ms = 1000 * (time.process_time() - begun) / len(plain)
    calm = paint(calmer)
    found["before 0.8"] = calm, ms
    return found


def quality(clip: Clip, clean: list[Frames], plain: list[Frames], film: list[Frames]) -> dict[str, float | None]:
    """What is measured of a film, means over its frames."""
    errors, flickers, ghosts = [], [], []
    for n, moved in enumerate(clip.motions):
        a, b = clip.clean[n], clip.clean[n + 1]
        errors.append(warp_error(unit_range(film[n]), unit_range(film[n + 1]), moved))
        still = still_pixels(a, b)
        flickers.append(flicker(film[n], film[n + 1], still))
        away = np.abs(
            cv2.blur(film[n + 1].astype(np.float32), (BOX, BOX)) - cv2.blur(plain[n + 1].astype(np.float32), (BOX, BOX))
        ).mean(axis=2)
        moving = np.hypot(*moved.flow.numpy()) > 1
        ghosts.append(float(away[moving].mean()) if moving.any() else None)
    with torch.no_grad():
        own, other = (band_energies(torch.stack([unit_range(f) for f in frames])) for frames in (film, clean))
    return {
        "E_1": _mean(errors),
        "flicker": _mean(flickers),
        "ssim": _mean([content_ssim(a, b) for a, b in zip(clip.clean, film, strict=True)]),
        "sharp": float((own[:, :2].sum(1) / other[:, :2].sum(1)).mean()),
        "ghost": _mean(ghosts),
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def summary(rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, float | None]]:
    """Means over clips and styles, by film and way."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["film"], row["way"]), []).append(row)
    return {key: {name: _mean([row[name] for row in group]) for name in KEYS} for key, group in groups.items()}


if __name__ == "__main__":
    main()
