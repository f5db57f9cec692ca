"""Steadiness, style and content together: E_1, style distance and SSIM of ours, clips x styles, at 512 px width.

    python -m benchmarks.quality --vgg FILE [--quick] [--out DIR] [--model NAME|FILE]

The source's own style distance stands beside each: what is left of the way from it to the style. Without --vgg it is null.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.films import clips, shortened, styles
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, evaluated, extent, line, one_model, styled

WIDTH = 512
KEYS = ("E_1", "style_distance", "ssim", "flicker")


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, frames = extent(arguments, quick=(1, 2, 8), full=(4, 5, 24))
    rows: list[dict[str, Any]] = []
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for clip in clips(clip_count, work):
            source = shortened(clip, work, width=WIDTH, frames=frames)
            for style in styles(style_count):
                film = styled(source, style, work, model=arguments.model)
                found = evaluated(film, source, style=style, vgg=arguments.vgg)
                film.unlink()
                own = {f"source_{k}": found["source"][k] for k in ("E_1", "style_distance", "flicker")}
                rows.append({"clip": clip.name, "style": style, **{k: found[k] for k in KEYS}, **own})
                print(line(f"{clip.name} {style}", found, KEYS), flush=True)
    middle = {k: median([r[k] for r in rows]) for k in (*KEYS, "source_E_1", "source_style_distance")}
    print(line("median", middle, tuple(middle)))
    more = {
        "quick": arguments.quick,
        "width": WIDTH,
        "vgg": arguments.vgg.name if arguments.vgg else None,
        "model_digest": digest,
        "median": middle,
    }
    print(save(arguments.out, "quality", rows, machine, **more))


def median(values: list[float | None]) -> float | None:
    """Of those that there are."""
    known = [v for v in values if v is not None]
    return statistics.median(known) if known else None


if __name__ == "__main__":
    main()
