"""Whole films through `stylize_video` with a tiny model, in a folder of the test's own."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle.core.errors import InputError
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport
from vidstyle.pipeline.run import stylize_video


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def style(tmp_path: Path) -> str:
    path = tmp_path / "art.png"
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 52, 3), dtype=np.uint8)).save(path)
    return str(path)


@pytest.fixture
def source(make_clip: Any) -> Path:
    """A film without loss."""
    path: Path = make_clip("in.mkv", codec="ffv1", pix_fmt="bgr0", frames=8)
    return path


@pytest.fixture
def styled(tiny_model: Path, style: str) -> Callable[..., RunReport]:
    """`styled(source, output, styles=None, engine=None, **options)`; without styles it is `style`."""

    def run(
        source: Path | str, output: Path | str | None, styles: Any = None, engine: Any = None, **options: Any
    ) -> RunReport:
        settings = {"model": tiny_model, "style_size": 32, "engine": "torch", "device": "cpu", "precision": "fp32"}
        options = {**settings, **options}
        given = style if styles is None and "keyframes" not in options else styles or ()
        return stylize_video(source, output, given, options=RunOptions(**options), engine=engine)

    return run


@pytest.fixture
def read() -> Callable[[Path | str], tuple[np.ndarray, list[Fraction]]]:
    """`read(path)`: frames (N, H, W, 3) and their times in seconds."""

    def frames(path: Path | str) -> tuple[np.ndarray, list[Fraction]]:
        info = probe(Path(path))
        found = list(read_frames(info))
        times = [f.seconds for f in found]
        return np.stack([f.data for f in found]), times

    return frames


@pytest.fixture
def model_fails_every(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`model_fails_every(n)`: from then on every n-th call of the model fails with InputError."""

    def begin(n: int) -> None:
        original, calls = TorchEngine.stylize, 0

        def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls % n == 0:
                raise InputError("the disk is full.")
            return original(self, *args, **kwargs)

        monkeypatch.setattr(TorchEngine, "stylize", failing)

    return begin


@pytest.fixture
def model_that_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model gives its frames back as they are."""
    monkeypatch.setattr(TorchEngine, "stylize", lambda self, frames, code, strength=1.0: frames.copy())


@pytest.fixture
def turned() -> Callable[[Path, int], Path]:
    """`turned(clip, degrees)`: the mp4 clip with a display matrix that turns it clockwise, beside it."""

    def turn(clip: Path, degrees: int) -> Path:
        data = bytearray(clip.read_bytes())
        at = data.index(b"tkhd") + 44
        a, b = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
        c, d = {90: (-1, 0), 180: (0, -1), 270: (1, 0)}[degrees]
        values = (a * 65536, b * 65536, 0, c * 65536, d * 65536, 0, 0, 0, 1 << 30)
        data[at : at + 36] = struct.pack(">9i", *values)
        path = clip.with_name(f"turned-{clip.name}")
        path.write_bytes(data)
        return path

    return turn
