"""Styles by regions and what is kept, in whole films: still and moving masks, exact against the engine, resumed and not."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.choose import make_engine
from vidstyle.engines.torch_engine import TorchEngine, build
from vidstyle.models.registry import find_model
from vidstyle.models.style_code import stacked
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.stages.moving_masks import MovingMask, shares
from vidstyle.styles.resolve import resolve

pytestmark = pytest.mark.usefixtures("here")

LOSSLESS = {"codec": "ffv1"}


@pytest.fixture
def moving(make_clip: Any) -> Path:
    """A white column, 16 wide, that steps 6 pixels to the right with each frame."""

    def column(index: int, width: int, height: int) -> np.ndarray:
        frame = np.zeros((height, width, 3), np.uint8)
        frame[:, 6 * index : 6 * index + 16] = 255
        return frame

    path: Path = make_clip("mask.mkv", codec="ffv1", pix_fmt="bgr0", frames=8, draw=column)
    return path


def left_half() -> Path:
    mask = np.zeros((48, 64), np.uint8)
    mask[:, :24], mask[:, 24:32] = 255, 102
    Image.fromarray(mask).save("left.png")
    return Path("left.png")


def difference(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b).max())


def test_layers_lie_over_one_another_and_sum_to_one() -> None:
    first, second = (np.array([[a, b]], np.uint8) for a, b in ((255, 255), (0, 102)))
    np.testing.assert_allclose(shares([first, second])[:, 0].T, np.array([[0.0, 1.0, 0.0], [0.0, 0.6, 0.4]]), atol=1e-6)


def test_a_mask_shows_the_same_at_a_moment_whatever_came_before(moving: Path) -> None:
    size, step = (64, 48), Fraction(1, 25)
    there = MovingMask(moving, size)
    for i in (0, 1, 2, 5, 7, 3, 3, 20, 0):
        shown = there.at(i * step)
        np.testing.assert_array_equal(shown, MovingMask(moving, size).at(i * step))
        assert np.flatnonzero(shown[0])[0] == 6 * min(i, 7)


def test_regions_are_mixed_in_codes(
    styled: Any, source: Path, moving: Path, read: Any, style: str, tiny_model: Path
) -> None:
    still = left_half()
    regions = ((still, "mosaic"), (moving, "cubist"))
    styled(source, "out.mkv", regions=regions, chunk=3, strength=0.7, **LOSSLESS)
    engine = build(find_model(tiny_model), device="cpu", precision="fp32", threads=1)
    assert isinstance(engine, TorchEngine)
    code = stacked([engine.encode_style(np.asarray(resolve(ref, size=32))) for ref in (style, "mosaic", "cubist")])
    before, after = read(source)[0], read("out.mkv")[0]
    for i in range(8):
        masks = [MovingMask(path, (64, 48)).at(Fraction(i, 25)) for path in (still, moving)]
        wanted = engine.stylize_mixed(before[i : i + 1], code, shares(masks)[None], strength=0.7)[0]
        assert difference(after[i], wanted) <= 1, i


@pytest.mark.parametrize("more", [{}, {"paint_size": 64, "detail": 0.5}])
def test_what_is_kept_is_the_source(styled: Any, make_clip: Any, read: Any, more: dict[str, Any]) -> None:
    source = make_clip("in.mkv", codec="ffv1", pix_fmt="bgr0", frames=4, width=160, height=96)
    keep = left_half()
    styled(source, "out.mkv", keep=(keep,), **more, **LOSSLESS)
    styled(source, "plain.mkv", **more, **LOSSLESS)
    before, after, plain = read(source)[0], read("out.mkv")[0], read("plain.mkv")[0]
    np.testing.assert_array_equal(after[:, :, :56], before[:, :, :56])
    assert difference(after[:, :, 84:], plain[:, :, 84:]) <= 2
    assert difference(after[:, :, :56], plain[:, :, :56]) > 20


def test_resumed_is_uninterrupted(styled: Any, source: Path, moving: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more: dict[str, Any] = {"regions": ((moving, "cubist"),), "keep": (left_half(),), "segment": Fraction(2, 25)}
    styled(source, "whole.mkv", **more)
    original, calls = TorchEngine.stylize_mixed, 0

    def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise InputError("the disk is full.")
        return original(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(TorchEngine, "stylize_mixed", failing)
        with pytest.raises(InputError, match="full"):
            styled(source, "parts.mkv", **more)
    styled(source, "parts.mkv", resume=True, **more)
    assert Path("parts.mkv").read_bytes() == Path("whole.mkv").read_bytes()


def test_pictures_are_mixed_where_codes_cannot_be(
    styled: Any, source: Path, moving: Path, read: Any, style: str, tiny_model: Path
) -> None:
    class Plain:
        """An engine that cannot paint two styles at once."""

        def __init__(self) -> None:
            inner = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
            self.model, self.name, self.device, self.precision, self.threads = (
                getattr(inner, name) for name in ("model", "name", "device", "precision", "threads")
            )
            self.encode_style, self.stylize = inner.encode_style, inner.stylize
            self.good_batch_size = inner.good_batch_size

    engine: Any = Plain()
    styled(source, "out.mkv", regions=((moving, "cubist"),), engine=engine, **LOSSLESS)
    before, after = read(source)[0], read("out.mkv")[0]
    codes = [engine.encode_style(np.asarray(resolve(ref, size=32))) for ref in (style, "cubist")]
    ground, over = (engine.stylize(before, code) for code in codes)
    np.testing.assert_allclose(after[3][:, 18:34], over[3][:, 18:34], atol=1)
    np.testing.assert_allclose(after[3][:, 40:], ground[3][:, 40:], atol=1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"regions": ((Path("none.png"), "mosaic"),)}, "none.png: is no file"),
        ({"keep": (Path("none.png"),)}, "none.png: is no file"),
        ({"regions": ((Path(__file__), "mosaic"),), "mask": Path("m.png")}, "does not go with"),
    ],
)
def test_refused_at_once(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        RunOptions(**options)
