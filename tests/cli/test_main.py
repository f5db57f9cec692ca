"""The frame of the command line: lazy commands, exit codes, one sentence a failure."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vidstyle import cli
from vidstyle.core.errors import InputError, UsageError


def leave(*args: str) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as stop:
        cli.main(list(args))
    return int(stop.value.code or 0)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from vidstyle import __version__

    assert leave("--version") == 0
    assert capsys.readouterr().out == f"vidstyle {__version__}\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("--help") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in cli.COMMANDS)


def in_a_new_process(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr


def test_help_of_every_command_needs_no_heavy_import() -> None:
    code = (
        "import sys, vidstyle.cli as c\n"
        "for name in ['', *c.COMMANDS]:\n"
        "    try: c.main([*name.split(), '--help'])\n"
        "    except SystemExit as stop: assert not stop.code, name\n"
        "heavy = [m for m in ('torch', 'av', 'cv2', 'openvino') if m in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    in_a_new_process(code)


def test_import_is_light_and_lazy_names_work() -> None:
    code = (
        "import sys, vidstyle\n"
        "assert 'torch' not in sys.modules and 'av' not in sys.modules\n"
        "assert vidstyle.RunOptions().strength == 1.0 and 'torch' not in sys.modules\n"
        "for name in vidstyle.__all__: assert getattr(vidstyle, name) is not None\n"
        "try: vidstyle.nothing\n"
        "except AttributeError: pass\n"
        "else: raise SystemExit(1)\n"
    )
    in_a_new_process(code)


def test_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert leave("imge") == 2
    assert "'image'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("a.mp4: no."), 1, "vidstyle: a.mp4: no.\n"),
        (UsageError("--x: no."), 2, "vidstyle: --x: no.\n"),
        (KeyboardInterrupt(), 130, "vidstyle: Interrupted.\n"),
        (KeyboardInterrupt("Interrupted; go on."), 130, "vidstyle: Interrupted; go on.\n"),
        (OSError(28, "No space left on device", "/x/y"), 1, "vidstyle: /x/y: No space left on device\n"),
        (MemoryError(), 1, "vidstyle: out of memory; try a smaller --max-side or --chunk 1\n"),
    ],
)
def test_failures(
    error: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from vidstyle.cli import info

    def broken() -> dict[str, object]:
        raise error

    monkeypatch.setattr(info, "collect", broken)
    assert leave("info") == code
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["run", "a.mp4", "--json"], ["run", "a.mp4", "--json=-"]),
        (["run", "--json", "a.mp4"], ["run", "--json=-", "a.mp4"]),
        (["run", "--json", "r.json", "a.mp4"], ["run", "--json=r.json", "a.mp4"]),
        (["run", "--json=report", "a.mp4"], ["run", "--json=report", "a.mp4"]),
        (["run", "--json", "-q", "a.mp4"], ["run", "--json=-", "-q", "a.mp4"]),
        (["run", "--", "--json"], ["run", "--", "--json"]),
        (["run", "--json", "r.txt", "a.mp4"], ["run", "--json=r.txt", "a.mp4"]),
        (["run", "a.mp4", "--json", "new/report"], ["run", "a.mp4", "--json=new/report"]),
        *(
            (["run", "--json", x], ["run", "--json=-", x])
            for x in ("a.mkv", "in/%06d.png", "/", __file__, "http://a/b.c")
        ),
    ],
)
def test_json_may_stand_alone(given: list[str], expected: list[str]) -> None:
    assert cli.optional_values(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["run", "a.mp4", "--ray"], ["run", "a.mp4", "--ray=local"]),
        (["run", "--ray", "a.mp4"], ["run", "--ray=local", "a.mp4"]),
        (["run", "--ray", "s3://bucket/a.mp4"], ["run", "--ray=local", "s3://bucket/a.mp4"]),
        (["run", "--ray", "C:\\films\\a.mp4"], ["run", "--ray=local", "C:\\films\\a.mp4"]),
        (["run", "--ray", "-q"], ["run", "--ray=local", "-q"]),
        *(
            (["run", "--ray", x], ["run", f"--ray={x}"])
            for x in ("auto", "head:6379", "10.0.0.1:6379", "ray://h:10001")
        ),
    ],
)
def test_ray_may_stand_alone(given: list[str], expected: list[str]) -> None:
    assert cli.optional_values(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["run", "a.mp4", "--preserve-color"], ["run", "a.mp4", "--preserve-color=luma"]),
        (["run", "--preserve-color", "a.mp4"], ["run", "--preserve-color=luma", "a.mp4"]),
        (["run", "--preserve-color", "match", "-q"], ["run", "--preserve-color=match", "-q"]),
    ],
)
def test_preserve_color_may_stand_alone(given: list[str], expected: list[str]) -> None:
    assert cli.optional_values(given) == expected


def test_json_file_is_whole_or_absent(tmp_path: Path) -> None:
    from vidstyle.cli.options import emit_json

    emit_json({"a": "é"}, str(tmp_path / "r.json"))
    assert (tmp_path / "r.json").read_text(encoding="utf-8") == '{\n  "a": "é"\n}\n'
    with pytest.raises(InputError, match="does not exist"):
        emit_json({}, str(tmp_path / "missing" / "r.json"))
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


INTERRUPTED = """
import signal, sys, time
from vidstyle import cli
from vidstyle.cli import interrupts
interrupts.PATIENCE = float(sys.argv[1])

def work():
    try:
        print("ready", flush=True)  # from here on an interrupt finds something to put away
        time.sleep(60)
    finally:  # putting away
        time.sleep(1)
        print("put away", flush=True)

cli.COMMANDS["work"] = "work"
sys.modules["work"] = type(sys)("work")
sys.modules["work"].command = work
sys.argv = ["vidstyle", "work"]
cli.script()
"""


@pytest.mark.parametrize("patience", [60.0, 0.0])
def test_three_interrupts_in_a_row(patience: float) -> None:
    """The first is told in a sentence, what follows neither breaks in nor prints; after the patience one ends it."""
    program = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(patience)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    program.stdout.readline()
    for _ in range(3):
        program.send_signal(signal.SIGINT)
        time.sleep(0.1)
    out, err = program.communicate(timeout=100)
    assert program.returncode == 130
    assert "Traceback" not in err
    assert (out, err.strip()) == (("put away\n", "vidstyle: Interrupted.") if patience else ("", ""))


@pytest.mark.parametrize("name", [n for n in cli.COMMANDS if n != "styles"])
def test_help_shows_every_text_as_it_was_written(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Markup must neither turn ":m:" into a picture nor swallow what stands in brackets."""
    assert leave(name, "--help") == 0
    shown = "".join(capsys.readouterr().out.split())
    texts = [text for x in cli.Lazy(cli.COMMANDS)[name].params if (text := getattr(x, "help", None))]
    assert texts
    assert [text for text in texts if "".join(text.split()) not in shown] == []
