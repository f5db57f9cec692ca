"""Pictures through the same model."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.registry import find_model
from vidstyle.pipeline.images import stylize_image, stylize_images
from vidstyle.pipeline.plan.run_options import RunOptions


@pytest.fixture
def options(tiny_model: Path) -> RunOptions:
    return RunOptions(model=tiny_model, style_size=32, engine="torch", device="cpu", precision="fp32")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (33, 47, 3), dtype=np.uint8)).save(path)
    return path


def test_is_the_models_result(picture: Path, tmp_path: Path, options: RunOptions, tiny_model: Path) -> None:
    from vidstyle.engines.torch_engine import build
    from vidstyle.styles.resolve import resolve

    stylize_image(picture, tmp_path / "out.png", "mosaic", options=options)
    engine = build(find_model(tiny_model), device="cpu", precision="fp32")
    expected = engine.stylize(
        np.asarray(Image.open(picture))[None], engine.encode_style(np.asarray(resolve("mosaic", size=32)))
    )
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out.png")), expected[0])


def test_one_failure_does_not_stop_the_others(picture: Path, tmp_path: Path, options: RunOptions) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    pairs = [(tmp_path / "bad.png", tmp_path / "a.png"), (picture, tmp_path / "b.png")]
    results = list(stylize_images(pairs, "mosaic", options=options))
    assert isinstance(results[0][2], InputError)
    assert results[1][2] is None
    assert not (tmp_path / "a.png").exists()
    assert (tmp_path / "b.png").exists()


def test_refusals(picture: Path, tmp_path: Path, options: RunOptions) -> None:
    with pytest.raises(UsageError, match="is the input itself"):
        stylize_image(picture, picture, "mosaic", options=options)
    existing = tmp_path / "old.png"
    existing.write_bytes(b"old")
    with pytest.raises(UsageError, match="exists already"):
        stylize_image(picture, existing, "mosaic", options=options)
    Image.new("RGB", (15, 80)).save(tmp_path / "narrow.png")
    with pytest.raises(InputError, match=r"narrow.png: its picture is 15x80"):
        stylize_image(tmp_path / "narrow.png", tmp_path / "out.png", "mosaic", options=options)
    assert existing.read_bytes() == b"old"
    assert not (tmp_path / "out.png").exists()
