"""Every real clip of the data folder, read whole and written again: frames, times, sound.

`python tests/media/test_real_clips.py` prints the table.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.integration.clips_table import REFUSED
from vidstyle.core.errors import InputError
from vidstyle.media.input.concealment import ReadReport
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.mux.mux import mux
from vidstyle.media.output.codecs import default_codec
from vidstyle.media.output.containers import default_suffix
from vidstyle.media.output.writer import EncodeSettings, VideoWriter

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    clip: str
    output: str
    frames_in: int
    frames_out: int
    max_pts_difference: Fraction
    """Seconds."""
    sound_packets: int
    sound_identical: bool
    warnings: tuple[str, ...]


def clips(folder: Path) -> Iterator[Path]:
    yield from sorted(p for p in (folder / "clips").iterdir() if p.suffix != ".md")


def decoded_by_pyav(path: Path) -> list[Fraction]:
    """Times of all frames, from a plain PyAV loop."""
    with av.open(str(path.absolute())) as container:
        frames = container.decode(video=0)
        return [f.pts * f.time_base for f in frames if f.pts is not None and f.time_base is not None]


def sound(path: Path) -> list[bytes]:
    with av.open(str(path.absolute())) as container:
        return [bytes(p) for p in container.demux(container.streams.audio) if p.size] if container.streams.audio else []


def copy_clip(path: Path, folder: Path) -> Row:
    """Read, encode in two segments without styling, join and mux, read again."""
    info = probe(path)
    output = folder / (path.stem.lstrip("-") + default_suffix(info))
    middle = (
        info.start_pts + round(info.duration / 2 / info.time_base)
        if info.duration and info.start_pts is not None
        else None
    )
    bounds = [(None, middle), (middle, None)] if middle is not None else [(None, None)]
    parts: list[Path] = []
    source: list[Any] = []
    warnings: list[str] = []
    for number, (start, stop) in enumerate(bounds):
        part = folder / f"{output.name}.{number}"
        report = ReadReport()
        count = len(source)
        with VideoWriter(
            part,
            width=info.width,
            height=info.height,
            time_base=info.time_base,
            settings=EncodeSettings(codec=default_codec(output), preset="ultrafast"),
            sample_aspect_ratio=info.sample_aspect_ratio,
            rate=info.average_rate,
        ) as writer:
            for frame in read_frames(info, start=start, stop=stop, report=report):
                writer.write(frame)
                source.append(frame.seconds)
        if len(source) > count:
            parts.append(part)
        warnings += [w for w in (*writer.warnings, *report.warnings) if w not in warnings]
    warnings += mux(parts, info, output)
    written = [f.seconds for f in read_frames(probe(output))]
    assert source == decoded_by_pyav(path), f"{path.name}: frames read differ from what PyAV decodes"
    before, after = sound(path), sound(output)
    return Row(
        clip=path.name,
        output=output.name,
        frames_in=len(source),
        frames_out=len(written),
        max_pts_difference=max((abs(a - b) for a, b in zip(source, written, strict=False)), default=Fraction(0)),
        sound_packets=len(before),
        sound_identical=before == after,
        warnings=tuple(warnings),
    )


@pytest.mark.timeout(900)
def test_every_clip(data_dir: Path, tmp_path: Path) -> None:
    for path in clips(data_dir):
        if path.name in REFUSED:
            with pytest.raises(InputError, match=REFUSED[path.name]):
                probe(path)
            continue
        row = copy_clip(path, tmp_path)
        assert row.frames_in == row.frames_out > 0, row
        exact = row.output.endswith((".mp4", ".mov"))
        assert row.max_pts_difference <= (0 if exact else Fraction(1, 2000)), row
        assert row.sound_identical, row


@pytest.mark.parametrize(
    "name", ["bt601_full_range.mp4", "bt709_full_range_720p.mp4", "carphone_qcif.mp4", "realshort_aac_320x240.mp4"]
)
def test_lossless_quality_on_real_pictures(data_dir: Path, tmp_path: Path, name: str) -> None:
    info = probe(data_dir / "clips" / name)
    frame = next(iter(read_frames(info)))
    part = tmp_path / "part"
    settings = EncodeSettings(crf=0)
    with VideoWriter(part, width=info.width, height=info.height, time_base=info.time_base, settings=settings) as writer:
        writer.write(frame)
    copy = next(iter(read_frames(probe(part))))
    weights = np.array([0.2126, 0.7152, 0.0722])
    luma = [c.data.astype(np.float64) @ weights for c in (frame, copy)]
    assert 10 * np.log10(255**2 / np.mean((luma[0] - luma[1]) ** 2)) > 45
    # Clipped colours at edges, no shift.
    assert np.abs(frame.data.mean((0, 1)) - copy.data.mean((0, 1))).max() < 1


def main() -> None:
    """Print the table of all clips."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    print("clip | result | frames in/out | max |dpts| ms | sound packets | warnings")
    with tempfile.TemporaryDirectory() as scratch:
        for path in clips(folder):
            try:
                row = copy_clip(path, Path(scratch))
            except InputError as error:
                print(f"{path.name} | refused: {str(error).replace(str(path), '...')}")
                continue
            same = "identical" if row.sound_identical else "DIFFER"
            print(
                f"{row.clip} | {row.output} | {row.frames_in}/{row.frames_out} | "
                f"{float(row.max_pts_difference) * 1000:.3f} | {row.sound_packets} {same if row.sound_packets else ''} | "
                f"{'; '.join(row.warnings)}"
            )


if __name__ == "__main__":
    main()
