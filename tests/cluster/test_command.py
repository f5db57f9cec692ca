"""`vidstyle run --ray` as a user meets it."""

import json
from pathlib import Path
from typing import Any

import pytest

from vidstyle import cli

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def run(command: list[str]) -> Any:
    """`run(*words)`: the exit code of the command, in this process, which has joined the cluster."""

    def call(*words: str) -> int:
        with pytest.raises(SystemExit) as stop:
            cli.main([*command[3:], *words])
        return int(stop.value.code or 0)

    return call


def test_several_films(run: Any, make_clip: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    make_clip("in/a.mp4", frames=4)
    make_clip("in/b.mp4", frames=3)
    Path("bad.mp4").write_text("text")
    assert run("in", "bad.mp4", "--out-dir", "out", "--json") == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [film.get("frames") for film in report["films"]] == [4, 3, None]
    assert report["failed"] == 1
    assert sum(node["frames"] for node in report["nodes"]) == 7
    assert {"node", "host", "cpus", "segments", "busy_seconds", "fps", "peak_rss_mb"} <= set(report["nodes"][0])
    assert err.splitlines()[-1] == "vidstyle: 1 of 3 films failed; the others are done."
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.styled.mp4", "b.styled.mp4"]


def test_a_single_film(run: Any, make_clip: Any, capsys: pytest.CaptureFixture[str]) -> None:
    make_clip("a.mp4", frames=4)
    assert run("a.mp4", "-o", "out.mp4", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["output"] == "out.mp4"
    assert "out.mp4: 4 frames" in err
    assert run("a.mp4", "-o", "out.mp4") == 2
    assert "exists already" in capsys.readouterr().err
    Path("a.mp4").write_text("text")
    assert run("a.mp4", "-o", "other.mp4") == 1
    assert "a.mp4: is not a video" in capsys.readouterr().err


def test_a_worker_that_fails_is_told_with_segment_and_machine(
    run: Any, make_clip: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A film that is damaged beyond bearing in its second half: the driver sees nothing of that."""
    path = make_clip("a.mkv", frames=50, codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data) - 2000, 7):
        data[at] ^= 0xFF
    path.write_bytes(bytes(data))
    assert run("a.mkv", "-o", "out.mkv", "--segment", "0.5", "--max-errors", "0%") == 1
    err = capsys.readouterr().err
    assert "a.mkv" in err
    assert "(segment " in err
    assert ", on " in err
    assert not Path("out.mkv").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["gone.mp4"], 1, "gone.mp4: no such file"),
        (["a.mp4", "b.mp4", "-o", "out.mp4"], 2, "names one film"),
        (["a.mp4", "--ray-gpus", "2"], 2, "must be more than 0 and at most 1"),
        (["s3://key:word@bucket/a.mp4"], 2, "set them in the environment"),
    ],
)
def test_refused(words: list[str], code: int, told: str, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.mp4").write_text("text")
    assert run(*words) == code
    assert told in capsys.readouterr().err


@pytest.mark.cluster
def test_a_cluster_that_is_not_there(make_clip: Any, tiny_model: Path) -> None:
    """In a process of its own, as this one has joined a cluster."""
    import subprocess
    import sys

    make_clip("a.mp4", frames=2)
    words = ["run", "a.mp4", "--style", "mosaic", "--model", str(tiny_model), "--ray", "127.0.0.1:9"]
    done = subprocess.run([sys.executable, "-m", "vidstyle", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no Ray cluster answers there" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
