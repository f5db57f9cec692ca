"""GPU decoders and encoders: used where they start, told of in one sentence where they do not."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core.errors import UsageError
from vidstyle.media.input import hwaccel as hardware
from vidstyle.media.input.hwaccel import accelerator, fits, listed, settled, works
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.output.codecs import CODECS, HARDWARE, check_codec, find_codec, opens
from vidstyle.media.output.writer import EncodeSettings


def is_listed(name: str) -> bool:
    try:
        find_codec(name)
    except UsageError:
        return False
    return True


@pytest.mark.parametrize("name", HARDWARE)
def test_an_encoder_that_does_not_start_is_one_sentence(name: str, tmp_path: Path) -> None:
    if not is_listed(name):
        pytest.skip(f"this FFmpeg has no {name}")
    if opens(name):
        check_codec(name, tmp_path / "a.mkv")
        return
    software = name.partition("_")[0]
    with pytest.raises(UsageError, match=f"--codec {name}: .*does not start here.*; use --codec {software}"):
        check_codec(name, tmp_path / "a.mkv")


@pytest.mark.parametrize("name", HARDWARE)
def test_nvenc_is_told_a_quality(name: str) -> None:
    if not is_listed(name):
        pytest.skip(f"this FFmpeg has no {name}")
    assert EncodeSettings(codec=name).encoder_options() == {
        "rc": "vbr",
        "b": "0",
        "preset": "p5",
        "cq": str(HARDWARE[name].crf),
    }
    assert EncodeSettings(codec=name, crf=30).encoder_options()["cq"] == "30"
    assert "crf" not in EncodeSettings(codec=name).encoder_options()


def test_options_of_the_others_stay() -> None:
    assert EncodeSettings().encoder_options()["crf"] == "18"
    assert EncodeSettings(codec="prores", alpha=True).encoder_options()["profile"] == "4444"
    assert all(choice.quality == "crf" for choice in CODECS.values())
    assert opens("libx264")


def test_what_a_gpu_decodes(make_clip: Any) -> None:
    info = probe(make_clip())
    assert fits(info)
    for change in ({"pix_fmt": "yuv420p10le"}, {"interlaced": True}, {"has_alpha": True}, {"pictures": (info.path,)}):
        assert not fits(replace(info, **change))
    assert not listed("cuda", "ffv1")
    assert not listed("cuda", "no such codec")
    assert accelerator("software") is None


def test_software_unless_asked_for(make_clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    info = probe(make_clip())
    monkeypatch.setattr(hardware, "works", lambda *_: pytest.fail("tried without being asked"))
    assert settled("software", info) == "software"
    monkeypatch.setattr(hardware, "works", lambda *_: True)
    monkeypatch.setattr(hardware, "listed", lambda *_: True)
    assert settled("cuda", info) == "cuda"
    assert settled("cuda", replace(info, interlaced=True)) == "software"


def test_a_gpu_that_is_not_there_is_found_out_before_the_work(make_clip: Any) -> None:
    info = probe(make_clip(frames=5))
    if works("cuda", info):  # a machine with one: the picture must be the software decoder's
        ours, exact = (np.stack([f.data for f in read_frames(info, decoder=d)]) for d in ("cuda", "software"))
        assert np.abs(ours.astype(int) - exact).max() <= 2
    else:
        assert settled("cuda", info) == "software"


def test_a_run_is_told(make_clip: Any, tmp_path: Path) -> None:
    from vidstyle.pipeline.plan.plan import plan_video
    from vidstyle.pipeline.plan.run_options import RunOptions

    source = make_clip()
    film = plan_video(source, tmp_path / "out.mp4", RunOptions(decoder="cuda", segment=Fraction(1)), threads=1)
    told = [w for w in film.warnings if "cannot be decoded on the GPU here; it is decoded in software" in w]
    assert len(told) == (film.decoder == "software")
    assert film.fingerprint()["decoder"] == film.decoder
    with pytest.raises(UsageError, match="decoder cuda: goes with device cuda"):
        RunOptions(decoder="cuda", device="cpu")
    with pytest.raises(UsageError, match="use software or cuda"):
        RunOptions(decoder="qsv")
