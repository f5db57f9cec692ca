"""Every real clip through `vidstyle run`: the table of docs/clips.md.

    python -m tests.integration.clips_table docs/clips.md [--data DIR]

The first two seconds of each clip, made small (frames, times and streams are what is looked at, not the picture), by the
command line's own entry and the shipped model. What a plain PyAV loop finds in the source is compared with what it finds in the
output.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from pathlib import Path

import av

from vidstyle import cli

SECONDS = 2
OPTIONS = ("--style", "mosaic", "--style-size", "64", "--end", str(SECONDS), "--device", "cpu", "--engine", "torch")
REFUSED = {
    "audio_only.3g2": "holds no video but has sound",
    "chunk_out_of_range.mp4": "not a video that can be opened",
    "encrypted_cenc.mp4": "encrypted",
    "header_85bytes.mp4": "holds no video",
    "truncated_header_only.mp4": "no frame of its video can be decoded",
    "zero_length.webm": "is empty",
}
"""What cannot be a film, and the words that say why."""


@dataclass(frozen=True)
class Row:
    """What became of one clip."""

    clip: str
    output: str | None
    """Name of the film; None where the clip was refused."""
    said: tuple[str, ...]
    """Warnings, or the sentence that refuses it."""
    exit_code: int = 0
    size: str = ""
    frames_in: int = 0
    frames_out: int = 0
    time_difference: Fraction = Fraction(0)
    """Largest difference of a frame's time, seconds."""
    sound: str = ""
    """What happened to the packets of sound."""

    @property
    def kept(self) -> bool:
        """Every frame once, at its time (to the nearest tick of the output's clock), and the sound as it was."""
        tick = {".mp4": Fraction(0), ".mov": Fraction(0), ".gif": Fraction(1, 100)}.get(
            Path(self.output or "").suffix, Fraction(1, 1000)
        )
        same = self.frames_in == self.frames_out > 0 and self.time_difference <= tick / 2
        return same and self.sound in ("", "identical")


def clips(data: Path) -> Iterator[Path]:
    yield from sorted(p for p in (data / "clips").iterdir() if p.suffix != ".md")


def row(clip: Path, folder: Path, options: Sequence[str] = ()) -> Row:
    """Run one clip, its output into `folder`."""
    said, told = io.StringIO(), io.StringIO()
    small = ("--size", "32x32") if clip.name.startswith("-video-with-dash-") else ("--max-side", "128")
    arguments = ["run", "-q", *OPTIONS, *options, *small, "--out-dir", str(folder), "--json", "--", str(clip)]
    code = 0
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(told):
        try:
            cli.main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
    if code:
        return Row(clip.name, None, tuple(short(line, clip, folder) for line in said.getvalue().splitlines()), code)
    report = json.loads(told.getvalue())
    output = Path(report["output"])
    before = times(clip)
    before = list(takewhile(lambda t: t < before[0] + SECONDS, before))
    after = times(output)
    sounds = sound(clip, before[0] + SECONDS)
    same = sound(output, None) == sounds
    return Row(
        clip.name,
        output.name,
        tuple(short(w, clip, folder) for w in report["warnings"]),
        size=f"{report['width']}x{report['height']}",
        frames_in=len(before),
        frames_out=len(after),
        time_difference=max((abs(a - b) for a, b in zip(before, after, strict=False)), default=Fraction(0)),
        sound=("identical" if same else "differs") if any(sounds) else "",
    )


def short(sentence: str, clip: Path, folder: Path) -> str:
    """A sentence without the program's name, the clip's and the output's."""
    for name in (f"{clip}: ", f"{folder / clip.stem}.styled", "vidstyle: "):
        sentence = sentence.replace(name, "")
    return sentence.replace("|", "/")


def times(path: Path) -> list[Fraction]:
    """When each frame is shown, seconds, in order."""
    with av.open(str(path.absolute())) as container:
        frames = container.decode(video=0)
        return [f.pts * f.time_base for f in frames if f.pts is not None and f.time_base is not None]


def sound(path: Path, end: Fraction | None) -> list[list[bytes]]:
    """Payloads of the packets of each stream of sound that begin before `end` seconds."""
    found = []
    with av.open(str(path.absolute())) as container:
        count = len(container.streams.audio)
    for n in range(count):
        with av.open(str(path.absolute())) as container:
            packets = [p for p in container.demux(container.streams.audio[n]) if p.size and p.pts is not None]
            found.append([bytes(p) for p in packets if end is None or p.pts * p.time_base < end])
    return found


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    head = ("clip", "output", "size", "frames in / out", "largest difference of a time", "sound packets", "said")
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for r in rows:
        result = r.output if r.output is not None else f"refused (exit code {r.exit_code})"
        frames = f"{r.frames_in} / {r.frames_out}" if r.output else ""
        difference = f"{float(r.time_difference) * 1000:.3f} ms" if r.output else ""
        lines.append(f"| {' | '.join((r.clip, result, r.size, frames, difference, r.sound, ' '.join(r.said)))} |")
    return "\n".join(lines)


PAGE = """# Real clips through vidstyle

Made by `python -m tests.integration.clips_table docs/clips.md`: it runs `vidstyle run --end {seconds}` with the shipped model
on every clip of a folder of files collected for their oddities (phone, camera, animation; H.264, HEVC, VP8/9, AV1, MPEG-1/2/4;
rotated, HDR, 10 bits, full range, alpha, odd sizes, lost frames, broken and encrypted files), made small. A plain PyAV loop
reads source and output; times are exact where the output's clock allows (mp4, mov), else to half a tick (mkv and webm 1 ms,
gif 10 ms).

**{kept} of {films} films: every frame once, at its time, and every packet of sound as it was. {refused} files refused, each
with one sentence.**

{table}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2].parent / "shared" / "data")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips(arguments.data):
            rows.append(row(clip, Path(folder)))
            print(rows[-1], flush=True)
    films = [r for r in rows if r.output is not None]
    page = PAGE.format(
        seconds=SECONDS,
        kept=sum(r.kept for r in films),
        films=len(films),
        refused=len(rows) - len(films),
        table=table(rows),
    )
    arguments.page.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
