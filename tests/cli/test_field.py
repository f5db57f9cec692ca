"""Faults that people met: own results as sources, long names, pipes, links, two runs at once, files from elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from vidstyle import cli
from vidstyle.media.input.probe import probe

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)


@pytest.fixture
def run(work: Path, tiny_model: Path) -> Callable[..., int]:
    def call(command: str, *args: object) -> int:
        common = ("--model", tiny_model, "--style-size", 32, "--engine", "torch", "--device", "cpu")
        with pytest.raises(SystemExit) as stop:
            cli.main([str(a) for a in (command, *args, *common)])
        return int(stop.value.code or 0)

    return call


def names(folder: Path = Path()) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def picture(name: str, pixels: np.ndarray = PICTURE) -> Path:
    Image.fromarray(pixels).save(name)
    return Path(name)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("mp4", "libx264"), ("mov", "libx264"), ("mkv", "libx264"), ("webm", "libvpx-vp9")]
)
def test_a_folder_is_styled_twice_without_its_results(
    suffix: str, codec: str, make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(f"work/a.{suffix}", frames=2, codec=codec, metadata={"encoder": "some camera"})
    make_clip(f"work/b.styled.{suffix}", frames=2, codec=codec)  # called like ours, and not ours
    args = (".", "--style", "mosaic", "--json")
    assert run("run", *args) == 0
    capsys.readouterr()
    assert run("run", *args, "-y") == 0
    out, err = capsys.readouterr()
    assert [Path(film["input"]).name for film in json.loads(out)["films"]] == [f"a.{suffix}", f"b.styled.{suffix}"]
    assert "2 films in it were made by vidstyle and are left out" in err
    assert len(names()) == 4
    # Named, it is styled like any other.
    assert run("run", f"a.styled.{suffix}", "--style", "mosaic", "-q") == 0
    assert f"a.styled.styled.{suffix}" in names()
    for film in (f"a.{suffix}", f"b.styled.{suffix}"):
        Path(film).unlink()
    assert run("run", ".", "--style", "mosaic") == 2
    assert "nothing is left to style" in capsys.readouterr().err


def test_a_gif_carries_the_mark_and_plays(make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from vidstyle.media.made_here import made_here

    make_clip("work/a.mp4", frames=3)
    assert run("run", "a.mp4", "--style", "mosaic", "-o", "a.gif", "-q") == 0
    assert made_here(Path("a.gif"))
    assert not made_here(Path("a.mp4"))
    with Image.open("a.gif") as image:
        assert getattr(image, "n_frames", 1) == 3


@pytest.mark.parametrize("name", ["n" * 245, "ü" * 123, "🎨" * 62])
def test_names_are_measured_in_bytes_before_the_work(
    name: str, make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(f"work/{name}.mp4", frames=2)
    assert run("run", f"{name}.mp4", "--style", "mosaic") == 2
    assert "of which the file system takes 255; choose a shorter one" in capsys.readouterr().err
    assert names() == [f"{name}.mp4"]
    # With every temporary name added, one that fits is written.
    assert run("run", f"{name}.mp4", "--style", "mosaic", "-o", f"{name}.mkv", "-q") == 0
    assert names() == [f"{name}.mkv", f"{name}.mp4"]


@pytest.mark.parametrize(
    ("command", "args", "code", "words"),
    [
        ("run", ["pipe.mp4"], 1, "pipe.mp4: is a pipe or a device, not a file"),
        ("run", ["a.mp4", "-o", "http://localhost/x.mp4"], 2, "is an address, which is not written to"),
        ("run", ["a.mp4", "-o", "pipe.mp4", "-y"], 2, "pipe.mp4: is a pipe or a device; choose a file"),
        ("run", ["a.mp4", "--mask", "pipe.mp4"], 1, "is a pipe or a device"),
        ("run", ["a.mp4", "--style", "pipe.mp4"], 1, "pipe.mp4: "),
        ("run", ["a.mp4", "--style", "http://localhost/a.jpg"], 1, "addresses are not read"),
        ("image", ["http://localhost/a.jpg"], 1, "addresses are not read"),
        ("image", ["-"], 1, "standard input is not read"),
        ("image", ["pipe.mp4"], 1, "is a pipe or a device"),
        ("image", ["."], 2, ".: is a folder; name the pictures in it"),
        ("run", ["a.mp4", "--json=a.mp4"], 2, "is an input of this command"),
    ],
)
def test_what_is_no_file_is_told_at_once(
    command: str, args: list[str], code: int, words: str, make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip("work/a.mp4", frames=2)
    os.mkfifo("pipe.mp4")
    assert run(command, *args, *(() if "--style" in args else ("--style", "mosaic"))) == code
    out, err = capsys.readouterr()
    assert words in err
    assert (out, "Traceback" in err, len(err.strip().splitlines())) == ("", False, 1)
    assert names() == ["a.mp4", "pipe.mp4"]


def test_keyframes_from_a_pipe_do_not_wait(make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    make_clip("work/a.mp4", frames=2)
    os.mkfifo("keys.csv")
    for path, words in (("keys.csv", "is a pipe"), ("none.csv", "no such file; check the path"), (".", "is a folder")):
        assert run("run", "a.mp4", "--keyframes", path) == 1
        err = capsys.readouterr().err
        assert words in err
        assert "Errno" not in err


@pytest.mark.parametrize("there", [True, False])
def test_an_output_that_is_a_link_is_written_through(there: bool, make_clip: Any, run: Any) -> None:
    make_clip("work/a.mp4", frames=3)
    Path("disk").mkdir()
    if there:
        Path("disk/film.mp4").write_text("old")
    Path("link.mp4").symlink_to("disk/film.mp4")
    assert run("run", "a.mp4", "--style", "mosaic", "-o", "link.mp4", "-y", "-q") == 0
    assert Path("link.mp4").is_symlink()
    assert names(Path("disk")) == ["film.mp4"]
    assert probe(Path("disk/film.mp4")).frames == 3


def test_the_second_of_two_runs_is_told_of_the_first(
    make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip("work/a.mp4", frames=2)
    Path("out.mp4.vidstyle").mkdir()
    Path("out.mp4.vidstyle/000000.seg").touch()
    with FileLock("out.mp4.vidstyle/lock"):
        for more in ((), ("-y",), ("--resume",)):
            assert run("run", "a.mp4", "--style", "mosaic", "-o", "out.mp4", *more) == 2
            err = capsys.readouterr().err
            assert "another run is writing this output" in err
            assert "--resume to" not in err


def test_pictures_go_into_a_folder_that_is_made(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    picture("a.png"), picture("b.png")
    assert run("image", "a.png", "b.png", "--style", "mosaic", "-o", "new/deep", "-q") == 0
    assert names(Path("new/deep")) == ["a.styled.png", "b.styled.png"]
    assert run("image", "a.png", "--style", "mosaic", "-o", "one/", "-q") == 0
    assert names(Path("one")) == ["a.styled.png"]
    assert run("image", "a.png", "b.png", "--style", "mosaic", "-o", "c.png") == 2
    assert "must be a folder" in capsys.readouterr().err


def test_films_that_differ_in_their_suffix_go_into_one_folder(
    make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for suffix in ("mov", "mkv"):
        make_clip(f"work/y.{suffix}", frames=2)
    assert run("run", "y.mov", "y.mkv", "--style", "mosaic", "--out-dir", "out", "-q") == 0
    assert names(Path("out")) == ["y.styled.mkv", "y.styled.mov"]
    for suffix in ("avi", "flv"):  # both become mkv
        make_clip(f"work/z.{suffix}", frames=2, codec="mpeg4" if suffix == "avi" else "flv")
    assert run("run", "z.avi", "z.flv", "--style", "mosaic", "--out-dir", "out", "-q") == 2
    assert "their outputs would have one name" in capsys.readouterr().err


def test_keyframes_find_their_pictures_and_may_have_semicolons(make_clip: Any, run: Any) -> None:
    make_clip("work/a.mp4", frames=4)
    Path("keys").mkdir()
    picture("keys/art.png")
    Path("keys/k.csv").write_text("time;art.png;mosaic\n0;1;0\n0,1;0,5;0,5\n")
    assert run("run", "a.mp4", "--keyframes", "keys/k.csv", "-o", "semicolons.mkv", "--codec", "ffv1", "-q") == 0
    Path("keys/k.csv").write_text("time,art.png,mosaic\n0,1,0\n0.1,0.5,0.5\n")
    assert run("run", "a.mp4", "--keyframes", "keys/k.csv", "-o", "commas.mkv", "--codec", "ffv1", "-q") == 0
    assert Path("semicolons.mkv").read_bytes() == Path("commas.mkv").read_bytes()


def test_an_option_without_effect_is_said(
    make_clip: Any, run: Any, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip("work/a.mp4", frames=2)
    assert run("styles", "compile", "mosaic", "-o", "code.safetensors") == 2  # it takes no --engine
    with pytest.raises(SystemExit):
        cli.main(["styles", "compile", "mosaic", "-o", "code.safetensors", "--model", str(tiny_model)])
    capsys.readouterr()
    assert run("run", "a.mp4", "--style", "code.safetensors") == 0
    assert "--style-size has no effect on it" in capsys.readouterr().err


def test_a_damaged_picture_is_named_and_numbers_are_kept(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    for number in (5, 6, 9):
        picture(f"in/shot {number:03d}.png")
    Path("in/shot 008.png").write_text("no picture")
    assert run("run", "in", "--style", "mosaic", "-o", "out/%04d.png", "--max-errors", "50%") == 0
    assert "in/shot 008.png: is not a picture that can be read; the one before it is shown" in capsys.readouterr().err
    assert names(Path("out")) == ["0005.png", "0006.png", "0008.png", "0009.png"]
    before = Path("out/0005.png").read_bytes()
    cut = ("--start", "0.04", "--end", "0.08", "--fps", "25", "-y", "-q")
    assert run("run", "in", "--style", "cubist", "-o", "out/%04d.png", *cut) == 0
    assert len(names(Path("out"))) == 4  # an excerpt takes nothing away
    assert Path("out/0005.png").read_bytes() == before
