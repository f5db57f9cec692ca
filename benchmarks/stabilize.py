"""How much steadier does `--stabilize` make a film, and what does it change besides?

    python -m benchmarks.stabilize [--quick] [--out DIR] [--model NAME|FILE]

E_1, E_10 and flicker (docs/metrics.md) of the same film with S = 0, 0.5 and 0.8, SSIM beside them. The filter follows the same
kind of flow (OpenCV DIS) as the measure does, so part of the gain in E_1 may be shared mistakes of the flow: flicker, where
the source stands still, has no flow in it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.films import clips, shortened, styles
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, evaluated, extent, line, one_model, styled

WIDTH = 426
AMOUNTS = (0.0, 0.5, 0.8)
KEYS = ("E_1", "E_10", "flicker", "ssim")


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, frames = extent(arguments, quick=(1, 1, 12), full=(3, 1, 40))
    rows: list[dict[str, Any]] = []
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for clip in clips(clip_count, work):
            source = shortened(clip, work, width=WIDTH, frames=frames)
            for style in styles(style_count):
                for amount in AMOUNTS:
                    film = styled(source, style, work, "--stabilize", str(amount), model=arguments.model)
                    numbers = evaluated(film, source, gaps=(1, 10))
                    kept = {k: numbers[k] for k in (*KEYS, "visible", "frames")}
                    kept["source"] = numbers["source"]
                    rows.append({"clip": clip.name, "style": style, "stabilize": amount, **kept})
                    print(line(f"{clip.name} {style} S={amount}", numbers, KEYS), flush=True)
    more = {"quick": arguments.quick, "width": WIDTH, "flow": numbers["flow"], "model_digest": digest}
    print(save(arguments.out, "stabilize", rows, machine, **more))


if __name__ == "__main__":
    main()
