"""run, image and info as a user calls them: results, refusals, and nothing written where something is wrong."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle import cli
from vidstyle.cli.licenses import print_licenses


def call(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        cli.main([str(a) for a in args])
    return int(stop.value.code or 0)


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


KEYS = {
    "input", "output", "frames", "width", "height", "seconds", "fps", "engine", "device", "precision", "model", "stages",
    "peak_rss_mb", "warnings", "paint_size", "detail", "road", "fit",
}  # fmt: skip


def test_run_json(work: Path, make_clip: Any, tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_clip(frames=6)
    args = ("run", source, "--style", "mosaic", "--model", tiny_model, "--style-size", 32, "--device", "cpu")
    assert call(*args, "-o", "a.mp4", "--json") == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert set(report) == KEYS
    assert set(report["stages"]) == {"decode", "model", "detail", "encode"}
    assert report["frames"] == 6
    assert report["input"] == str(source)
    assert report["output"] == "a.mp4"
    assert report["peak_rss_mb"] > 50
    assert "a.mp4: 6 frames" in err
    assert call(*args, "-o", "b.mp4", "-q", "--json", "report.json") == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "")
    assert set(json.loads(Path("report.json").read_text())) == KEYS


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["missing.mp4", "--style", "mosaic"], 1, "missing.mp4: no such file"),
        (["text.mp4", "--style", "mosaic"], 1, "text.mp4: is not a video"),
        (["empty.mp4", "--style", "mosaic"], 1, "empty.mp4: is empty"),
        (["sound.mp4", "--style", "mosaic"], 1, "sound.mp4: holds no video"),
        (["..", "--style", "mosaic"], 1, "is a folder"),
        (["clip.mp4", "--style", "mosiac"], 2, "nearest are mosaic"),
        (["clip.mp4", "--style", "missing.jpg"], 1, "missing.jpg: no such file"),
        (["clip.mp4", "--style", "text.mp4"], 1, "text.mp4: is not a picture"),
        (["clip.mp4", "--style", "mosaic:0"], 2, "above 0"),
        (["clip.mp4"], 2, "--style"),
        (["clip.mp4", "--style", "mosaic", "-o", "clip.mp4"], 2, "clip.mp4: is the input itself"),
        (["clip.mp4", "--style", "mosaic", "-o", "clip.mp4", "-y"], 2, "clip.mp4: is the input itself"),
        (["clip.mp4", "--style", "mosaic", "-o", "hard.mp4", "-y"], 2, "hard.mp4: is the input itself"),
        (["clip.mp4", "--style", "mosaic", "-o", "soft.mp4", "-y"], 2, "soft.mp4: is the input itself"),
        (["clip.mp4", "--style", "mosaic", "-o", "old.mp4"], 2, "old.mp4: exists already; add -y"),
        (["clip.mp4", "--style", "mosaic", "-o", "."], 2, "is a folder"),
        (["clip.mp4", "--style", "mosaic", "-o", "nowhere/out.mp4"], 1, "does not exist"),
        (["clip.mp4", "--style", "mosaic", "-o", "text.mp4/out.mp4"], 1, "is no folder"),
        (["clip.mp4", "--style", "mosaic", "-o", "out.xyz"], 2, "cannot write .xyz"),
        (["clip.mp4", "--style", "mosaic", "-o", "out.webm", "--codec", "h264"], 2, "cannot hold h264"),
        (["clip.mp4", "--style", "mosaic", "--codec", "nope"], 2, "no such encoder"),
        (["clip.mp4", "--style", "mosaic", "--model", "nope"], 2, "unknown model 'nope'"),
        (["clip.mp4", "--style", "mosaic", "--model", "nope.safetensors"], 1, "no such model file"),
        (["clip.mp4", "--style", "mosaic", "--model", "text.mp4"], 1, "cannot be read as safetensors"),
        (["clip.mp4", "--style", "mosaic", "--device", "tpu"], 2, "--device tpu cannot be had"),
        (["clip.mp4", "--style", "mosaic", "--engine", "onnx"], 2, "unknown engine 'onnx'"),
        (["clip.mp4", "--style", "mosaic", "--precision", "int4"], 2, "unknown precision 'int4'"),
        (["clip.mp4", "--style", "mosaic", "--chunk", "0"], 2, "--chunk 0"),
        (["clip.mp4", "--style", "mosaic", "--chunk", "many"], 2, "--chunk many"),
        (["clip.mp4", "--style", "mosaic", "--size", "640"], 2, "640x360"),
        (["clip.mp4", "--style", "mosaic", "--size", "8x8"], 2, "at least 16"),
        (["clip.mp4", "--style", "mosaic", "--start", "soon"], 2, "'soon' is no time"),
        (["clip.mp4", "--style", "mosaic", "--start", "9999"], 2, "lasts only"),
        (["clip.mp4", "--style", "mosaic", "--strength", "2.1"], 2, "--strength"),
        (["clip.mp4", "--style", "mosaic", "--speed", "2"], 2, "--speed"),
        (["tiny.mkv", "--style", "mosaic"], 1, "its picture is 12x48"),
    ],
)
def test_run_refuses(
    args: list[str],
    code: int,
    words: str,
    work: Path,
    make_clip: Any,
    tmp_path: Path,
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_clip(frames=3, name="work/clip.mp4")
    if "tiny.mkv" in args:
        make_clip(frames=2, width=12, name="work/tiny.mkv")
    if "sound.mp4" in args:
        make_sound(Path("sound.mp4"))
    Path("text.mp4").write_text("not a video\n" * 50)
    Path("empty.mp4").touch()
    Path("old.mp4").write_bytes(b"old")
    os.link("clip.mp4", "hard.mp4")
    Path("soft.mp4").symlink_to("clip.mp4")
    before = snapshot(tmp_path)
    if "--model" not in args:
        args = [*args, "--model", str(tiny_model)]
    assert call("run", *args) == code
    out, err = capsys.readouterr()
    assert words in " ".join(err.replace("│", " ").split())
    assert out == ""
    assert "Traceback" not in err
    assert snapshot(tmp_path) == before


def make_sound(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_read_only_folder(work: Path, make_clip: Any, tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_clip()
    work.chmod(0o500)
    try:
        assert call("run", source, "--style", "mosaic", "--model", tiny_model) == 1
    finally:
        work.chmod(0o700)
    assert "cannot be written to" in capsys.readouterr().err
    assert list(work.iterdir()) == []


def test_names_with_dashes_spaces_and_percents(work: Path, make_clip: Any, tiny_model: Path) -> None:
    make_clip("work/-dash %d ü.mp4", frames=2)
    common = ("--style", "mosaic", "--model", tiny_model, "-q", "--style-size", 32, "--engine", "torch")
    assert call("run", *common, "--", "-dash %d ü.mp4") == 0
    assert sorted(p.name for p in work.iterdir()) == ["-dash %d ü.mp4", "-dash %d ü.styled.mp4"]


@pytest.fixture
def pictures(work: Path) -> list[Path]:
    paths = [Path("a.jpg"), Path("b.gif")]
    for path in paths:
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)).save(path)
    return paths


def test_image_names(work: Path, pictures: list[Path], tiny_model: Path) -> None:
    common = ("--style", "mosaic", "--model", tiny_model, "--style-size", 32, "-q", "--engine", "torch")
    assert call("image", *pictures, *common) == 0
    Path("folder").mkdir()
    assert call("image", *pictures, *common, "-o", "folder") == 0
    assert call("image", pictures[0], *common, "-o", "c.png", "--max-side", 20) == 0
    written = {str(p.relative_to(work)) for p in work.rglob("*") if p.is_file()} - {"a.jpg", "b.gif"}
    assert written == {"a.styled.jpg", "b.styled.png", "folder/a.styled.jpg", "folder/b.styled.png", "c.png"}
    with Image.open("a.styled.jpg") as first, Image.open("c.png") as second:
        assert (first.size, second.size) == ((40, 32), (20, 16))


def test_image_refuses(work: Path, pictures: list[Path], tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("--style", "mosaic", "--model", tiny_model, "--style-size", 32, "-q")
    before = snapshot(work)
    for args, code, words in [
        (["a.jpg", "b.gif", "-o", "one.png"], 2, "must be a folder"),
        (["a.jpg", "./a.jpg"], 2, "would overwrite each other"),
        (["a.jpg", "-o", "a.jpg"], 2, "is the input itself"),
        (["missing.jpg"], 1, "missing.jpg: no such file"),
        (["a.jpg", "-o", "out.xyz"], 2, "no picture format"),
    ]:
        assert call("image", *args, *common) == code
        assert words in capsys.readouterr().err
        assert snapshot(work) == before


def test_image_goes_on_after_a_failure(
    work: Path, pictures: list[Path], tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.png").write_text("no")
    assert call("image", "bad.png", *pictures, "--style", "mosaic", "--model", tiny_model, "--style-size", 32) == 1
    err = capsys.readouterr().err
    assert "bad.png: is not a picture" in err
    assert "1 of 3 pictures failed" in err
    assert Path("a.styled.jpg").exists()
    assert Path("b.styled.png").exists()


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("info", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["versions"]["torch"]
    assert [row["chosen"] for row in report["engines"]].count(True) == 1
    assert all(row["why"] for row in report["engines"])
    assert "mosaic" in report["styles"]
    assert "h264" in report["codecs"]
    assert report["cores"] >= 1
    assert call("info") == 0
    text = capsys.readouterr().out
    assert all(row["why"] in text for row in report["engines"])


def test_info_licenses(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("info", "--licenses", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"vidstyle", "files", "dependencies", "ffmpeg"}
    named = {row["name"]: row for row in report["dependencies"]}
    assert named["av"]["licence"] == "BSD-3-Clause"
    assert named["av"]["extras"] == []
    print_licenses(report)
    text = capsys.readouterr().out
    assert text.startswith(f"vidstyle {report['vidstyle']['version']}: Apache-2.0\n")
    assert report["ffmpeg"]["sentence"] in text
    assert all(f"{row['name']} {row['version']} " in text for row in report["dependencies"])
