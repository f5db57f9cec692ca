"""Films to measure on: real clips where there are some, else the sample scene; films of moving texture in any size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.record import ROOT
from vidstyle.demo.sample import write_sample
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.styles import gallery

Frames = NDArray[np.uint8]

CLIPS = (
    "paragliding_854x480.mp4",  # camera follows, sky, small objects
    "bbb_cut_640x360_aac.mp4",  # drawn animation
    "pancake_audio_426x240.mkv",  # indoors, hand-held
    "cockatoo_yuv420_720p.mp4",  # animal before a still background
    "bikes_640x272.mp4",  # city traffic
    "sintel_1024x436_10fps.mp4",  # rendered, large motion
    "cat_portrait_368x480.mp4",  # phone, upright, fur
    "chaplin_bw_mp3_640x360.mp4",  # old black-and-white film, grain
)
"""In the order in which a part of them is taken."""


def data_folder() -> Path | None:
    """VIDSTYLE_DATA, or ../shared/data beside the repository; None where there is none."""
    path = Path(os.environ.get("VIDSTYLE_DATA", ROOT.parent / "shared" / "data"))
    return path if path.is_dir() else None


def clips(count: int, work: Path) -> list[Path]:
    """At most `count` clips; the sample scene, written into `work`, where there are no others."""
    data = data_folder()
    found = [p for name in CLIPS if data and (p := data / "clips" / name).is_file()][:count]
    if not found:
        found = [work / "sample.mp4"]
        if not found[0].exists():
            write_sample(found[0])
    return found


def styles(count: int) -> list[str]:
    """Names of at most `count` built-in styles."""
    return gallery.names()[:count]


def shortened(clip: Path, work: Path, *, width: int, frames: int) -> Path:
    """The first `frames` frames of `clip`, `width` px wide (height even, shape kept), coded losslessly, in `work`.

    All tools then begin from the same pixels, whatever decoder and scaler they have.
    """
    info = probe(clip)
    height = round(info.height * width / info.width / 2) * 2
    path = work / f"{clip.stem}-{width}x{height}-{frames}.mkv"
    if not path.exists():
        pictures = (cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA) for f in first_frames(clip, frames))
        write(path, (np.asarray(p, np.uint8) for p in pictures), info.average_rate or Fraction(25), codec="ffv1")
    return path


def first_frames(clip: Path, count: int) -> Iterator[Frames]:
    """The first `count` frames, (H, W, 3) uint8 each."""
    yield from (frame.data for frame in islice(read_frames(probe(clip)), count))


def grey(source: Path, work: Path) -> Path:
    """A film of mid-grey with the times of `source`: the winner of every warp metric."""
    path = work / f"{source.stem}.grey.mkv"
    if not path.exists():
        info = probe(source)
        flat = np.full((info.height, info.width, 3), 128, np.uint8)
        count = sum(1 for _ in read_frames(info))
        write(path, (flat for _ in range(count)), info.average_rate or Fraction(25), codec="ffv1")
    return path


def write(
    path: Path, frames: Iterable[Frames], rate: Fraction, *, codec: str = "libx264", crf: int | None = None
) -> None:
    """Frames at a constant rate: "ffv1" keeps them exactly (mkv), "libx264" is what films usually are (mp4), at its own quality
    or at a `crf`."""
    exact = codec == "ffv1"
    quality = {} if crf is None else {"crf": str(crf)}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={} if exact else {"preset": "veryfast", **quality})
        assert isinstance(stream, av.VideoStream)
        for i, frame in enumerate(frames):
            if i == 0:
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "bgr0" if exact else "yuv420p"
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24").reformat(format=stream.pix_fmt)
            picture.pts, picture.time_base = i, 1 / Fraction(rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def texture(width: int, height: int, count: int) -> Iterator[Frames]:
    """`count` frames of smooth random texture that pans by 3 px right and 1 px down a frame; always the same."""
    noise = np.random.default_rng(0).random((height // 8 + 2, width // 8 + 2, 3), np.float32)
    large = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    tile = np.asarray(np.clip(large * 255, 0, 255), np.uint8)
    for i in range(count):
        yield np.roll(tile, (i, 3 * i), (0, 1))
