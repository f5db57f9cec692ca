"""What all tests share: one thread, a tiny network, small clips, and the way to the optional data folder."""

from __future__ import annotations

import os

# Before torch, OpenCV or av are imported anywhere: tests run small work, and more threads than cores only fight.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av

# A busy machine must not fail a property test (no deadline), and CI must see the same examples every time.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real clips and pictures (VIDSTYLE_DATA, default ../shared/data). Skips where there is none."""
    path = Path(os.environ.get("VIDSTYLE_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no folder of real clips at {path}; set VIDSTYLE_DATA")
    return path


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither use nor fill the cache and the fitted styles of who runs them, and fit nothing unless they ask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDSTYLE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("VIDSTYLE_STYLES", str(tmp_path_factory.mktemp("styles")))
        patch.setenv("VIDSTYLE_FIT", "0")
        yield


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint file of a CompactNet with very few channels and fixed random weights: milliseconds a frame."""
    import torch

    from vidstyle.models.checkpoint import save_model
    from vidstyle.models.compact import CompactConfig, CompactNet

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = CompactNet(CompactConfig(widths=(8, 8, 16), key_widths=(8, 8), output_width=8))
        # A fresh network paints one flat colour; this one answers to every pixel of frame and style.
        with torch.no_grad():
            for weights in net.parameters():
                weights.add_(0.1 * torch.randn_like(weights))
            noise = torch.rand(1, 3, 48, 64)
            out = net(noise, net.encode_style(noise))
            mean, std = out.mean((0, 2, 3)), out.std((0, 2, 3))
            net.full.weight.mul_(0.2 / std[:, None, None, None])
            net.full.bias.sub_(mean).mul_(0.2 / std).add_(0.5)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_model(net, path, metadata={"steps": 0})
    return path


Draw = Callable[[int, int, int], NDArray[np.uint8]]
"""(index, width, height) -> (height, width, 3) uint8 RGB: what a clip shows."""


def pattern(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Frame `index` of the test film: a fixed colour ramp with a bright square that moves 2 px a frame, down and right.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    y, x = np.mgrid[0:height, 0:width]
    frame = np.stack([40 + 120 * x // width, 40 + 120 * y // height, 40 + 120 * (x + y) // (width + height)], -1)
    side = max(4, min(width, height) // 4)
    top, left = 2 * index % (height - side + 1), 2 * index % (width - side + 1)
    frame[top : top + side, left : left + side] = (230, 200, 60)
    return frame.astype(np.uint8)


class ClipMaker:
    """Writes small clips with PyAV into a folder of the test's own."""

    pattern = staticmethod(pattern)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count()

    def __call__(
        self,
        name: str | None = None,
        *,
        width: int = 64,
        height: int = 48,
        frames: int = 10,
        rate: Fraction | int = 25,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        sound: str | None = None,
        pts: Sequence[int] | None = None,
        time_base: Fraction | None = None,
        options: dict[str, str] | None = None,
        metadata: dict[str, str] | None = None,
        draw: Draw = pattern,
    ) -> Path:
        """Write a clip.

        Args:
            name: file name; its suffix chooses the container (default clipN.mp4).
            frames: number of frames (taken from `pts` where that is given).
            rate: frames per second; the clip's declared rate.
            codec: video encoder, for example libx264, mpeg4, libvpx-vp9, or ffv1 with pix_fmt bgr0 for exact pixels.
            sound: audio encoder (aac, libmp3lame, libopus, pcm_s16le ...) for a 440 Hz stereo tone as long as the film.
            pts: presentation times in ticks of `time_base`, for variable frame rates or a start that is not zero.
            time_base: seconds per tick of `pts` (default 1 / rate).
            options: of the video encoder.
            metadata: tags of the container.
            draw: what the frames show.
        """
        import av

        path = self.folder / (name or f"clip{next(self._numbers)}.mp4")
        rate = Fraction(rate)
        base = time_base or 1 / rate
        times = list(range(frames)) if pts is None else list(pts)
        with av.open(str(path), "w") as container:
            container.metadata.update(metadata or {})
            video = container.add_stream(codec, rate=rate, options=options or {})
            assert isinstance(video, av.VideoStream)
            video.width, video.height, video.pix_fmt = width, height, pix_fmt
            video.codec_context.time_base = base
            video.codec_context.thread_count = 1
            audio = container.add_stream(sound, rate=48000, layout="stereo") if sound else None
            assert audio is None or isinstance(audio, av.AudioStream)
            for index, time in enumerate(times):
                frame = av.VideoFrame.from_ndarray(draw(index, width, height), format="rgb24")
                frame.pts, frame.time_base = time, base
                container.mux(video.encode(frame))
            container.mux(video.encode())
            if audio is not None:
                seconds = float((times[-1] - times[0]) * base + 1 / rate)
                for tone in _tone(audio.codec_context, seconds):
                    container.mux(audio.encode(tone))
                container.mux(audio.encode())
        return path


def _tone(context: av.AudioCodecContext, seconds: float) -> Iterator[av.AudioFrame]:
    """A 440 Hz tone in the encoder's own sample format, in pieces of its own frame size."""
    import av

    size = context.frame_size or 1024
    total = round(seconds * 48000)
    resampler = av.AudioResampler(format=context.format, layout="stereo", rate=48000, frame_size=size)
    for start in range(0, total, size):
        t = np.arange(start, min(start + size, total)) / 48000
        wave = np.repeat(np.sin(2 * np.pi * 440 * t).astype(np.float32)[None] * 0.2, 2, axis=0)
        piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave), format="fltp", layout="stereo")
        piece.sample_rate, piece.pts, piece.time_base = 48000, start, Fraction(1, 48000)
        yield from resampler.resample(piece)
    yield from resampler.resample(None)


@pytest.fixture
def make_clip(tmp_path: Path) -> ClipMaker:
    """`make_clip(name, width=..., frames=..., codec=..., sound="aac") -> Path`; see `ClipMaker.__call__`."""
    return ClipMaker(tmp_path)
