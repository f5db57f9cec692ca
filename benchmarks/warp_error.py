"""How much does a film change along the motion of its source? Ours, beside the source itself and a grey film.

    python -m benchmarks.warp_error [--quick] [--out DIR] [--model NAME|FILE]

E_1 and E_10 (squared errors over visible pixels, docs/metrics.md), and the flicker where the source stands still. The source's
row is the noise floor: what the flow gets wrong. The grey row is 0 and worth nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.films import clips, grey, shortened, styles
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, evaluated, extent, line, one_model, styled

WIDTH = 512
KEYS = ("E_1", "E_10", "flicker", "ssim")


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, frames = extent(arguments, quick=(1, 1, 12), full=(5, 3, 40))
    rows: list[dict[str, Any]] = []

    def add(clip: Path, row: str, numbers: dict[str, Any], style: str | None = None) -> None:
        kept = {k: numbers[k] for k in (*KEYS, "visible", "frames")}
        rows.append({"clip": clip.name, "row": row, "style": style, **kept})
        print(line(f"{clip.name} {style or row}", numbers, KEYS), flush=True)

    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for clip in clips(clip_count, work):
            source = shortened(clip, work, width=WIDTH, frames=frames)
            flat = evaluated(grey(source, work), source, gaps=(1, 10))
            add(clip, "source", {**flat, **flat["source"], "ssim": 1.0})
            add(clip, "grey", flat)
            for style in styles(style_count):
                film = styled(source, style, work, model=arguments.model)
                add(clip, "ours", evaluated(film, source, gaps=(1, 10)), style)
                film.unlink()
    more = {
        "quick": arguments.quick,
        "width": WIDTH,
        "flow": flat["flow"],
        "model_digest": digest,
    }
    print(save(arguments.out, "warp_error", rows, machine, **more))


if __name__ == "__main__":
    main()
