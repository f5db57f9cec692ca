"""`vidstyle evaluate` as its users type it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from tests.conftest import ClipMaker, Draw
from vidstyle.cli import main


@pytest.fixture
def films(make_clip: ClipMaker, moving_film: Draw) -> tuple[str, str]:
    source = make_clip("source.mp4", frames=4, draw=moving_film, sound="aac", width=96, height=72)
    film = make_clip("film.mp4", frames=4, draw=lambda n, w, h: 255 - moving_film(n, w, h), width=96, height=72)
    return str(film), str(source)


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *args])
    return int(stop.value.code or 0)


def test_json_on_stdout_and_table_on_stderr(films: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    film, source = films
    assert run(film, "--source", source, "--json") == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert result["frames"] == 4
    assert result["flow"] == "dis-medium-full"
    assert result["E_1"] > 0
    assert "noise floor" in err


def test_files(films: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film, source = films
    picture = tmp_path / "style.png"
    import cv2

    cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    names = [tmp_path / n for n in ("r.json", "r.csv", "r.html")]
    args = [film, "--source", source, "--style", str(picture), "--vgg", vgg_file(tmp_path), "--gap", "2"]
    args += ["--json", str(names[0]), "--csv", str(names[1]), "--html", str(names[2])]
    assert run(*args) == 0
    result = json.loads(names[0].read_text())
    assert result["E_1"] is None
    assert result["E_2"] > 0
    assert result["style_distance"] > 0
    with names[1].open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 4
    assert np.mean([float(r["E_2"]) for r in rows if r["E_2"]]) == pytest.approx(result["E_2"], rel=1e-6)
    assert rows[3]["E_2"] == ""
    page = names[2].read_text()
    # Self-contained: pictures are inside, nothing is fetched.
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert not re.search(r"url\(|@import|https?://", page)
    # The source moves everywhere: there are curves of warp error, and a sentence where those of flicker would be.
    assert page.count("<svg") == 1
    assert "no pair of frames to measure this on" in page
    assert page.count("<figure>") >= 3 + 4
    before = names[2].stat().st_mtime_ns
    assert run(*args) == 2
    assert "exists already" in capsys.readouterr().err
    assert names[2].stat().st_mtime_ns == before
    assert run(*args, "-y", "-q") == 0


def vgg_file(folder: Path) -> str:
    import torch

    from vidstyle.models.vgg import VGG

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = VGG()
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, folder / "vgg.safetensors")
    return str(folder / "vgg.safetensors")


@pytest.mark.parametrize(
    ("extra", "code", "words"),
    [
        (["--gap", "0"], 2, "at least 1"),
        (["--raft-weights", "x.pth"], 2, "--flow raft"),
        (["--flow", "raft", "--raft-weights", "missing.pth"], 1, "cannot read RAFT weights"),
        (["--style", "no-such-style-at-all"], 2, "nearest are"),
        (["--html", "no/such/folder/r.html"], 1, "does not exist"),
    ],
)
def test_wrong_commands(
    films: tuple[str, str], extra: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    film, source = films
    assert run(film, "--source", source, *extra) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--csv", "--html", "--json"])
@pytest.mark.parametrize("which", ["film", "source", "style", "hard link", "symbolic link"])
def test_no_input_is_written_over(
    films: tuple[str, str], option: str, which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, source = films
    style = tmp_path / "style.png"
    import cv2

    cv2.imwrite(str(style), np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "hard").hardlink_to(source)
    (tmp_path / "soft").symlink_to(film)
    targets = {
        "film": film,
        "source": source,
        "style": style,
        "hard link": tmp_path / "hard",
        "symbolic link": tmp_path / "soft",
    }
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    assert run(film, "--source", source, "--style", f"{style}:2", f"{option}={targets[which]}", "-y") == 2
    assert "is an input of this command" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_two_outputs_in_one_file_are_refused(
    films: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, source = films
    (tmp_path / "link").symlink_to("out.txt")
    for other in ("out.txt", "link"):
        assert run(film, "--source", source, "--csv", str(tmp_path / "out.txt"), "--html", str(tmp_path / other)) == 2
        assert "--csv and --html name one file" in capsys.readouterr().err


def test_an_excerpt_is_pointed_to_source_start(
    make_clip: ClipMaker, moving_film: Draw, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = make_clip("whole.mp4", frames=12, draw=moving_film, width=96, height=72)
    part = make_clip("part.mp4", frames=4, draw=lambda n, w, h: moving_film(n + 8, w, h), width=96, height=72)
    assert run(str(part), "--source", str(whole), "--json") == 0
    assert "--source-start" in json.loads(capsys.readouterr().out)["why"]["frames"]
    assert run(str(part), "--source", str(whole), "--json", "--source-start", "0.32") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["ssim"] > 0.95
    assert result["frames"] == 4
    assert run(str(part), "--source", str(whole), "--source-start", "9") == 2
    assert "--source-start 9: " in (err := capsys.readouterr().err)
    assert "lasts only 0.480 s" in err


@pytest.mark.parametrize(("frames", "size"), [(1, (96, 72)), (2, (16, 16)), (3, (20, 8))])
def test_a_number_that_is_missing_says_why(
    make_clip: ClipMaker, frames: int, size: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip("a.mkv", frames=frames, width=size[0], height=size[1], codec="ffv1", pix_fmt="bgr0")
    assert run(str(clip), "--source", str(clip), "--json", "--gap", "1") == 0
    result = json.loads(capsys.readouterr().out)
    missing = {k for part in (result, result["source"]) for k, v in part.items() if v is None}
    assert missing
    assert missing <= set(result["why"])


def test_missing_source(films: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(films[0], "--source", "nowhere.mp4") == 1
    assert "no such file" in capsys.readouterr().err
