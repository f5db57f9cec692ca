"""`run - -o -` and addresses: as files, but for what a pipe cannot do."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from vidstyle import cli
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames

Run = Callable[..., int]


@pytest.fixture
def run(tiny_model: Path, work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """`run(*args, stdin=bytes)`: the exit code of `vidstyle run` with a small model. No temporary file may be left."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def call(*args: object, stdin: bytes = b"") -> int:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        words = ["run", *map(str, args), "--style", "mosaic", "--model", str(tiny_model), "--style-size", "32"]
        with pytest.raises(SystemExit) as stop:
            cli.main([*words, "--device", "cpu", "--engine", "torch"])
        return int(stop.value.code or 0)

    yield call
    assert list(scratch.iterdir()) == []


def saved(data: bytes, name: str) -> Path:
    Path(name).write_bytes(data)
    return Path(name)


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return sorted((p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size)


@pytest.mark.parametrize("format_", ["matroska", "nut"])
def test_a_film_through_pipes_is_that_of_files(
    format_: str, run: Run, make_clip: Any, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Picture, sound and times are those of a run on files; of an mp4, which is sought in."""
    suffix = ".mkv" if format_ == "matroska" else ".nut"
    source = make_clip("in.mp4", frames=20, sound="aac")
    assert run(source, "-o", f"file{suffix}", "-q") == 0
    assert run("-", "-o", "-", "--format", format_, "-q", stdin=source.read_bytes()) == 0
    out, err = capfdbinary.readouterr()
    assert err == b""
    assert out == Path(f"file{suffix}").read_bytes()
    piped = saved(out, f"piped{suffix}")
    assert probe(piped).container.startswith(format_)
    assert [data for _, data in packets(piped, "audio")] == [data for _, data in packets(source, "audio")]
    lags = [packets(path, "audio")[0][0] - packets(path, "video")[0][0] for path in (source, piped)]
    assert float(lags[1]) == pytest.approx(float(lags[0]), abs=0.001)


def test_a_cut_and_y4m(run: Run, make_clip: Any, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    source = make_clip("in.mkv", frames=20, rate=10, sound="aac")
    cut = ("--start", "0.5", "--end", "1.2")
    assert run("-", "-o", "-", "--format", "y4m", "--json=report.json", *cut, stdin=source.read_bytes()) == 0
    out, err = capfdbinary.readouterr()
    assert out.startswith(b"YUV4MPEG2 W64 H48 F10:1 ")
    assert len(list(read_frames(probe(saved(out, "out.y4m"))))) == 7
    report = json.loads(Path("report.json").read_text())
    assert (report["input"], report["output"], report["frames"]) == ("-", "-", 7)
    assert "-: 7 frames, " in err.decode()
    assert run("out.y4m", "-o", "again.mkv", "-q") == 0
    assert len(list(read_frames(probe(Path("again.mkv"))))) == 7


def test_a_pipe_into_a_file_can_be_resumed(
    run: Run, make_clip: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_clip("in.mkv", frames=20).read_bytes()
    common = ("-o", "out.mkv", "--segment", "0.2", "-q")
    from vidstyle.media.mux.mux import mux
    from vidstyle.pipeline import run as runs

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "mux", interrupted)
    assert run("-", *common, stdin=source) == 130
    assert "--resume" in capsys.readouterr().err
    monkeypatch.setattr(runs, "mux", mux)
    assert run("-", *common, "--resume", stdin=source[:-1] + b"x") == 2  # another film
    assert run("-", *common, "--resume", stdin=source) == 0
    assert run("-", "-o", "whole.mkv", "--segment", "0.2", "-q", stdin=source) == 0
    assert Path("out.mkv").read_bytes() == Path("whole.mkv").read_bytes()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["-"], 2, "has no name; name the output"),
        (["-", "-o", "-", "--resume"], 2, "cannot be taken up again"),
        (["-", "-o", "-", "--ray"], 2, "machines share files, not pipes"),
        (["-", "-o", "-", "--json"], 2, "standard output is the film's"),
        (["-", "-o", "-", "--format", "avi"], 2, "--format avi: use one of matroska, nut, y4m"),
        (["-", "-o", "-", "--format", "y4m", "--crf", "3"], 2, "holds raw frames"),
        (["-", "-o", "-", "--codec", "gif"], 2, "-: .mkv cannot hold gif"),
        (["-", "-o", "nowhere/out.mp4"], 1, "does not exist; make it first"),
        (["-", "-o", "out.mp4", "--format", "nut"], 2, "goes with -o -"),
        (["-", "a.mp4", "-o", "-"], 2, "one film a command"),
        (["-", "-o", "-"], 1, "-: is not a video that can be opened"),
        (["none.mp4", "-o", "-"], 1, "none.mp4: no such file"),
        (["http://127.0.0.1:1/a.mp4"], 1, "http://127.0.0.1:1/a.mp4: cannot be read"),
    ],
)
def test_what_cannot_be(
    args: list[str], code: int, words: str, run: Run, work: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*args, stdin=b"no film\n" * 1000) == code
    out, err = capfd.readouterr()
    assert words in err
    assert (out, "Traceback" in err, len(err.strip().splitlines())) == ("", False, 1)
    assert list(work.iterdir()) == []


def test_an_address_names_its_output(run: Run, make_clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    source = make_clip("in.mp4", frames=3)
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: urllib.request.build_opener().open(source.as_uri()))
    assert run("https://host/films/Holiday%202.mp4", "-q") == 0
    assert [path.name for path in Path().iterdir()] == ["Holiday_2.styled.mp4"]


FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program on this machine")


@pytest.fixture
def chain(tiny_model: Path, tmp_path: Path) -> Callable[[list[str]], tuple[int, str]]:
    """`chain(last)`: ffmpeg | vidstyle run - -o - | last. Exit code and stderr of ours."""
    ours = [sys.executable, "-m", "vidstyle", "run", "-", "-o", "-", "--style", "mosaic", "--style-size", "32"]
    ours += ["--model", str(tiny_model), "--engine", "torch", "--device", "cpu", "-q"]
    make = [str(FFMPEG), "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=2", "-f", "lavfi", "-i"]
    make += ["sine=d=2", "-c:v", "ffv1", "-c:a", "flac", "-f", "matroska", "-"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    def run(last: list[str]) -> tuple[int, str]:
        with (
            subprocess.Popen(make, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as maker,
            subprocess.Popen(
                ours, stdin=maker.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
            ) as middle,
            subprocess.Popen(last, stdin=middle.stdout, stdout=subprocess.DEVNULL) as taker,
        ):
            for process in (maker, middle):
                assert process.stdout is not None
                process.stdout.close()
            assert middle.stderr is not None
            err = middle.stderr.read().decode()
            middle.wait(60)
            taker.wait(30)
        return middle.returncode, err

    return run


@needs_ffmpeg
def test_between_two_ffmpegs(chain: Callable[[list[str]], tuple[int, str]], tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    assert chain([str(FFMPEG), "-v", "error", "-i", "-", "-c", "copy", str(out)]) == (0, "")
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20
    assert len(packets(out, "audio")) > 10
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


@pytest.mark.slow
@needs_ffmpeg
def test_a_reader_that_ends_at_once(chain: Callable[[list[str]], tuple[int, str]], tmp_path: Path) -> None:
    code, err = chain(["true"])
    assert (code, len(err.strip().splitlines())) == (1, 1)
    assert "the program that reads the film has ended" in err
    assert list(tmp_path.iterdir()) == []
