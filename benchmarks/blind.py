"""Which of two methods do people prefer, when they do not know which is which?

    python -m benchmarks.blind make SHEETS --method old= --method "new=--strength 0.7" [--kind still|moving]
    python -m benchmarks.blind make SHEETS --method ours=films/ours --method theirs=films/theirs
    python -m benchmarks.blind tally KEY VOTES.csv... [--out FILE]

A method is NAME=OPTIONS, options of `vidstyle run`, or NAME=FOLDER with a film or a picture CLIP--STYLE.* for each pair of the
list (blind_pairs.json: 8 clips x 8 styles, fixed before judging; --list FILE takes another). --package NAME=DIR styles that
method with another checkout's package. Sheets come in random order, each with random sides; the key is written beside the
folder, not in it, and judges do not see it. They fill in `votes.csv`: sheet, A or B or = (cannot say).

`tally` counts: shares of decided votes and of sheets (majority of the judges), each with its 95 % Wilson interval. "Preferred"
is said only of three judges or more, 60 sheets or more, and an interval of sheets that lies above one half.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import secrets
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice
from pathlib import Path
from typing import Any

from benchmarks.blind_sheets import STRIP, moving_sheet, still_sheet
from benchmarks.blind_tally import tally
from benchmarks.films import Frames, data_folder, first_frames, write
from benchmarks.harness import vidstyle_each
from vidstyle.imaging.image_io import read_image, write_image
from vidstyle.media.input.probe import probe

LIST = Path(__file__).with_name("blind_pairs.json")
QUESTIONS = {
    "still": "Which of A and B is the better picture of this frame in this style?",
    "moving": "Six consecutive frames, and a part of each enlarged: which of A and B would make the better film in this style?",
}
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Pair:
    """A clip in a style."""

    clip: Path
    first: int
    """First frame shown."""
    crop: tuple[float, float]
    style: Path

    @property
    def name(self) -> str:
        """Of the film or picture that a method makes of it, without suffix."""
        return f"{self.clip.stem}--{self.style.stem}"


@dataclass(frozen=True)
class Method:
    """A folder of films or pictures, or options of `vidstyle run`."""

    name: str
    folder: Path | None
    options: tuple[str, ...] = ()
    package: Path | None = None
    """Checkout whose package runs; None is this one."""


def pairs_of(path: Path) -> list[Pair]:
    """The list, with the files found. Raises SystemExit where one is missing."""
    data, listed = data_folder(), json.loads(path.read_text())
    if data is None:
        raise SystemExit("benchmarks.blind: no folder of clips and pictures; set VIDSTYLE_DATA.")
    pairs = [
        Pair(data / "clips" / clip["name"], clip["first"], tuple(clip["crop"]), data / "style" / style)
        for clip in listed["clips"]
        for style in listed["styles"]
    ]
    missing = {p for pair in pairs for p in (pair.clip, pair.style) if not p.is_file()}
    if missing:
        raise SystemExit(f"benchmarks.blind: not in {data}: {', '.join(sorted(p.name for p in missing))}.")
    return pairs


def method(text: str, packages: dict[str, Path]) -> Method:
    """NAME=FOLDER or NAME=OPTIONS."""
    name, found, rest = text.partition("=")
    if not found or not name:
        raise SystemExit(f"benchmarks.blind: --method {text}: write NAME=FOLDER or NAME=OPTIONS.")
    if rest and Path(rest).is_dir():
        return Method(name, Path(rest).resolve())
    return Method(name, None, tuple(shlex.split(rest)), packages.get(name))


def excerpt(pair: Pair, count: int, work: Path) -> Path:
    """The frames shown, coded losslessly at the clip's own size: all methods begin from the same pixels."""
    path = work / f"{pair.clip.stem}.mkv"
    if not path.exists():
        frames = islice(first_frames(pair.clip, pair.first + count), pair.first, None)
        write(path, frames, probe(pair.clip).average_rate or Fraction(25), codec="ffv1")
    return path


def rendered(chosen: Method, pairs: Sequence[Pair], count: int, work: Path) -> Path:
    """The folder of a method's films; made by `vidstyle run` where the method is one of options."""
    if chosen.folder is not None:
        return chosen.folder
    folder = work / f"method-{chosen.name}"
    folder.mkdir()
    commands = []
    for pair in pairs:
        source, film = excerpt(pair, count, work), folder / f"{pair.name}.mkv"
        fixed = ["run", str(source), "--style", str(pair.style), "-o", str(film), "--codec", "ffv1", "-q"]
        commands.append([*fixed, *chosen.options])
    vidstyle_each(commands, root=chosen.package)
    return folder


def shown(folder: Path, pair: Pair, count: int) -> list[Frames]:
    """What a method made of a pair: `count` frames, (H, W, 3) uint8."""
    found = [p for p in sorted(folder.glob(f"{pair.name}.*")) if p.is_file()]
    if len(found) != 1:
        raise SystemExit(f"benchmarks.blind: {folder} holds {len(found)} files {pair.name}.*; one is needed.")
    picture = found[0].suffix.lower() in PICTURES
    frames = [read_image(found[0])] if picture else list(first_frames(found[0], count))
    if len(frames) < count:
        raise SystemExit(f"benchmarks.blind: {found[0]} has {len(frames)} frames; {count} are shown.")
    return frames


def sheets(
    methods: Sequence[Method], pairs: Sequence[Pair], kind: str, seed: int, work: Path
) -> Iterator[tuple[Frames, dict[str, str]]]:
    """Sheets in random order, each with its line of the key."""
    rng = random.Random(seed)
    count = STRIP if kind == "moving" else 1
    folders = {m.name: rendered(m, pairs, count, work) for m in methods}
    wanted = [(pair, two) for pair in pairs for two in combinations(folders, 2)]
    rng.shuffle(wanted)
    for pair, two in wanted:
        a, b = two if rng.random() < 0.5 else two[::-1]
        source = list(first_frames(excerpt(pair, count, work), count))
        style = read_image(pair.style)
        left, right = (shown(folders[name], pair, count) for name in (a, b))
        if kind == "moving":
            sheet = moving_sheet(style, source, left, right, pair.crop)
        else:
            sheet = still_sheet(style, source[0], left[0], right[0], pair.crop)
        yield sheet, {"clip": pair.clip.name, "style": pair.style.name, "A": a, "B": b}


def make(arguments: argparse.Namespace) -> None:
    packages = {name: Path(path).resolve() for name, _, path in (p.partition("=") for p in arguments.package)}
    methods = [method(text, packages) for text in arguments.method]
    if len({m.name for m in methods}) < 2:
        raise SystemExit("benchmarks.blind: name two methods or more, each by a name of its own.")
    out: Path = arguments.sheets
    key = arguments.key or out.with_name(f"{out.name}.key.json")
    if key.resolve().is_relative_to(out.resolve()):
        raise SystemExit(f"benchmarks.blind: --key {key}: judges would find it among the sheets; put it elsewhere.")
    if key.exists() or (out.is_dir() and any(out.iterdir())):
        raise SystemExit(f"benchmarks.blind: {out} or {key} holds an earlier round; name another folder.")
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    pairs = pairs_of(arguments.list)[:: arguments.every]
    out.mkdir(parents=True, exist_ok=True)
    lines: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for i, (sheet, line) in enumerate(sheets(methods, pairs, arguments.kind, seed, Path(folder))):
            lines[f"{i + 1:03}"] = line
            write_image(out / f"{i + 1:03}.png", sheet)
    about = {m.name: str(m.folder) if m.folder else " ".join(m.options) for m in methods}
    told: dict[str, Any] = {"kind": arguments.kind, "question": QUESTIONS[arguments.kind], "seed": seed}
    key.write_text(
        json.dumps({**told, "list": arguments.list.name, "methods": about, "sheets": lines}, indent=1) + "\n"
    )
    with (out / "votes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("sheet", "vote"), *((number, "") for number in lines)])
    (out / "QUESTION.txt").write_text(f"{QUESTIONS[arguments.kind]} Write A, B or = (cannot say) into votes.csv.\n")
    print(f"{len(lines)} sheets in {out}; the key: {key}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make", help="render, and draw the sheets")
    making.add_argument("sheets", type=Path, metavar="SHEETS", help="a new folder")
    making.add_argument("--method", action="append", required=True, metavar="NAME=FOLDER|OPTIONS")
    making.add_argument("--package", action="append", default=[], metavar="NAME=DIR", help="checkout for that method")
    making.add_argument("--kind", choices=tuple(QUESTIONS), default="still")
    making.add_argument("--list", type=Path, default=LIST, metavar="FILE")
    making.add_argument("--every", type=int, default=1, metavar="N", help="every Nth pair of the list only")
    making.add_argument("--key", type=Path, metavar="FILE", help="default: SHEETS.key.json, beside the folder")
    making.add_argument("--seed", type=int, help="default: a new one, noted in the key")
    making.set_defaults(call=make)
    counting = commands.add_parser("tally", help="count votes")
    counting.add_argument("key", type=Path)
    counting.add_argument("votes", type=Path, nargs="+", help="one file a judge: sheet,vote")
    counting.add_argument("--out", type=Path, metavar="FILE", help="also write the counts as JSON")
    counting.set_defaults(call=tally)
    arguments = parser.parse_args()
    arguments.call(arguments)


if __name__ == "__main__":
    main()
