from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from tests.conftest import ClipMaker
from vidstyle.core.errors import InputError
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames


def test_a_plain_clip(make_clip: ClipMaker) -> None:
    info = probe(make_clip("a.mp4", width=64, height=48, frames=10, rate=Fraction(30000, 1001), sound="aac"))
    assert (info.width, info.height, info.frames, info.codec) == (64, 48, 10, "h264")
    assert info.average_rate == Fraction(30000, 1001)
    assert info.duration == pytest.approx(10 * 1001 / 30000)
    assert (info.start_pts, info.rotation, info.mirrored, info.sample_aspect_ratio) == (0, 0, False, 1)
    assert (info.pix_fmt, info.bit_depth, info.has_alpha, info.interlaced) == ("yuv420p", 8, False, False)
    assert [(s.index, s.type, s.codec) for s in info.streams] == [(0, "video", "h264"), (1, "audio", "aac")]
    assert info.warnings == ()


def test_bit_depth_and_alpha(make_clip: ClipMaker) -> None:
    assert probe(make_clip("deep.mkv", pix_fmt="yuv420p10le")).bit_depth == 10
    assert probe(make_clip("a.mov", codec="prores_ks", pix_fmt="yuva444p10le", options={"profile": "4444"})).has_alpha
    assert probe(make_clip("v.webm", codec="libvpx-vp9", pix_fmt="yuva420p", frames=2)).has_alpha
    assert not probe(make_clip("opaque.gif", codec="gif", pix_fmt="rgb8")).has_alpha


def test_sample_aspect_ratio_turns_with_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "anamorphic.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 72, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 15)
        stream.set_display_rotation(90)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 72, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    info = probe(path)
    assert (info.width, info.height, info.rotation) == (48, 72, 270)
    assert info.sample_aspect_ratio == Fraction(15, 16)


def test_the_default_of_two_videos_is_used_and_said(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for stream, side in zip(streams, (32, 64), strict=True):
            stream.width = stream.height = side
            stream.pix_fmt = "yuv420p"
        streams[0].disposition, streams[1].disposition = Disposition(0), Disposition.default
        for stream in streams:
            frame = av.VideoFrame.from_ndarray(np.zeros((stream.height, stream.width, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
    info = probe(path)
    assert (info.width, info.stream_index) == (64, 1)
    assert len(info.warnings) == 1
    assert "2 video streams; #1 is used, #0 left out" in info.warnings[0]


def only_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def cut(source: Path, share: float) -> bytes:
    data = source.read_bytes()
    return data[: int(len(data) * share)]


FAULTS = {
    "empty": "is empty",
    "text": "not a video that can be opened",
    "noise": "not a video that can be opened",
    "sound": "holds no video but has sound",
    "header": "not a video that can be opened",
    "missing": "no such file",
    "folder": "is a folder",
    "playlist": "not a video that can be opened",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_is_no_video_gets_one_sentence(kind: str, make_clip: ClipMaker, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "sound":
        only_sound(path)
    elif kind == "playlist":  # must not be followed to the network
        path.write_text("#EXTM3U\n#EXTINF:10,\nhttp://192.0.2.1/a.ts\n")
    elif kind != "missing":
        contents = {
            "empty": b"",
            "text": b"not a film at all\n" * 200,
            "noise": np.random.default_rng(1).bytes(20000),
            "header": cut(make_clip("whole.mp4", frames=40), 0.5),  # moov comes last: without it nothing is known
        }
        path.write_bytes(contents[kind])
    with pytest.raises(InputError) as caught:
        probe(path)
    message = str(caught.value)
    assert FAULTS[kind] in message
    assert str(path) in message
    assert message.count("\n") == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(make_clip: ClipMaker) -> None:
    path = make_clip("secret.mp4")
    path.chmod(0)
    with pytest.raises(InputError, match="permission denied"):
        probe(path)


def test_a_file_without_its_media_data(make_clip: ClipMaker, tmp_path: Path) -> None:
    """moov first, then nothing: frames are declared but none decodes."""
    whole = tmp_path / "fast.mp4"
    source = make_clip("slow.mp4", frames=40)
    with av.open(str(source)) as inp, av.open(str(whole), "w", container_options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(inp.streams.video[0])
        for packet in inp.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    data = whole.read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[: data.index(b"mdat") + 12])
    with pytest.raises(InputError, match="no frame of its video can be decoded"):
        probe(broken)


@pytest.mark.parametrize(
    "name", ["-dash.mp4", "with space.mp4", "ünïcödé 影.mp4", "a%03d.mp4", "http:x.mp4", "a,b|c.mkv"]
)
def test_odd_names(name: str, make_clip: ClipMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_clip("plain" + Path(name).suffix, frames=3).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    info = probe(Path(name))  # relative: nothing but its own characters tells that it is no option and no protocol
    assert len(list(read_frames(info))) == 3


def test_one_pixel(make_clip: ClipMaker) -> None:
    path = make_clip("dot.mkv", width=1, height=1, codec="ffv1", pix_fmt="bgr0", frames=2)
    info = probe(path)
    assert (info.width, info.height) == (1, 1)
    assert [f.data.shape for f in read_frames(info)] == [(1, 1, 3)] * 2
