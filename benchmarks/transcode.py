"""The physical limit of a whole command: decode the source and encode the finished frames, and do nothing between.

Encoder, preset, CRF and threads are those of the command. Source and finished frames stay in the decoder's own format: no
colours are converted, nothing is resized. The finished frames, which are what an encoder's time depends on, lie decoded in
memory before the clock starts.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.films import Frames, data_folder, first_frames
from benchmarks.harness import Timing, measure
from vidstyle.demo.scene import RATE, Scene
from vidstyle.media.output.writer import EncodeSettings

HIGH = {"720p": 720, "1080p": 1080, "4K": 2160}
"""Heights of the clips to measure speed and memory on."""
CLIPS_720P = ("cockatoo_yuv420_720p.mp4", "bbb_720p_aac6.mp4")


def transcode_row(source: Path, finished: Path, *, repeats: int, clock: str) -> dict[str, Any]:
    """A row: the source decoded on one thread, its finished frames encoded on another, as the command does.

    Args:
        source: the film that was styled.
        finished: what the command made of it (H.264 with the default settings).
        clock: "wall" or "cpu".
    """
    with av.open(str(finished)) as container:
        frames = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
        size = container.streams.video[0].width, container.streams.video[0].height
    sizes: list[int] = []

    def once() -> None:
        decoding = threading.Thread(target=_decode, args=(source,))
        decoding.start()
        sizes.append(_encode(frames, size))
        decoding.join()

    time: Timing = measure(once, warmup=1, repeats=repeats, clock=clock)
    return {
        "what": "transcode",
        "engine": "none",
        "precision": "none",
        "width": size[0],
        "height": size[1],
        "frames": len(frames),
        "seconds": time,
        "fps": round(len(frames) / time.median, 2),
        "source_bytes": source.stat().st_size,
        "output_bytes": sizes[-1],
    }


def _decode(source: Path) -> None:
    with av.open(str(source)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass


def _encode(frames: list[Any], size: tuple[int, int]) -> int:
    """Encode yuv420p frames as `vidstyle run` does; returns the bytes written."""
    settings, out = EncodeSettings(), io.BytesIO()
    with av.open(out, "w", format="nut") as container:
        stream = container.add_stream("libx264", rate=25, options=settings.encoder_options())
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = settings.resolved_pix_fmt()
        stream.codec_context.thread_count = settings.threads
        for i, planes in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getbuffer().nbytes


def high_clips(size: str, count: int) -> Iterator[tuple[str, Iterator[Frames]]]:
    """(name, frames) of the clips of a size: two 720p clips, enlarged for it, and the demo scene rendered at it, which
    takes minutes to begin.

    Args:
        size: a key of HIGH.
        count: frames of each, at most.
    """
    height = HIGH[size]
    width = height * 16 // 9
    data = data_folder()
    for name in CLIPS_720P:
        if data and (path := data / "clips" / name).is_file():
            yield path.stem, (_enlarged(f, width, height) for f in first_frames(path, count))
    scene = Scene(width, height)
    yield "demo", (scene.render(n / RATE) for n in range(count))


def _enlarged(frame: Frames, width: int, height: int) -> Frames:
    if frame.shape[:2] == (height, width):
        return frame
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
