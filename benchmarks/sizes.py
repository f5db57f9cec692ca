"""At what size should frames be painted? Brush, steadiness and detail by painting size, at 720p and 1080p.

    python -m benchmarks.sizes [--quick] [--out DIR] [--model NAME|FILE]

Frames of the demo scene and of 720p clips (enlarged for 1080p) are painted at several sizes and carried to full size in RGB, as
`vidstyle run` does. For each painting size: E_1 of the result (detail 0 is the painting alone, enlarged), MS-SSIM, shift
error for 1 pixel at full size, and the style distance of the result shrunk to 480 lines: all is seen at one scale.
The ways to carry detail are tried at 480: plain addition of the band, guided linear enlargement, other radii and eps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.films import data_folder, first_frames
from benchmarks.record import environment, options, save
from vidstyle.demo.scene import RATE, Scene
from vidstyle.engines.base import Engine
from vidstyle.engines.choose import make_engine
from vidstyle.imaging import detail
from vidstyle.imaging.flow import DisFlow
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.sizes import PaintSize, painting_size
from vidstyle.imaging.tensors import unit_range
from vidstyle.imaging.transforms import with_small_copy
from vidstyle.losses.network import loss_network
from vidstyle.metrics.fidelity import StyleDistance, content_ms_ssim
from vidstyle.metrics.shift import shift_error
from vidstyle.metrics.warp_error import FlowMotion, motion, warp_error
from vidstyle.styles.resolve import resolve

Picture = NDArray[np.uint8]
Carry = Callable[[Picture, Picture, Picture], Picture]
"""(painting, shrunk, source) -> the painting at full size."""

CLIPS = ("cockatoo_yuv420_720p.mp4", "bbb_720p_aac6.mp4")
PAINTINGS = ("baw_vincent-van-gogh-791.jpg", "baw_gustav-klimt-98.jpg")
FIRST = 30
HEIGHTS = (720, 1080)
SIZES: tuple[PaintSize, ...] = ("source", 540, 480, 400, 360)
SHIFTS = (1,)
SEEN = 480
"""Lines at which the style distance is taken."""


@dataclass(frozen=True)
class Method:
    """A way to paint a frame."""

    size: PaintSize
    carrier: str = "detail"
    amount: float = 1.0


def rounded(levels: NDArray[Any]) -> Picture:
    """Levels of 255 as uint8."""
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)


def carriers() -> dict[str, Carry]:
    """The ways to full size that are compared, besides `detail.add_detail`."""

    def plain(painting: Picture, shrunk: Picture, source: Picture) -> Picture:
        size = (source.shape[1], source.shape[0])
        band = detail.luma(source) - detail.upsample(detail.luma(shrunk), size)
        out = detail.upsample(painting.astype(np.float32), size) + 255 * band[..., None]
        return rounded(out)

    def linear(painting: Picture, shrunk: Picture, source: Picture) -> Picture:
        """The guided filter as it is: up(mean(a)) Y + up(mean(b)), without up(S)."""
        size = (source.shape[1], source.shape[0])
        low, high = detail.luma(shrunk), detail.luma(source)
        planes = []
        for i in range(3):
            channel = painting[..., i].astype(np.float32) / np.float32(255)
            (slope,) = detail.coefficients(low, [channel])
            offset = detail.box_mean(channel, detail.RADIUS) - slope * detail.box_mean(low, detail.RADIUS)
            planes.append(
                cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR) * high
                + cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR)
            )
        return rounded(255 * np.dstack(planes))

    def other(radius: int, eps: float) -> Carry:
        def carry(painting: Picture, shrunk: Picture, source: Picture) -> Picture:
            size = (source.shape[1], source.shape[0])
            out = detail.upsample(painting.astype(np.float32), size)
            low = detail.luma(shrunk)
            band = 255 * (detail.luma(source) - detail.upsample(low, size))
            channels = [painting[..., i].astype(np.float32) / np.float32(255) for i in range(3)]
            for i, slope in enumerate(detail.coefficients(low, channels, radius=radius, eps=eps)):
                out[..., i] += cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR) * band
            return rounded(out)

        return carry

    return {
        "plain": plain,
        "linear": linear,
        "eps 4e-4": other(detail.RADIUS, 4e-4),
        "eps 4e-3": other(detail.RADIUS, 4e-3),
        "radius 1": other(1, detail.EPS),
        "radius 4": other(4, detail.EPS),
    }


def methods(height: int, *, carry: bool, quick: bool) -> list[Method]:
    """What is measured at a height: sizes and amounts of detail; with `carry` the other carriers at 480 too."""
    sizes = SIZES[::2] if quick else SIZES if height == HEIGHTS[0] else ("source", *SIZES[2:])
    found = [*(Method(size) for size in sizes), *(Method(480, amount=amount) for amount in (0.0, 0.5))]
    return [*found, *(Method(480, name) for name in carriers())] if carry else found


def clips(height: int, count: int, *, quick: bool) -> Iterator[tuple[str, list[Picture]]]:
    """(name, frames) at a height."""
    width = height * 16 // 9
    scene = Scene(width, height)
    yield "demo", [scene.render((FIRST + i) / RATE) for i in range(count)]
    data = data_folder()
    for name in CLIPS[: 0 if quick else 1 if height == HEIGHTS[1] else None]:
        if data and (path := data / "clips" / name).is_file():
            frames = islice(first_frames(path, FIRST + count), FIRST, None)
            yield path.stem, [np.asarray(cv2.resize(f, (width, height), interpolation=cv2.INTER_CUBIC)) for f in frames]


def paintings(*, quick: bool) -> list[tuple[str, Picture]]:
    """(name, picture) of the styles: paintings that no training has seen, or built-in ones where there are no others."""
    data = data_folder()
    paths = [data / "style" / name for name in PAINTINGS] if data else []
    refs = [str(p) for p in paths if p.is_file()] or ["starry-strokes", "mosaic"]
    found = []
    for ref in refs[: 1 if quick else None]:
        picture = resolve(ref)
        assert not isinstance(picture, Path)
        found.append((Path(ref).stem, picture))
    return found


def painter(method: Method, stylize: Callable[[Picture], Picture]) -> Callable[[Picture], Picture]:
    """(H, W, 3) -> (H, W, 3), by a method."""
    carry = carriers().get(method.carrier)

    def paint(frame: Picture) -> Picture:
        full = (frame.shape[1], frame.shape[0])
        size = painting_size(full, method.size)
        if size == full:
            return stylize(frame)
        small = with_small_copy(Frame(frame, 0, 0, Fraction(1)), size).data
        painting = stylize(small)
        return carry(painting, small, frame) if carry else detail.add_detail(painting, small, frame, method.amount)

    return paint


class Remembered:
    """A style's network that paints no picture twice: methods differ in what they do with the paintings."""

    def __init__(self, engine: Engine, style: Picture) -> None:
        self._engine, self._code = engine, engine.encode_style(style)
        self._done: dict[bytes, Picture] = {}

    def __call__(self, frame: Picture) -> Picture:
        key = hashlib.sha256(frame.tobytes()).digest()
        if key not in self._done:
            self._done[key] = self._engine.stylize(frame[None], self._code)[0]
        return self._done[key]


def measured(
    paint: Callable[[Picture], Picture], frames: Sequence[Picture], motions: Sequence[FlowMotion], seen: StyleDistance
) -> dict[str, Any]:
    """The numbers of a method on consecutive frames."""
    done = [paint(frame) for frame in frames]
    errors = [
        error
        for (a, b), moved in zip(pairwise(done), motions, strict=True)
        if (error := warp_error(unit_range(a), unit_range(b), moved)) is not None
    ]
    width = round(done[0].shape[1] * SEEN / done[0].shape[0])
    small = np.asarray(cv2.resize(done[0], (width, SEEN), interpolation=cv2.INTER_AREA), np.uint8)
    return {
        "E_1": float(np.mean(errors)),
        "ms_ssim": content_ms_ssim(frames[0], done[0]),
        "style_distance": seen(small),
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--model", default="compact")
    arguments = parser.parse_args()
    machine = environment()
    engine = make_engine(arguments.model, engine="torch", device="cpu", precision="fp32")
    flow, network, rows = DisFlow(), loss_network(), []
    for number, (name, style) in enumerate(paintings(quick=arguments.quick)):
        stylize = Remembered(engine, style)
        seen = StyleDistance(network, style, SEEN)
        for height in HEIGHTS[: 1 if arguments.quick or number else None]:
            for clip, frames in clips(height, 2, quick=arguments.quick):
                motions = [motion(flow, a, b) for a, b in pairwise(frames)]
                own = [
                    warp_error(unit_range(a), unit_range(b), m)
                    for (a, b), m in zip(pairwise(frames), motions, strict=True)
                ]
                closer = clip == Path(CLIPS[0]).stem and height == HEIGHTS[0]
                for method in methods(height, carry=closer and not number, quick=arguments.quick):
                    paint = painter(method, stylize)
                    numbers = measured(paint, frames, motions, seen)
                    if closer and method.carrier == "detail":
                        shifts = shift_error(lambda batch, paint=paint: paint(batch[0])[None], frames[0], SHIFTS)  # type: ignore[misc]
                        numbers["shift_error"] = {str(k): v for k, v in shifts.items()}
                    row = {
                        "clip": clip,
                        "style": name,
                        "height": height,
                        "paint_size": method.size,
                        "carrier": method.carrier,
                    }
                    row |= {
                        "detail": method.amount,
                        **numbers,
                        "source_E_1": float(np.mean([e for e in own if e is not None])),
                    }
                    rows.append(row)
                    print(*(f"{k}={v:.5f}" if isinstance(v, float) else v for k, v in row.items()), flush=True)
    about = {"quick": arguments.quick, "engine": engine.name, "precision": engine.precision}
    print(save(arguments.out, "sizes", rows, machine, **about, model_digest=engine.model.digest))


if __name__ == "__main__":
    main()
