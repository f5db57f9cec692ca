"""`vidstyle styles`: list, preview, compile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.cli import main
from vidstyle.models.checkpoint import load_model, load_style
from vidstyle.models.registry import find_model
from vidstyle.styles import gallery
from vidstyle.styles.contact_sheet import contact_sheet


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(args))
    return int(stop.value.code or 0)


def test_list_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("styles") == 0
    alone = capsys.readouterr().out
    assert run("styles", "list") == 0
    assert capsys.readouterr().out == alone
    assert [line.split()[0] for line in alone.splitlines()] == gallery.names()


def test_list_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("styles", "list", "--json") == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == gallery.names()


def test_preview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from vidstyle.imaging.image_io import read_image

    sheet = tmp_path / "sheet.png"
    assert run("styles", "preview", "-o", str(sheet)) == 0
    rows = -(-len(gallery.names()) // 4)
    assert read_image(sheet).shape == (rows * (256 + 42) + 12, 4 * 268 + 12, 3)
    before = sheet.read_bytes()
    assert run("styles", "preview", "-o", str(sheet)) == 2
    assert sheet.read_bytes() == before
    assert "-y" in capsys.readouterr().err


def test_contact_sheet_places_pictures() -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    cells = [(str(i), np.full((20, 40, 3), c, np.uint8)) for i, c in enumerate(colours)]
    sheet = contact_sheet(cells, columns=2, cell=(40, 20))
    assert sheet.shape == (2 * 62 + 12, 2 * 52 + 12, 3)
    for i, colour in enumerate(colours):
        y, x = 12 + (i // 2) * 62, 12 + (i % 2) * 52
        assert (sheet[y : y + 20, x : x + 40] == colour).all()
        assert sheet[y + 20 : y + 50, x : x + 40].min() < 128, "a caption under it"


def test_compiled_code_is_the_model_s_own(tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "glass.safetensors"
    args = ("styles", "compile", "stained-glass", "-o", str(path), "--model", str(tiny_model), "--style-size", "64")
    assert run(*args) == 0
    code = load_style(path)
    assert code.model == find_model(tiny_model).digest
    from vidstyle.styles.resolve import resolve

    picture = resolve("stained-glass", size=64)
    assert isinstance(picture, np.ndarray)
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        wanted = load_model(tiny_model).encode_style(image)
    for mine, own in zip(code.scales, wanted.scales, strict=True):
        for name, tensor in vars(own).items():
            torch.testing.assert_close(vars(mine)[name], tensor, rtol=1e-4, atol=1e-5)
    assert run(*args) == 2, "exists"
    assert run(*args, "-y") == 0


@pytest.mark.parametrize(
    ("art", "name", "code"),
    [("stained-glas", "a.safetensors", 2), ("stained-glass", "a.bin", 2), ("gone.png", "a.safetensors", 1)],
)
def test_compile_refuses(art: str, name: str, code: int, tiny_model: Path, tmp_path: Path) -> None:
    assert run("styles", "compile", art, "-o", str(tmp_path / name), "--model", str(tiny_model)) == code
    assert list(tmp_path.iterdir()) == []
