"""The finished file: private until complete, whole or not there at all, under any name."""

from __future__ import annotations

import os
import resource
import signal
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ClipMaker
from tests.media.conftest import Films
from vidstyle.core.errors import InputError, UsageError
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.mux.mux import mux
from vidstyle.media.mux.stream_copy import StreamCopy
from vidstyle.media.output.containers import default_suffix
from vidstyle.media.output.writer import EncodeSettings, VideoWriter


def test_mp4_starts_fast(films: type[Films], make_clip: ClipMaker, tmp_path: Path) -> None:
    films.copy(make_clip("a.mp4"), tmp_path / "out.mp4", tmp_path)
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_private_while_written_then_as_the_umask_says(
    films: type[Films], make_clip: ClipMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    info = probe(make_clip("a.mp4", sound="aac"))
    parts, _ = films.encode(info, tmp_path, [None, None])
    folder = tmp_path / "place"
    folder.mkdir()
    seen: list[tuple[str, int]] = []
    original: Callable[..., Any] = StreamCopy.packets

    def spy(self: Any) -> Any:
        seen.extend((p.name, stat.S_IMODE(p.stat().st_mode)) for p in folder.iterdir())
        return original(self)

    monkeypatch.setattr(StreamCopy, "packets", spy)
    old = os.umask(0o027)
    try:
        mux(parts, info, folder / "out.mp4")
    finally:
        os.umask(old)
    assert [mode for _, mode in seen] == [0o600]
    assert seen[0][0].startswith(".out.")
    assert [p.name for p in folder.iterdir()] == ["out.mp4"]
    assert stat.S_IMODE((folder / "out.mp4").stat().st_mode) == 0o640


def test_failures_leave_nothing_and_touch_nothing(films: type[Films], make_clip: ClipMaker, tmp_path: Path) -> None:
    info = probe(make_clip("a.mp4"))
    parts, _ = films.encode(info, tmp_path, [None, None])
    folder = tmp_path / "place"
    folder.mkdir()
    output = folder / "out.mp4"
    output.write_bytes(b"older film")
    with pytest.raises(InputError, match="no such file"):
        mux([*parts, tmp_path / "gone"], info, output)
    with pytest.raises(InputError, match="no frames were encoded"):
        mux([], info, output)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {"out.mp4": b"older film"}
    with pytest.raises(UsageError, match=r"cannot write \.avi"):
        mux(parts, info, folder / "out.avi")
    with pytest.raises(InputError, match="does not exist; make it first"):
        mux(parts, info, tmp_path / "nowhere" / "out.mp4")


def test_a_full_disk_is_told_and_leaves_nothing(films: type[Films], make_clip: ClipMaker, tmp_path: Path) -> None:
    """A limit on file size stands in for the full disk: the same write fails, with another number."""
    noise = lambda i, w, h: np.random.default_rng(i).integers(0, 256, (h, w, 3)).astype(np.uint8)  # noqa: E731
    info = probe(make_clip("a.mp4", frames=12, width=160, height=120, draw=noise))
    parts, _ = films.encode(info, tmp_path, [None, None])
    folder = tmp_path / "place"
    folder.mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for suffix in (".mp4", ".mkv"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (parts[0].stat().st_size // 2, limits[1]))
            with pytest.raises(InputError, match=r"disk of .*place is full"):
                mux(parts, info, folder / f"out{suffix}")
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert list(folder.iterdir()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_segments_of_different_settings_are_refused(make_clip: ClipMaker, tmp_path: Path) -> None:
    info = probe(make_clip("a.mp4"))
    parts = []
    for preset in ("ultrafast", "medium"):
        part = tmp_path / preset
        settings = EncodeSettings(preset=preset)
        with VideoWriter(part, width=64, height=48, time_base=info.time_base, settings=settings) as writer:
            writer.write(next(iter(read_frames(info))))
        parts.append(part)
    with pytest.raises(InputError, match="different settings"):
        mux(parts, info, tmp_path / "out.mp4")


@pytest.mark.parametrize("name", ["-out.mp4", "ünïcödé 影 %d.mkv", "a:b.mp4"])
def test_odd_output_names(
    films: type[Films], make_clip: ClipMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    info = probe(make_clip("a.mp4"))
    parts, times = films.encode(info, tmp_path, [None, None])
    monkeypatch.chdir(tmp_path)
    mux(parts, info, Path(name))
    assert len(films.times(tmp_path / name)) == len(times)


def test_several_muxes_at_once(films: type[Films], make_clip: ClipMaker, tmp_path: Path) -> None:
    info = probe(make_clip("a.mp4", sound="aac"))
    parts, _ = films.encode(info, tmp_path, [None, None])
    threads = [threading.Thread(target=mux, args=(parts, info, tmp_path / f"out{i}.mp4")) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / f"out{i}.mp4").read_bytes() for i in range(4)}) == 1


@pytest.mark.parametrize(
    ("name", "container", "suffix"),
    [
        ("a.mp4", "mov,mp4,m4a", ".mp4"),
        ("a.MOV", "mov,mp4,m4a", ".mov"),
        ("a.webm", "matroska,webm", ".webm"),
        ("a.avi", "avi", ".mkv"),
        ("a.vob", "mpeg", ".mkv"),
        ("a.ts", "mpegts", ".mkv"),
        ("a.gif", "gif", ".gif"),
        ("a.mp4", "matroska,webm", ".mkv"),
        ("noname", "flv", ".mkv"),
    ],
)
def test_default_suffix(make_clip: ClipMaker, name: str, container: str, suffix: str) -> None:
    info = replace(probe(make_clip("x.mp4", frames=1)), path=Path(name), container=container)
    assert default_suffix(info) == suffix
