"""The torch engine gives what the model gives, at any size and number of frames."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.core.errors import UsageError
from vidstyle.engines.choose import make_engine
from vidstyle.engines.torch_engine import TorchEngine, best_precision, build, why_not
from vidstyle.models.checkpoint import load_model
from vidstyle.models.registry import find_model


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> TorchEngine:
    engine = build(find_model(tiny_model), device="cpu", precision="fp32", threads=1)
    assert isinstance(engine, TorchEngine)
    return engine


def noise(n: int, h: int, w: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, h, w, 3), dtype=np.uint8)


def test_equals_the_model(engine: TorchEngine, tiny_model: Path) -> None:
    frames, style = noise(3, 48, 64), noise(1, 40, 56, 1)[0]
    model = load_model(tiny_model)
    with torch.no_grad():
        code = model.encode_style(torch.from_numpy(style).permute(2, 0, 1)[None] / 255)
        expected = model(torch.from_numpy(frames).permute(0, 3, 1, 2) / 255, code, 0.5)
    expected = expected.mul(255).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    result = engine.stylize(frames, engine.encode_style(style), strength=0.5)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    # A value that lies at a rounding border may fall either way: sums in another order.
    assert np.abs(result.astype(int) - expected).max() <= 1


@given(n=st.integers(1, 4), h=st.integers(16, 41), w=st.integers(16, 41))
def test_any_size_and_chunking(engine: TorchEngine, n: int, h: int, w: int) -> None:
    frames = noise(n, h, w, seed=h * w)
    before = frames.copy()
    code = engine.encode_style(noise(1, 24, 24)[0])
    together = engine.stylize(frames, code)
    alone = np.concatenate([engine.stylize(frames[i : i + 1], code) for i in range(n)])
    assert together.shape == frames.shape
    assert np.abs(together.astype(int) - alone.astype(int)).max() <= 1
    np.testing.assert_array_equal(frames, before)


def test_precisions_are_near_each_other() -> None:
    # The shipped weights and a real picture: random weights say nothing about rounding.
    from vidstyle.styles.resolve import resolve

    frames, style = np.asarray(resolve("sunset-oil", size=64))[None], np.asarray(resolve("mosaic", size=64))
    results = []
    for precision in ("fp32", "bf16"):
        engine = make_engine("compact", engine="torch", device="cpu", precision=precision, threads=1)
        results.append(engine.stylize(frames, engine.encode_style(style)).astype(int))
    difference = np.abs(results[0] - results[1])
    assert difference.max() > 0
    assert difference.mean() < 1
    assert np.percentile(difference, 99) <= 4


def test_code_does_not_depend_on_precision(engine: TorchEngine, tiny_model: Path) -> None:
    half = build(find_model(tiny_model), device="cpu", precision="bf16", threads=1)
    style = noise(1, 32, 32, 3)[0]
    for a, b in zip(engine.encode_style(style).scales, half.encode_style(style).scales, strict=True):
        for key, value in vars(a).items():
            torch.testing.assert_close(value, vars(b)[key], rtol=0, atol=0)


@pytest.mark.parametrize(("size", "expected"), [((64, 48), 8), ((256, 144), 7), ((640, 360), 1), ((3840, 2160), 1)])
def test_chunks_fit_the_cache(engine: TorchEngine, size: tuple[int, int], expected: int) -> None:
    assert engine.good_batch_size(*size) == expected


def test_devices() -> None:
    assert why_not("cpu") is None
    assert why_not("tpu") == "unknown device"
    assert best_precision("cuda")[0] == "fp16"
    assert best_precision("cpu")[0] in ("fp32", "bf16")


def test_mps_has_no_bf16(tiny_model: Path) -> None:
    with pytest.raises(UsageError, match="fp16"):
        build(find_model(tiny_model), device="mps", precision="bf16")
