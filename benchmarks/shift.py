"""How much of a picture is painted anew when its frame moves by whole pixels?

    python -m benchmarks.shift [--quick] [--out DIR] [--model NAME|FILE] [--engine NAME] [--precision NAME] [--options "..."]

Shift error at 1, 2, 3, 4 and 8 pixels (docs/metrics.md), levels of 255. Stills: the first frame of each clip of the
validation set at 512 px width, through the engine. Films: the clip and the clip moved by s pixels down and to the right, both
through `vidstyle run` (with --options, those of `run`), compared frame by frame. The rows `blur` and `grey` say what the number
is not: a 9x9 mean has nothing, and neither has a grey picture; the source itself has 0 at every s.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.films import Frames, clips, first_frames, shortened, write
from benchmarks.harness import vidstyle_each
from benchmarks.record import environment, options, save
from benchmarks.study import add_options, extent, one_model
from benchmarks.validation import WIDTH, Style, styles
from vidstyle.engines.base import Engine
from vidstyle.engines.choose import make_engine
from vidstyle.metrics.shift import SHIFTS, difference, shift_error, windows

Method = Callable[[Frames], Frames]


def styled_by(engine: Engine, style: Style) -> Method:
    """A frame in a style, as `shift_error` takes it."""
    code = engine.encode_style(style.picture)
    return lambda frames: np.asarray(engine.stylize(frames, code))


def on_stills(engine: Engine, chosen: Sequence[Style], stills: dict[str, Frames]) -> Iterator[dict[str, Any]]:
    """A row a clip and style."""
    for clip, frame in stills.items():
        for style in chosen:
            found = shift_error(styled_by(engine, style), frame)
            yield {"what": "still", "clip": clip, "style": style.name, "kind": style.kind, **keys(found)}


def on_films(
    chosen: Sequence[Style], sources: dict[str, list[Frames]], work: Path, more: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """A row a clip and style: both films by `vidstyle run`, one process for all."""
    commands, wanted = [], []
    for style in chosen:
        if not (art := work / f"{style.name}.png").exists():
            from vidstyle.imaging.image_io import write_image

            write_image(art, style.picture)
        for clip, frames in sources.items():
            for shift in (0, *SHIFTS):
                source, film = work / f"{clip}.{shift}.mkv", work / f"{clip}.{style.name}.{shift}.mkv"
                if not source.exists():
                    seen = (windows(f, max(shift, 1), max(SHIFTS))[3 if shift else 0] for f in frames)
                    write(source, seen, Fraction(25), codec="ffv1")
                fixed = ["run", str(source), "--style", str(art), "-o", str(film), "--codec", "ffv1", "-q"]
                commands.append([*fixed, *more])
            wanted.append((clip, style))
    vidstyle_each(commands)
    for clip, style in wanted:
        films = {s: np.stack(list(first_frames(work / f"{clip}.{style.name}.{s}.mkv", 999))) for s in (0, *SHIFTS)}
        found = {s: difference(films[0], films[s], s, s) for s in SHIFTS}
        yield {"what": "film", "clip": clip, "style": style.name, "kind": style.kind, **keys(found)}


def keys(found: dict[int, float]) -> dict[str, float]:
    return {f"shift_{s}": round(v, 4) for s, v in found.items()}


def blur(frames: Frames) -> Frames:
    """9x9 mean."""
    import cv2

    return np.stack([np.asarray(cv2.blur(f, (9, 9)), np.uint8) for f in frames])


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--options", default="", help="of `vidstyle run`, for the films")
    parser.add_argument("--no-films", action="store_true", help="stills alone")
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, count = extent(arguments, quick=(1, 1, 2), full=(8, 10, 4))
    chosen = [s for s in styles(style_count) if s.kind == "paintings"] or styles(style_count)
    rows: list[dict[str, Any]] = []
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        short = {c.stem: shortened(c, work, width=WIDTH, frames=count) for c in clips(clip_count, work)}
        sources = {name: list(first_frames(path, count)) for name, path in short.items()}
        stills = {name: frames[0] for name, frames in sources.items()}
        engine = make_engine(arguments.model, engine=arguments.engine, precision=arguments.precision)
        for name, plain in (("blur", blur), ("grey", lambda f: np.full_like(f, 128))):
            rows += [{"what": name, "clip": c, "style": None, **keys(shift_error(plain, f))} for c, f in stills.items()]
        for row in on_stills(engine, chosen, stills):
            rows.append(row)
            print(row, flush=True)
        if not arguments.no_films:
            more = ["--model", arguments.model, *shlex.split(arguments.options)]
            first = dict(list(sources.items())[:3])
            for row in on_films(chosen[:3], first, work, more):
                rows.append(row)
                print(row, flush=True)
    means = {}
    for what in dict.fromkeys(r["what"] for r in rows):
        of = [r for r in rows if r["what"] == what]
        means[what] = {k: round(float(np.mean([r[k] for r in of])), 4) for k in keys(dict.fromkeys(SHIFTS, 0.0))}
        print(what, means[what])
    about = {"quick": arguments.quick, "width": WIDTH, "model_digest": digest, "options": arguments.options}
    about |= {"engine": engine.name, "precision": engine.precision, "frames": count}
    print(save(arguments.out, "shift", rows, machine, **about, means=means))


if __name__ == "__main__":
    main()
