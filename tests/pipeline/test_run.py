"""Whole films through `stylize_video`, in this process: every frame once at its time, chunks and interruptions invisible."""

import re
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.media.input.probe import probe
from vidstyle.models.registry import find_model
from vidstyle.pipeline import run as run_module
from vidstyle.pipeline.plan.journal import Journal, journal_folder
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.run import stylize_video
from vidstyle.pipeline.stages.segment_writer import SegmentWriter

pytestmark = pytest.mark.usefixtures("here")


def test_every_frame_at_its_time(styled: Any, make_clip: Any, read: Any) -> None:
    pts = [3, 4, 6, 7, 19, 20, 40, 41, 42, 77]
    source = make_clip("in.mkv", pts=pts, time_base=Fraction(1, 20), sound="aac")
    report = styled(source, "out.mkv", segment=Fraction(1, 2))
    frames, times = read("out.mkv")
    assert times == read(source)[1]
    assert len(frames) == report.frames == len(pts)
    assert (report.width, report.height) == (64, 48)
    assert set(report.stages) == {"decode", "model", "detail", "encode"}
    assert report.engine == "torch"
    assert report.precision == "fp32"
    assert report.warnings == []
    assert not journal_folder(Path("out.mkv")).exists()


def test_the_picture_is_the_models(styled: Any, make_clip: Any, read: Any, tiny_model: Path, style: str) -> None:
    from vidstyle.engines.torch_engine import build
    from vidstyle.styles.resolve import resolve

    source = make_clip("in.mkv", codec="ffv1", pix_fmt="bgr0", frames=4, width=50, height=34)
    styled(source, "out.mkv", codec="ffv1", strength=0.7)
    engine = build(find_model(tiny_model), device="cpu", precision="fp32", threads=1)
    code = engine.encode_style(np.asarray(resolve(style, size=32)))
    expected = engine.stylize(read(source)[0], code, strength=0.7)
    assert np.abs(read("out.mkv")[0].astype(int) - expected).max() <= 1


def test_chunks_are_invisible(styled: Any, make_clip: Any, read: Any) -> None:
    source = make_clip(frames=11)
    for n in (1, 8):
        styled(source, f"out{n}.mkv", codec="ffv1", chunk=n, segment=Fraction(1, 5))
    one, eight = read("out1.mkv"), read("out8.mkv")
    assert one[1] == eight[1]
    assert np.abs(one[0].astype(int) - eight[0]).max() <= 1


def test_default_name(styled: Any, make_clip: Any, tmp_path: Path) -> None:
    report = styled(make_clip("my film.mov"), None)
    assert Path(report.output) == tmp_path / "my film.styled.mov"
    assert Path(report.output).is_file()


@pytest.mark.parametrize("stage", ["model", "encode"])
def test_resume_equals_uninterrupted(
    styled: Any, make_clip: Any, read: Any, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    source = make_clip("in.mp4", frames=40, sound="aac", options={"g": "12"})
    options = {"segment": Fraction(1, 3), "chunk": 3}
    styled(source, "whole.mp4", **options)

    calls = 0
    owner, name, every = (TorchEngine, "stylize", 7) if stage == "model" else (SegmentWriter, "__call__", 15)
    original = getattr(owner, name)

    def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % every == 0:
            raise InputError("the disk is full.")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, failing)
    interruptions = 0
    while not Path("out.mp4").exists():
        with suppress(InputError):
            styled(source, "out.mp4", resume=True, **options)
        if not Path("out.mp4").exists():
            interruptions += 1
            assert sorted(p.name for p in Path.cwd().glob("*.vidstyle")) == ["out.mp4.vidstyle"]
    assert interruptions >= 2
    np.testing.assert_array_equal(read("out.mp4")[0], read("whole.mp4")[0])
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()
    assert not list(Path.cwd().glob("*.vidstyle"))


def test_resume_only_does_what_is_missing(styled: Any, make_clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip(frames=50)
    monkeypatch.setattr(run_module, "mux", lambda *a, **k: (_ for _ in ()).throw(InputError("no room.")))
    with pytest.raises(InputError, match=r"no room\. .*--resume goes on from there"):
        styled(source, "out.mkv", segment=Fraction(1, 2))
    monkeypatch.undo()
    monkeypatch.chdir(source.parent)
    first = journal_folder(Path("out.mkv"))
    (first / "000001.seg").unlink()
    seen = []
    original = TorchEngine.stylize

    def counted(self: Any, frames: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        seen.append(len(frames))
        return original(self, frames, *args, **kwargs)

    monkeypatch.setattr(TorchEngine, "stylize", counted)
    assert styled(source, "out.mkv", segment=Fraction(1, 2), resume=True).frames == 50
    assert sum(seen) == 12  # frames 13 to 24: [0.5 s, 1 s) at 25 a second


def test_resume_refuses_other_settings(styled: Any, make_clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip(frames=20)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "mux", lambda *a, **k: (_ for _ in ()).throw(InputError("no room.")))
        with pytest.raises(InputError):
            styled(source, "out.mkv")
    before = {p.name: p.read_bytes() for p in journal_folder(Path("out.mkv")).iterdir()}
    with pytest.raises(UsageError, match=r"video.crf \(None then, 30 now\)"):
        styled(source, "out.mkv", crf=30, resume=True)
    with pytest.raises(UsageError, match="styles"):
        styled(source, "out.mkv", styles=["mosaic"], resume=True)
    with pytest.raises(UsageError, match="add --resume to go on with it, or -y to start over"):
        styled(source, "out.mkv")
    assert {p.name: p.read_bytes() for p in journal_folder(Path("out.mkv")).iterdir()} == before
    assert styled(source, "out.mkv", resume=True).frames == 20


def test_failure_with_nothing_finished_leaves_nothing(
    styled: Any, make_clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip()
    monkeypatch.setattr(TorchEngine, "stylize", lambda *a, **k: (_ for _ in ()).throw(InputError("broken.")))
    before = sorted(Path.cwd().iterdir())
    with pytest.raises(InputError, match=r"^broken\.$"):
        styled(source, "out.mkv")
    assert sorted(Path.cwd().iterdir()) == before


def test_short_memory_drops_nothing(styled: Any, make_clip: Any, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip(frames=13)
    styled(source, "plain.mkv", codec="ffv1", chunk=8)
    original = TorchEngine.stylize

    def small(self: Any, frames: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        if len(frames) > 2:
            raise RuntimeError("CUDA out of memory.")
        return original(self, frames, *args, **kwargs)

    monkeypatch.setattr(TorchEngine, "stylize", small)
    report = styled(source, "short.mkv", codec="ffv1", chunk=8)
    assert report.frames == 13
    assert report.warnings == ["memory was short: the model was given 2 frames per call instead of 8."]
    assert np.abs(read("short.mkv")[0].astype(int) - read("plain.mkv")[0]).max() <= 1


def test_cut(styled: Any, make_clip: Any, read: Any) -> None:
    source = make_clip("in.mkv", frames=50)
    report = styled(source, "out.mkv", start=Fraction("0.5"), end=Fraction("1.2"), segment=Fraction(1, 4))
    times = read("out.mkv")[1]
    assert report.frames == len(times) == 17  # frames 13 (0.52 s) to 29 (1.16 s)
    assert np.allclose(np.diff([float(t) for t in times]), 0.04, atol=0.0011)


def test_cut_outside(styled: Any, make_clip: Any) -> None:
    source = make_clip(frames=10)
    with pytest.raises(UsageError, match="lasts only"):
        styled(source, "out.mkv", start=Fraction(60))
    with pytest.raises(InputError, match="no frame between --start and --end"):
        styled(source, "out.mkv", start=Fraction("0.201"), end=Fraction("0.202"))
    assert not list(Path.cwd().glob("out*"))


def test_sizes(styled: Any, make_clip: Any, read: Any) -> None:
    source = make_clip(width=96, height=64)
    report = styled(source, "a.mkv", max_side=48)
    assert (report.width, report.height) == (48, 32)
    assert read("a.mkv")[0].shape[1:3] == (32, 48)
    styled(source, "b.mkv", size=(64, 64))
    info = probe(Path("b.mkv"))
    assert (info.width, info.height, info.sample_aspect_ratio) == (64, 64, Fraction(3, 2))


def test_odd_size_is_said(styled: Any, make_clip: Any, read: Any) -> None:
    source = make_clip("odd.mkv", width=35, height=33, codec="ffv1", pix_fmt="bgr0")
    assert "odd" in styled(source, "out.mkv").warnings[0]
    assert styled(source, "exact.mkv", codec="ffv1").warnings == []
    assert read("exact.mkv")[0].shape[1:3] == (33, 35)


def test_too_small(styled: Any, make_clip: Any) -> None:
    with pytest.raises(InputError, match=r"small.mkv: its picture is 14x48; both sides must be at least 16"):
        styled(make_clip("small.mkv", width=14), "out.mkv")
    assert not list(Path.cwd().glob("out*"))


def test_colour_is_preserved(styled: Any, make_clip: Any, read: Any) -> None:
    source = make_clip("in.mkv", codec="ffv1", pix_fmt="bgr0", frames=3)
    styled(source, "out.mkv", codec="ffv1", preserve_color=True)
    old, new = read(source)[0].astype(float), read("out.mkv")[0].astype(float)
    inside = ((new > 0) & (new < 255)).all(-1)
    assert inside.mean() > 0.2
    assert np.abs((new[..., 0] - new[..., 2]) - (old[..., 0] - old[..., 2]))[inside].max() <= 1


def test_blend_and_compiled_code(styled: Any, make_clip: Any, read: Any, tiny_model: Path, style: str) -> None:
    from vidstyle.engines.torch_engine import build
    from vidstyle.models.checkpoint import save_style
    from vidstyle.styles.resolve import resolve

    source = make_clip(frames=3)
    engine = build(find_model(tiny_model), device="cpu", precision="fp32")
    save_style(engine.encode_style(np.asarray(resolve("mosaic", size=32))), Path("m.safetensors"))
    styled(source, "a.mkv", [f"{style}:1", "mosaic:3"], codec="ffv1")
    styled(source, "b.mkv", [f"{style}:0.25", "m.safetensors:0.75"], codec="ffv1")
    np.testing.assert_array_equal(read("a.mkv")[0], read("b.mkv")[0])
    foreign = replace(engine.encode_style(np.asarray(resolve("mosaic", size=32))), model="0" * 64)
    save_style(foreign, Path("other.safetensors"))
    with pytest.raises(UsageError, match="compiled for another model"):
        styled(source, "c.mkv", "other.safetensors")
    assert not list(Path.cwd().glob("c.mkv*"))


def test_progress_counts_frames(make_clip: Any, tiny_model: Path, style: str) -> None:
    told: list[tuple[int, int | None]] = []
    options = RunOptions(model=tiny_model, style_size=32, chunk=4, engine="torch", device="cpu")
    stylize_video(make_clip(frames=10), "o.mkv", style, options=options, progress=lambda d, t: told.append((d, t)))
    assert told == [(n, 10) for n in range(1, 11)]


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [("a.mp4", None, "yuv420p10le"), ("a.mkv", "ffv1", "gbrp10le"), ("a.mov", "prores", "yuv422p10le")],
)
def test_ten_bits(styled: Any, make_clip: Any, read: Any, name: str, codec: str | None, pix_fmt: str) -> None:
    source = make_clip("in.mkv", codec="ffv1", pix_fmt="bgr0", frames=2)
    styled(source, f"8{name}", codec=codec, crf=0)
    styled(source, name, codec=codec, bit_depth=10, crf=0)
    info = probe(Path(name))
    assert (info.pix_fmt, info.bit_depth) == (pix_fmt, 10)
    assert np.abs(read(name)[0].astype(int) - read(f"8{name}")[0]).mean() < 1.5


def test_ten_bits_where_there_are_none(styled: Any, make_clip: Any) -> None:
    with pytest.raises(UsageError, match="has no 10-bit form"):
        styled(make_clip(), "out.webm", bit_depth=10)


def test_damage_that_is_allowed(styled: Any, make_clip: Any) -> None:
    source = make_clip("in.mkv", frames=40, codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(source.read_bytes())
    pictures = [m.start() for m in re.finditer(b"\xff\xd8\xff", data)]
    for at in pictures[3::4]:
        data[at : at + 200] = bytes(200)
    source.write_bytes(data)
    with pytest.raises(InputError, match="allow more with --max-errors"):
        styled(source, "out.mkv")
    assert not list(Path.cwd().glob("out*"))
    report = styled(source, "out.mkv", max_errors=1.0)
    assert report.frames == len(pictures) == 40
    assert any("packets were damaged" in w for w in report.warnings), report.warnings


def test_killed_between_the_film_and_its_journal(styled: Any, make_clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip(frames=30)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "remove", lambda self: None)
        styled(source, "out.mkv", segment=Fraction(1, 2))
    film = Path("out.mkv").read_bytes()
    journal = journal_folder(Path("out.mkv"))
    assert journal.is_dir()
    (journal / "000000.seg").unlink()  # it was being removed
    with pytest.raises(UsageError, match="exists already"):
        styled(source, "out.mkv")
    report = styled(source, "out.mkv", segment=Fraction(1, 2), resume=True)
    assert report.frames == 30
    assert "was finished before" in report.warnings[0]
    assert not journal.exists()
    assert Path("out.mkv").read_bytes() == film
    with pytest.raises(UsageError, match="exists already"):  # no journal: nobody knows whose film it is
        styled(source, "out.mkv", resume=True)


def test_an_older_output_is_not_taken_for_the_finished_one(
    styled: Any, make_clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(frames=30)
    Path("out.mkv").write_bytes(b"older")
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "mux", lambda *a, **k: (_ for _ in ()).throw(InputError("no room.")))
        with pytest.raises(InputError):
            styled(source, "out.mkv", overwrite=True)
    with pytest.raises(UsageError, match="exists already"):
        styled(source, "out.mkv", resume=True)
    assert Path("out.mkv").read_bytes() == b"older"
    assert styled(source, "out.mkv", resume=True, overwrite=True).frames == 30
