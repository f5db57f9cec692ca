"""Mask, keyframes and stabilisation in whole films: exact against the model alone, and nothing of chunks or interruptions."""

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.torch_engine import build
from vidstyle.models.attention import blend
from vidstyle.models.registry import find_model
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.styles.resolve import resolve

pytestmark = pytest.mark.usefixtures("here")

LOSSLESS = {"codec": "ffv1"}


@pytest.fixture
def model(tiny_model: Path) -> Callable[..., np.ndarray]:
    """`model(frames, {ref: weight}, strength)`: what the network alone makes of frames."""
    engine = build(find_model(tiny_model), device="cpu", precision="fp32", threads=1)

    def run(frames: np.ndarray, styles: dict[str, float], strength: float = 1.0) -> np.ndarray:
        code = blend([engine.encode_style(np.asarray(resolve(ref, size=32))) for ref in styles], list(styles.values()))
        return engine.stylize(frames, code, strength=strength)

    return run


def difference(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b).max())


def save_mask(values: np.ndarray) -> Path:
    Image.fromarray(values.astype(np.uint8)).save("mask.png")
    return Path("mask.png")


def test_mask_keeps_the_source_where_black(styled: Any, source: Path, read: Any, model: Any, style: str) -> None:
    mask = np.zeros((48, 64))
    mask[:, 40:], mask[:, 32:40] = 255, 102
    styled(source, "out.mkv", mask=save_mask(mask), **LOSSLESS)
    before, after = read(source)[0], read("out.mkv")[0]
    full = model(before, {style: 1.0})
    np.testing.assert_array_equal(after[:, :, :32], before[:, :, :32])
    assert difference(after[:, :, 40:], full[:, :, 40:]) <= 1
    middle = 0.4 * full[:, :, 32:40] + 0.6 * before[:, :, 32:40]
    assert np.abs(after[:, :, 32:40] - middle).max() <= 1.1


def test_mask_between_two_styles(styled: Any, source: Path, read: Any, model: Any, style: str) -> None:
    mask = np.zeros((24, 32))  # stretched over the frame
    mask[:, 16:] = 255
    styled(source, "out.mkv", [style, "mosaic"], mask=save_mask(mask), preserve_color=False, **LOSSLESS)
    before, after = read(source)[0], read("out.mkv")[0]
    assert difference(after[:, :, 36:], model(before, {style: 1.0})[:, :, 36:]) <= 1
    assert difference(after[:, :, :28], model(before, {"mosaic": 1.0})[:, :, :28]) <= 1


def test_masked_source_keeps_its_colours_and_is_not_smoothed(styled: Any, source: Path, read: Any) -> None:
    mask = np.full((48, 64), 255)
    mask[:20] = 0
    styled(source, "out.mkv", mask=save_mask(mask), preserve_color=True, stabilize=0.9, **LOSSLESS)
    np.testing.assert_array_equal(read("out.mkv")[0][:, :20], read(source)[0][:, :20])


def test_keyframes(styled: Any, source: Path, read: Any, model: Any, style: str) -> None:
    Path("keys.csv").write_text(f"time,{style},mosaic,strength\n0,1,0,1\n0.16,0,1,1\n0.24,0,1,0.5\n")
    styled(source, "out.mkv", keyframes=Path("keys.csv"), strength=0.8, chunk=3, **LOSSLESS)
    before, after = read(source)[0], read("out.mkv")[0]
    for i, blended, strength in [
        (0, {style: 1.0}, 0.8),
        (1, {style: 0.75, "mosaic": 0.25}, 0.8),
        (4, {"mosaic": 1.0}, 0.8),
        (5, {"mosaic": 1.0}, 0.6),
        (7, {"mosaic": 1.0}, 0.4),
    ]:
        assert difference(after[i], model(before[i : i + 1], blended, strength)[0]) <= 1, i


def test_keyframes_count_from_the_films_first_frame(styled: Any, make_clip: Any, read: Any) -> None:
    late = make_clip(
        "late.mkv", codec="ffv1", pix_fmt="bgr0", pts=[100 + i for i in range(6)], time_base=Fraction(1, 25)
    )
    Path("keys.csv").write_text("time,mosaic,cubist\n0,1,0\n0.2,0,1\n")
    styled(late, "whole.mkv", keyframes=Path("keys.csv"), **LOSSLESS)
    styled(late, "part.mkv", keyframes=Path("keys.csv"), start=Fraction("0.12"), **LOSSLESS)
    whole, part = read("whole.mkv")[0], read("part.mkv")[0]
    assert (len(whole), len(part)) == (6, 3)
    np.testing.assert_array_equal(part, whole[3:])


@pytest.mark.parametrize("kind", ["keyframes", "stabilize"])
def test_chunks_are_invisible(styled: Any, source: Path, read: Any, kind: str) -> None:
    Path("keys.csv").write_text("time,mosaic,cubist\n0,1,0\n0.2,0,1\n")
    options = {"keyframes": Path("keys.csv")} if kind == "keyframes" else {"stabilize": 0.7}
    for n in (1, 5):
        styled(source, f"out{n}.mkv", chunk=n, segment=Fraction(1, 5), **options, **LOSSLESS)
    assert difference(read("out1.mkv")[0], read("out5.mkv")[0]) <= 1


def test_stabilised_film_is_the_filter_of_the_plain_one(styled: Any, source: Path, read: Any) -> None:
    from vidstyle.pipeline.stages.stabilize import Stabilizer

    styled(source, "plain.mkv", threads=1, **LOSSLESS)
    styled(source, "out.mkv", stabilize=0.6, threads=1, **LOSSLESS)
    expected = Stabilizer(0.6, threads=1)(0, read(source)[0], read("plain.mkv")[0])
    np.testing.assert_array_equal(read("out.mkv")[0], expected)
    assert difference(read("out.mkv")[0], read("plain.mkv")[0]) > 2


def test_resumed_stabilised_film_is_the_same(
    styled: Any, make_clip: Any, model_fails_every: Callable[[int], None]
) -> None:
    source = make_clip("in.mp4", frames=40, options={"g": "12"})
    options = {"segment": Fraction(1, 3), "chunk": 3, "stabilize": 0.7}
    styled(source, "whole.mp4", **options)
    model_fails_every(8)
    tries = 0
    while not Path("out.mp4").exists():
        tries += 1
        with suppress(InputError):
            styled(source, "out.mp4", resume=True, **options)
    assert tries > 2
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_refused(styled: Any, source: Path, style: str) -> None:
    save_mask(np.zeros((4, 4)))
    Path("keys.csv").write_text("time,mosaic\n0,1\n")
    for styles, options, error, words in [
        ([style, "mosaic", "cubist"], {"mask": Path("mask.png")}, UsageError, "two styles at most"),
        ([style, "mosaic:2"], {"mask": Path("mask.png")}, UsageError, "leave their weights out"),
        ([style], {"mask": Path("gone.png")}, InputError, r"gone\.png: no such file"),
        ([style], {"keyframes": Path("keys.csv")}, UsageError, "names its styles itself"),
        ([], {}, UsageError, "no style given"),
        ([], {"keyframes": Path("mask.png")}, InputError, r"mask\.png: cannot be read"),
    ]:
        with pytest.raises(error, match=words):
            styled(source, "out.mkv", styles, **options)
    for amount in (-0.1, 1.0, float("nan")):
        with pytest.raises(UsageError, match="stabilize"):
            RunOptions(stabilize=amount)
    assert not list(Path.cwd().glob("out*"))
