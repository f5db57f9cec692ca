"""Arrays through `Stylizer`: the engine's pictures, also from threads and other processes; wrong arrays are refused."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import vidstyle
from vidstyle import Stylizer
from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.models.attention import blend
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import StyleCode

SETTINGS = {"device": "cpu", "engine": "torch", "precision": "fp32", "threads": 1, "style_size": 32}


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def stylizer(tiny_model: Path) -> Stylizer:
    return Stylizer(tiny_model, **SETTINGS)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> TorchEngine:
    return TorchEngine(find_model(tiny_model), device="cpu", precision="fp32", threads=1)


def same(a: StyleCode, b: StyleCode) -> bool:
    pairs = zip(a.scales, b.scales, strict=True)
    return a.model == b.model and all(bool((v == vars(t)[k]).all()) for s, t in pairs for k, v in vars(s).items())


def test_a_style_may_be_an_array_a_picture_file_a_name_or_a_compiled_file(
    stylizer: Stylizer, engine: TorchEngine, tmp_path: Path
) -> None:
    art = noise(40, 52)
    Image.fromarray(art).save(tmp_path / "art.png")
    code = stylizer.encode_style(art)
    assert same(code, stylizer.encode_style(tmp_path / "art.png"))
    assert same(code, stylizer.encode_style(str(tmp_path / "art.png")))
    assert not same(code, stylizer.encode_style("mosaic"))
    vidstyle.save_style(code, tmp_path / "art.safetensors")
    assert same(code, stylizer.encode_style(tmp_path / "art.safetensors"))
    assert same(code, vidstyle.load_style(tmp_path / "art.safetensors"))
    small = noise(32, 48, seed=2)  # as it is encoded: nothing is resized
    assert same(stylizer.encode_style(small), engine.encode_style(small))


def test_a_blend(stylizer: Stylizer, engine: TorchEngine) -> None:
    a, b = noise(32, 32, seed=1), noise(32, 32, seed=2)
    code = stylizer.encode_style([(a, 1.0), (b, 3.0)])
    assert same(code, blend([engine.encode_style(a), engine.encode_style(b)], [0.25, 0.75]))


@pytest.mark.parametrize("strength", [1.0, 0.4, 1.8])
@pytest.mark.parametrize("count", [0, 1, 11])
def test_frames_are_the_engine_s(stylizer: Stylizer, engine: TorchEngine, count: int, strength: float) -> None:
    frames = noise(count, 48, 64)
    before = frames.copy()
    code = stylizer.encode_style(noise(40, 40, seed=3))
    styled = stylizer.stylize(frames, code, strength=strength)
    assert (styled.shape, styled.dtype) == (frames.shape, np.uint8)
    for i in range(count):  # another number of frames per call rounds otherwise, by at most one level
        alone = engine.stylize(frames[i : i + 1], code, strength=strength)[0]
        assert np.abs(styled[i].astype(int) - alone).max() <= 1
    np.testing.assert_array_equal(frames, before)


def test_views_are_as_good(stylizer: Stylizer) -> None:
    frames, code = noise(2, 48, 64), stylizer.encode_style(noise(40, 40, seed=3))
    turned = frames[:, ::-1, :, ::-1]
    np.testing.assert_array_equal(stylizer.stylize(turned, code), stylizer.stylize(turned.copy(), code))


def test_several_threads(stylizer: Stylizer) -> None:
    code = stylizer.encode_style(noise(40, 40, seed=3))
    batches = [noise(2, 32, 48, seed=i) for i in range(6)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda frames: stylizer.stylize(frames, code), batches))
    for frames, styled in zip(batches, together, strict=True):
        np.testing.assert_array_equal(styled, stylizer.stylize(frames, code))


def test_another_process(stylizer: Stylizer) -> None:
    code, frames = stylizer.encode_style(noise(40, 40, seed=3)), noise(2, 32, 48)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        np.testing.assert_array_equal(
            pool.submit(stylizer.stylize, frames, code).result(), stylizer.stylize(frames, code)
        )
    again = pickle.loads(pickle.dumps(stylizer))
    assert repr(again) == repr(stylizer)


def test_openmp_is_told_before_torch_is_loaded() -> None:
    """In a program that imports no more than this; what the user has set stays."""
    program = """
import os, sys
class Watch:
    def find_spec(self, name, path, target=None):
        if name == "torch": sys.exit(os.environ.get("OMP_WAIT_POLICY"))
sys.meta_path.insert(0, Watch())
import vidstyle
{use}
import torch
"""
    for use in ("vidstyle.Stylizer", "vidstyle.load_model", "vidstyle.stylize_video"):
        words = [sys.executable, "-c", program.format(use=use)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.stderr.split() == ["PASSIVE"], use


def test_wrong_requests_are_refused_with_a_sentence(stylizer: Stylizer, tmp_path: Path) -> None:
    code = stylizer.encode_style(noise(32, 32))
    with pytest.raises(
        UsageError, match=r"frames must be an array \(N, H, W, 3\) of uint8 RGB, not \(48, 64, 3\) uint8"
    ):
        stylizer.stylize(noise(48, 64), code)
    with pytest.raises(UsageError, match="float64"):
        stylizer.stylize(noise(1, 48, 64) / 255, code)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="not list"):
        stylizer.stylize([1], code)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="frames of 64x8: both sides must be at least 16"):
        stylizer.stylize(noise(1, 8, 64), code)
    with pytest.raises(UsageError, match="must be between 0 and 2"):
        stylizer.stylize(noise(1, 32, 32), code, strength=2.5)
    with pytest.raises(UsageError, match="encoded by another model"):
        stylizer.stylize(noise(1, 32, 32), replace(code, model="0" * 64))
    with pytest.raises(UsageError, match=r"a style must be an array \(H, W, 3\)"):
        stylizer.encode_style(noise(1, 32, 32))
    with pytest.raises(UsageError, match="no style"):
        stylizer.encode_style([])
    with pytest.raises(UsageError, match="finite numbers above 0"):
        stylizer.encode_style([("mosaic", 1.0), ("cubist", -1.0)])
    with pytest.raises(InputError, match="no such file"):
        stylizer.encode_style(tmp_path / "gone.png")
    with pytest.raises(UsageError, match="nearest are"):
        stylizer.encode_style("mosaik")
    with pytest.raises(UsageError, match="style_size 8"):
        Stylizer(style_size=8)


def test_a_fitted_style_is_kept_in_a_file(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vidstyle.styles.fit import optimise
    from vidstyle.styles.fit.settings import FitSettings

    monkeypatch.setattr(optimise, "SIDE", 48)
    art = np.random.default_rng(2).integers(0, 256, (64, 80, 3), np.uint8)
    stylizer = Stylizer(tiny_model, engine="torch", device="cpu", precision="fp32", style_size=48)
    settings = FitSettings(steps=1, paint_size=64)
    code = stylizer.fit_style(art, tmp_path / "art.safetensors", settings=settings)
    frames = np.random.default_rng(1).integers(0, 256, (2, 48, 64, 3), np.uint8)
    styled = stylizer.stylize(frames, code)
    assert np.array_equal(styled, stylizer.stylize(frames, stylizer.encode_style(tmp_path / "art.safetensors")))
    assert not np.array_equal(styled, stylizer.stylize(frames, stylizer.encode_style(art)))
    with pytest.raises(UsageError, match="already"):
        stylizer.fit_style(tmp_path / "art.safetensors", tmp_path / "again.safetensors", settings=settings)
