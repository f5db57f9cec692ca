"""`run` with several films, folders and pictures: what is styled, what is said, what is left."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle import cli


@pytest.fixture
def run(tiny_model: Path) -> Any:
    def call(*args: object) -> int:
        common = ("--model", tiny_model, "--style-size", 32, "--device", "cpu", "--engine", "torch")
        with pytest.raises(SystemExit) as stop:
            cli.main([str(a) for a in ("run", *args, *common)])
        return int(stop.value.code or 0)

    return call


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def make_pictures(folder: Path, count: int) -> np.ndarray:
    folder.mkdir()
    frames = np.random.default_rng(0).integers(0, 256, (count, 24, 32, 3), dtype=np.uint8)
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{i:04d}.png")
    return frames


def test_one_failure_does_not_stop_the_others(
    work: Path, make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip("work/a.mp4", frames=3)
    Path("bad.mp4").write_text("text")
    make_clip("work/c.mkv", frames=4)
    args = ("a.mp4", "bad.mp4", "gone.mp4", "c.mkv", "--style", "mosaic", "--out-dir", "out/films")
    assert run(*args, "--json") == 1
    out, err = capsys.readouterr()
    assert files(Path("out")) == ["films/a.styled.mp4", "films/c.styled.mkv"]
    report = json.loads(out)
    assert report["failed"] == 2
    assert [f.get("frames") for f in report["films"]] == [3, None, None, 4]
    assert "bad.mp4: is not a video" in report["films"][1]["error"]
    text = " ".join(err.replace("│", " ").split())
    assert "bad.mp4: is not a video" in text
    assert "gone.mp4: no such file" in text
    assert "out/films/c.styled.mkv" in text
    assert err.splitlines()[-1] == "vidstyle: 2 of 4 films failed; the others are done."


def test_a_folder_of_videos_and_going_on_with_it(
    work: Path, make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in").mkdir()
    for name in ("b2.mp4", "b10.mp4"):
        make_clip(f"work/in/{name}", frames=2)
    Path("in/notes.txt").write_text("not a film")
    assert run("in", "--style", "mosaic", "--out-dir", "out", "-q") == 0
    assert files(Path("out")) == ["b10.styled.mp4", "b2.styled.mp4"]
    Path("out/b2.styled.mp4").unlink()
    before = Path("out/b10.styled.mp4").read_bytes()
    assert run("in", "--style", "mosaic", "--out-dir", "out") == 1
    assert "exists already" in capsys.readouterr().err
    Path("out/b2.styled.mp4").unlink()
    assert run("in", "--style", "mosaic", "--out-dir", "out", "--resume", "--json", "r.json") == 0
    assert [f.get("kept") for f in json.loads(Path("r.json").read_text())["films"]] == [None, True]
    assert "was there already" in capsys.readouterr().err
    assert Path("out/b10.styled.mp4").read_bytes() == before


def test_pictures_in_and_out(work: Path, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    make_pictures(Path("in"), 4)
    assert run("in/%04d.png", "--style", "mosaic", "-o", "out/%d.png", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["frames"], report["input"], report["output"]) == (4, "in/%04d.png", "out/%d.png")
    assert files(work) == [f"in/{i:04d}.png" for i in range(4)] + [f"out/{i}.png" for i in range(4)]
    with Image.open("out/3.png") as image:
        assert image.size == (32, 24)
    first = Path("out/1.png").read_bytes()
    assert run("in", "--style", "mosaic", "-o", "out/%d.png") == 2
    assert "4 such pictures exist already" in capsys.readouterr().err
    assert run("in", "--style", "mosaic", "-o", "out/%d.png", "-y", "--end", "0.08") == 0
    assert files(Path("out")) == [f"{i}.png" for i in range(4)]  # an excerpt takes nothing away
    assert Path("out/1.png").read_bytes() == first
    assert run("in", "--style", "mosaic", "-o", "in/%04d.png", "-y") == 2
    assert "its pictures are the input's" in capsys.readouterr().err


def test_pictures_become_a_film(work: Path, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from vidstyle.media.input.probe import probe

    make_pictures(Path("in"), 5)
    assert run("in", "--style", "mosaic", "--fps", "10", "--json") == 0
    assert json.loads(capsys.readouterr().out)["output"] == str(work / "in.styled.mp4")
    info = probe(Path("in.styled.mp4"))
    assert (info.frames, info.average_rate, info.width, info.height) == (5, 10, 32, 24)
    assert run("in/%04d.png", "--style", "mosaic", "-y", "-q", "--start", "0.1", "-o", "cut.mkv") == 0
    assert sum(1 for _ in Path.cwd().iterdir()) == 3


def test_a_file_named_like_a_pattern_is_that_file(work: Path, make_clip: Any, run: Any) -> None:
    make_clip("work/%06d.mp4", frames=2)
    Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save("a%d.png")
    Image.fromarray(np.zeros((24, 32, 3), np.uint8)).save("a1.png")
    assert run("%06d.mp4", "--style", "./a%d.png", "-q") == 0
    assert Path("%06d.styled.mp4").is_file()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["a.mp4", "b.mp4", "-o", "out.mp4"], 2, "names one film; for 2 give --out-dir alone"),
        (["a.mp4", "-o", "out.mp4", "--out-dir", "out"], 2, "names one film"),
        (["a.mp4", "sub/a.mp4"], 2, "their outputs would have one name"),
        (["mixed"], 2, "holds videos and pictures"),
        (["nothing"], 1, "nothing: is a folder without pictures"),
        (["in/%05d.png"], 1, "no picture has such a name (the first one would be like 00001.png)"),
        (["a.mp4", "-o", "art.png"], 2, "number the film's as art-%06d.png"),
        (["a.mp4", "-o", "no/where/%d.png"], 1, "does not exist"),
        (["a.mp4", "-o", "%d.png", "--codec", "h264"], 2, "cannot hold h264"),
        (["a.mp4", "b.mp4", "--style", "mosiac"], 2, "nearest are mosaic"),
        (["a.mp4", "b.mp4", "--out-dir", "a.mp4"], 1, "--out-dir a.mp4: cannot be made"),
    ],
)
def test_refused(
    args: list[str], code: int, words: str, work: Path, make_clip: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("sub", "mixed", "nothing"):
        Path(folder).mkdir()
    make_clip("work/a.mp4", frames=2)
    for name in ("b.mp4", "sub/a.mp4", "mixed/a.mp4"):
        Path(name).write_bytes(Path("a.mp4").read_bytes())
    make_pictures(Path("in"), 1)
    Path("mixed/1.png").write_bytes(Path("in/0000.png").read_bytes())
    before = sorted(work.rglob("*"))
    assert run(*args, *(() if "--style" in args else ("--style", "mosaic"))) == code
    out, err = capsys.readouterr()
    assert words in " ".join(err.split())
    assert out == ""
    assert sorted(work.rglob("*")) == before
