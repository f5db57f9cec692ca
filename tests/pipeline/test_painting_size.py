"""Films and pictures painted smaller than they are: the road that each takes, what options do there, the same bytes again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.helpers.detail_oracle import scene, shrunk_by_area
from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.image_io import read_image
from vidstyle.media.input.probe import probe
from vidstyle.metrics.fidelity import content_ssim
from vidstyle.pipeline.images import stylize_image, stylize_images
from vidstyle.pipeline.plan.run_options import RunOptions, parse_paint_size
from vidstyle.pipeline.run import stylize_video

pytestmark = pytest.mark.usefixtures("here")

Picture = NDArray[np.uint8]


def drawn(index: int, width: int, height: int) -> Picture:
    """Smooth colours that move, with a fine texture that is gone when the frame is shrunk."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin((x + 3 * index) / 19 + i) + np.cos(y / 17 + 2 * i) for i in range(3)]
    fine = 14 * np.sign(np.sin(x * 1.7) * np.sin(y * 1.9))
    return np.asarray(np.clip(120 + 40 * np.dstack(waves) + fine[..., None], 0, 255), np.uint8)


@pytest.fixture
def film(make_clip: Any) -> Callable[..., Path]:
    """`film(name, **more)`: a clip of `drawn`, 160x96, six frames, nearly lossless."""

    def make(name: str = "in.mp4", **more: Any) -> Path:
        settings = {"width": 160, "height": 96, "frames": 6, "draw": drawn, "options": {"crf": "2"}, **more}
        return Path(make_clip(name, **settings))

    return make


def planes(path: str | Path) -> list[list[NDArray[np.int64]]]:
    """Y, Cb, Cr of each frame as they lie in the file."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            kind = np.uint16 if "10" in frame.format.name else np.uint8
            found.append(
                [
                    np.frombuffer(p, kind).reshape(p.height, -1)[:, : p.width].astype(np.int64)  # type: ignore[call-overload]
                    for p in frame.planes[:3]
                ]
            )
        return found


def white(size: tuple[int, int] = (20, 12)) -> Path:
    Image.new("L", size, 255).save("white.png")
    return Path("white.png")


def test_what_the_report_says(styled: Any, film: Any, read: Any) -> None:
    report = styled(film(), "out.mp4", paint_size=64)
    assert (report.width, report.height) == (160, 96)
    assert (report.paint_size, report.detail, report.road) == (64, 1.0, "planes")
    assert report.warnings == []
    assert report.stages["detail"] > 0
    frames, times = read("out.mp4")
    assert frames.shape == (6, 96, 160, 3)
    assert times == read("in.mp4")[1]


def test_small_films_stay_as_they_are(styled: Any, film: Any) -> None:
    source = film()
    assert styled(source, "auto.mp4").road == "source"
    assert styled(source, "source.mp4", paint_size="source").paint_size == 96
    assert Path("auto.mp4").read_bytes() == Path("source.mp4").read_bytes()


@pytest.mark.parametrize(("wish", "why"), [(96, None), (100, "not larger"), (2000, "not larger")])
def test_no_larger_than_the_film(styled: Any, film: Any, wish: int, why: str | None) -> None:
    report = styled(film(), "out.mp4", paint_size=wish)
    assert report.road == "source"
    assert len(report.warnings) == (why is not None)
    assert all(w.startswith(f"--paint-size {wish}: the frame's short side is 96, ") for w in report.warnings)


def test_tiny_films_are_painted_as_they_are(styled: Any, film: Any) -> None:
    report = styled(film(width=200, height=60), "out.mp4", paint_size=64)
    assert (report.road, report.paint_size) == ("source", 60)
    assert "smaller than 64" in report.warnings[0]


def test_bad_wishes() -> None:
    for wish in (63, 0, -1, "half"):
        with pytest.raises(UsageError, match="must be at least 64, or auto, or source"):
            RunOptions(paint_size=wish)  # type: ignore[arg-type]
    for detail in (-0.1, 1.1):
        with pytest.raises(UsageError, match="must be between 0 and 1"):
            RunOptions(detail=detail)
    with pytest.raises(UsageError, match="detail nan: must be a finite number"):
        RunOptions(detail=float("nan"))
    for text in ("4k", "-480", "1.5", "", "Auto"):
        with pytest.raises(UsageError, match="write a number of pixels"):
            parse_paint_size(text)
    assert [parse_paint_size(t) for t in ("auto", "source", " 480")] == ["auto", "source", 480]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le", "yuvj420p"])
def test_planes_and_rgb_agree(styled: Any, film: Any, pix_fmt: str) -> None:
    """The mask is white everywhere: it changes nothing but the road."""
    source = film("in.mkv", pix_fmt=pix_fmt, codec="libx264" if pix_fmt != "yuvj420p" else "mjpeg")
    assert styled(source, "planes.mkv", paint_size=64, crf=0).road == "planes"
    assert styled(source, "rgb.mkv", paint_size=64, crf=0, mask=white()).road == "rgb"
    for one, other in zip(planes("planes.mkv"), planes("rgb.mkv"), strict=True):
        for a, b in zip(one, other, strict=True):
            assert np.abs(a - b).mean() < 1
            assert np.percentile(np.abs(a - b), 99) <= 4


def test_the_films_detail_comes_back(styled: Any, film: Any, read: Any, model_that_copies: None) -> None:
    def textured(index: int, width: int, height: int) -> Picture:
        noise = np.random.default_rng(index).integers(0, 256, (height, width, 1), np.uint8)
        return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.uint8)[..., None].repeat(3, axis=2)

    source = film(draw=textured)
    original = read(source)[0].astype(float)
    errors = []
    for detail in (0, 0.5, 1):
        styled(source, "out.mp4", paint_size=64, detail=detail, crf=1, overwrite=True)
        errors.append(np.abs(read("out.mp4")[0] - original).mean())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.5 * errors[0]


@pytest.mark.parametrize("options", [{}, {"paint_size": 64}, {"paint_size": 64, "preserve_color": True}])
def test_chunks_are_invisible(styled: Any, film: Any, options: dict[str, Any]) -> None:
    source = film(frames=11)
    for n in (1, 8):
        styled(source, f"{n}.mp4", chunk=n, segment=Fraction(1, 5), crf=0, **options)
    for one, eight in zip(planes("1.mp4"), planes("8.mp4"), strict=True):
        gaps = [np.abs(a - b) for a, b in zip(one, eight, strict=True)]
        assert max(g.max() for g in gaps) <= 2  # torch adds up a batch in another order than a frame alone


@pytest.mark.parametrize("more", [{}, {"preserve_color": True}, {"stabilize": 0.5, "detail": 0.5}])
def test_resumed_is_uninterrupted(
    styled: Any, film: Any, model_fails_every: Callable[[int], None], more: dict[str, Any]
) -> None:
    source = film(frames=30, sound="aac")
    options = {"segment": Fraction(1, 4), "chunk": 3, "paint_size": 64, **more}
    styled(source, "whole.mp4", **options)
    model_fails_every(7)
    interruptions = 0
    while not Path("out.mp4").exists():
        with suppress(InputError):
            styled(source, "out.mp4", resume=True, **options)
        interruptions += not Path("out.mp4").exists()
    assert interruptions >= 1
    assert Path("out.mp4").read_bytes() == Path("whole.mp4").read_bytes()


def test_resume_wants_the_same_painting(styled: Any, film: Any, model_fails_every: Callable[[int], None]) -> None:
    source = film(frames=30)
    options = {"segment": Fraction(1, 5), "chunk": 2, "paint_size": 64}
    model_fails_every(9)
    with pytest.raises(InputError, match="--resume"):
        styled(source, "out.mp4", **options)
    for other, named in (({"paint_size": 72}, "size"), ({"detail": 0.5}, "detail"), ({"paint_size": "auto"}, "road")):
        with pytest.raises(UsageError, match=f"painting.{named}"):
            styled(source, "out.mp4", resume=True, **{**options, **other})


@pytest.mark.parametrize("size", [(161, 97), (97, 161), (130, 66), (99, 163)])
def test_odd_sizes_and_portrait(styled: Any, film: Any, read: Any, size: tuple[int, int]) -> None:
    source = film("in.mkv", width=size[0], height=size[1], codec="ffv1", pix_fmt="yuv420p")
    report = styled(source, "out.mkv", paint_size=65, crf=0)
    odd = bool(size[0] % 2 or size[1] % 2)
    assert (report.width, report.height, report.road) == (*size, "planes")
    assert len(report.warnings) == odd  # the encoder's
    assert read("out.mkv")[0].shape[1:3] == (size[1] + size[1] % 2, size[0] + size[0] % 2)
    assert styled(source, "rgb.mkv", paint_size=65, codec="ffv1").road == "rgb"
    small, large = read("out.mkv")[0][:, : size[1], : size[0]].astype(int), read("rgb.mkv")[0]
    assert np.abs(small - large).mean() < 3


@pytest.mark.parametrize(
    ("name", "more", "options"),
    [
        ("four.mkv", {"pix_fmt": "yuv444p"}, {}),
        ("rgb.mkv", {"codec": "ffv1", "pix_fmt": "bgr0"}, {}),
        ("alpha.mkv", {"codec": "ffv1", "pix_fmt": "bgra"}, {}),
        ("plain.mp4", {}, {"preserve_color": True}),
        ("plain.mp4", {}, {"codec": "ffv1"}),
        ("plain.mp4", {}, {"codec": "prores", "output": "out.mov"}),
        ("plain.mp4", {}, {"output": "out.gif"}),
        ("plain.mp4", {}, {"output": "out/%03d.png"}),
    ],
)
def test_what_goes_in_rgb(styled: Any, film: Any, name: str, more: dict[str, Any], options: dict[str, Any]) -> None:
    options = dict(options)
    output = options.pop("output", "out.mkv")
    report = styled(film(name, frames=3, **more), output, paint_size=64, **options)
    assert (report.road, report.paint_size, report.frames) == ("rgb", 64, 3)


def test_pictures_as_a_film(styled: Any, read: Any) -> None:
    Path("in").mkdir()
    for i in range(3):
        Image.fromarray(drawn(i, 160, 96)).save(f"in/{i}.png")
    assert styled("in/%d.png", "out.mp4", paint_size=64).road == "rgb"
    assert read("out.mp4")[0].shape == (3, 96, 160, 3)


def test_transparency_is_the_films_own(styled: Any) -> None:
    opacity = np.random.default_rng(0).integers(0, 256, (96, 160, 1), np.uint8)
    with av.open("in.mkv", "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 160, 96, "bgra"
        frame = av.VideoFrame.from_ndarray(np.concatenate([drawn(0, 160, 96), opacity], axis=-1), "rgba")
        container.mux(video.encode(frame.reformat(format="bgra")))
        container.mux(video.encode(None))
    assert styled("in.mkv", "out.mkv", paint_size=64, codec="ffv1").road == "rgb"
    with av.open("out.mkv") as container:
        (out,) = container.decode(video=0)
        np.testing.assert_array_equal(out.to_ndarray(format="rgba")[..., 3:], opacity)


def test_colour_is_preserved_at_full_size(styled: Any, film: Any, read: Any) -> None:
    source = film("in.mkv", codec="ffv1", pix_fmt="bgr0", frames=2)
    styled(source, "out.mkv", codec="ffv1", preserve_color=True, paint_size=64)
    old, new = read(source)[0].astype(float), read("out.mkv")[0].astype(float)
    inside = ((new > 0) & (new < 255)).all(-1)
    assert inside.mean() > 0.2
    assert np.abs((new[..., 0] - new[..., 2]) - (old[..., 0] - old[..., 2]))[inside].max() <= 1


def test_black_of_a_mask_is_the_source_itself(styled: Any, film: Any, read: Any) -> None:
    source = film("in.mkv", codec="ffv1", pix_fmt="bgr0", frames=2)
    half = np.zeros((96, 160), np.uint8)
    half[:, 80:] = 255
    Image.fromarray(half).save("half.png")
    styled(source, "out.mkv", codec="ffv1", mask=Path("half.png"), paint_size=64)
    styled(source, "all.mkv", codec="ffv1", paint_size=64)
    out, whole, old = read("out.mkv")[0], read("all.mkv")[0], read(source)[0]
    np.testing.assert_array_equal(out[:, :, :80], old[:, :, :80])
    np.testing.assert_array_equal(out[:, :, 80:], whole[:, :, 80:])


def test_a_mask_of_two_styles(styled: Any, film: Any, read: Any, style: str) -> None:
    source = film(frames=2)
    half = np.zeros((96, 160), np.uint8)
    half[:, 80:] = 255
    Image.fromarray(half).save("half.png")
    both = [style, "mosaic"]
    styled(source, "out.mkv", both, mask=Path("half.png"), paint_size=64, codec="ffv1")
    for name, only, where in (("left", "mosaic", slice(0, 60)), ("right", style, slice(100, 160))):
        styled(source, f"{name}.mkv", only, paint_size=64, codec="ffv1")
        gap = np.abs(read("out.mkv")[0].astype(int) - read(f"{name}.mkv")[0])[:, :, where]
        assert gap.max() <= 1


def test_keyframes_and_rates(styled: Any, film: Any, read: Any) -> None:
    Path("keys.csv").write_text("time,mosaic,cubist\n0,1,0\n0.2,0,1\n")
    report = styled(film(), "out.mp4", paint_size=64, keyframes=Path("keys.csv"), fps=Fraction(50))
    assert (report.road, report.frames) == ("planes", 12)
    frames = read("out.mp4")[0].astype(int)
    assert np.abs(frames[0] - frames[-1]).mean() > 2


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_detail_by_keyframes(styled: Any, film: Any, read: Any, codec: str) -> None:
    """Frames before a key that holds have all of the detail, those from the next one on have none: as of whole runs so."""
    suffix = ".mkv" if codec == "ffv1" else ".mp4"
    lossless = {} if codec == "ffv1" else {"crf": 0}
    found = {}
    for name, detail in (
        ("all", "1,hold\n9,1,1,hold"),
        ("none", "0,hold\n9,1,0,hold"),
        ("turn", "1,hold\n0.12,1,0,hold"),
    ):
        Path(f"{name}.csv").write_text(f"time,mosaic,detail,easing\n0,1,{detail}\n")
        report = styled(
            film(),
            f"{name}{suffix}",
            paint_size=64,
            keyframes=Path(f"{name}.csv"),
            codec=codec,
            overwrite=True,
            **lossless,
        )
        assert report.road == ("rgb" if codec == "ffv1" else "planes")
        found[name] = read(f"{name}{suffix}")[0]
    assert (found["all"] != found["none"]).any()
    np.testing.assert_array_equal(found["turn"][:3], found["all"][:3])
    np.testing.assert_array_equal(found["turn"][3:], found["none"][3:])


@pytest.mark.parametrize(("options", "road"), [({"size": (200, 120)}, "planes"), ({"max_side": 120}, "planes")])
def test_other_sizes(styled: Any, film: Any, options: dict[str, Any], road: str) -> None:
    report = styled(film(), "out.mp4", paint_size=64, **options)
    assert (report.width, report.height) == options.get("size", (120, 72))
    assert (report.road, report.paint_size) == (road, 64)
    report = styled(film("again.mp4"), "small.mp4", paint_size=72, max_side=100)
    assert (report.width, report.height, report.road) == (100, 60, "source")


def test_a_mask_stands_at_the_size_of_the_result(styled: Any, film: Any) -> None:
    assert styled(film(), "out.mp4", paint_size=64, size=(200, 120), mask=white((7, 5))).road == "rgb"


def test_rotated_films(styled: Any, film: Any, read: Any, turned: Callable[[Path, int], Path]) -> None:
    upright = turned(film(frames=2), 90)
    info = probe(upright)
    assert (info.width, info.height, info.rotation) == (96, 160, 90)
    report = styled(upright, "out.mp4", paint_size=64)
    assert (report.width, report.height, report.road) == (96, 160, "planes")
    styled(upright, "rgb.mkv", paint_size=64, codec="ffv1")
    assert np.abs(read("out.mp4")[0].astype(int) - read("rgb.mkv")[0]).mean() < 4


def test_pictures(film: Any, tiny_model: Path, style: str) -> None:
    Image.fromarray(drawn(0, 150, 91)).save("in.png")
    settings: dict[str, Any] = {"model": tiny_model, "style_size": 32, "engine": "torch", "device": "cpu"}
    for name, more in (
        ("source", {"paint_size": "source"}),
        ("auto", {}),
        ("small", {"paint_size": 64}),
        ("plain", {"paint_size": 64, "detail": 0.0}),
        ("colour", {"paint_size": 64, "preserve_color": True}),
    ):
        stylize_image("in.png", f"{name}.png", style, options=RunOptions(**settings, **more))
    source, auto, small, plain = (read_image(Path(f"{n}.png")) for n in ("source", "auto", "small", "plain"))
    assert np.array_equal(source, auto)
    assert small.shape == (91, 150, 3)
    assert 0 < np.abs(small.astype(int) - plain).mean() < np.abs(small.astype(int) - source).mean()
    old, new = drawn(0, 150, 91).astype(int), read_image(Path("colour.png")).astype(int)
    inside = ((new > 0) & (new < 255)).all(-1)
    assert np.abs((new[..., 0] - new[..., 2]) - (old[..., 0] - old[..., 2]))[inside].max() <= 1
    said: list[str] = []
    asked = RunOptions(**settings, paint_size=100)
    (result,) = stylize_images([(Path("in.png"), Path("large.png"))], style, options=asked, say=said.append)
    assert result[2] is None
    assert said == [
        "in.png: --paint-size 100: the frame's short side is 91, not larger than that; it is painted as it is."
    ]
    assert np.array_equal(source, read_image(Path("large.png")))


def test_ten_bits_of_detail(styled: Any, make_clip: Any, model_that_copies: None) -> None:
    """Steps of a quarter of a level of 255 in a 10-bit film are in a 10-bit result."""
    ramp = make_ramp(Path("in.mkv"))
    styled(ramp, "deep.mkv", paint_size=64, bit_depth=10, crf=0)
    values = planes("deep.mkv")[0][0]
    assert np.unique(values % 4).size == 4
    steps = np.abs(np.diff(values[40:50], axis=1))
    assert (steps[steps > 0] < 4).mean() > 0.5


def make_ramp(path: Path) -> Path:
    """A film of 10 bits: a ramp of one of 1023 a pixel, with texture, so that there is detail to carry."""
    luma = (300 + np.arange(256) // 2)[None] + np.random.default_rng(0).integers(0, 60, (128, 256))
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 256, 128, "yuv420p10le"
        frame = av.VideoFrame(256, 128, "yuv420p10le")
        for plane, samples in zip(frame.planes, (luma, *[np.full((64, 128), 512)] * 2), strict=True):
            there = np.frombuffer(plane, np.uint16).reshape(plane.height, -1)  # type: ignore[call-overload]
            there[:, : plane.width] = samples
        frame.pts = 0
        container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def test_python(film: Any, tiny_model: Path, style: str) -> None:
    options = RunOptions(model=tiny_model, style_size=32, engine="torch", device="cpu", paint_size=64, detail=0.5)
    report = stylize_video(film(), "out.mp4", style, options=options)
    assert {k: report.to_dict()[k] for k in ("paint_size", "detail", "road")} == {
        "paint_size": 64,
        "detail": 0.5,
        "road": "planes",
    }


@pytest.mark.slow
def test_a_large_picture_looks_like_its_small_copy() -> None:
    """With one painting size, by the shipped model: what is painted does not depend on the size of the file."""
    large = scene(1280, 720)
    Image.fromarray(large).save("large.png")
    Image.fromarray(shrunk_by_area(large, 320, 180)).save("small.png")
    options = RunOptions(engine="torch", device="cpu", precision="fp32", paint_size=144)
    for name in ("large", "small"):
        stylize_image(f"{name}.png", f"{name}-painted.png", "mosaic", options=options)
    seen_small = shrunk_by_area(read_image(Path("large-painted.png")), 320, 180)
    likeness = content_ssim(seen_small, read_image(Path("small-painted.png")))
    assert likeness is not None
    assert likeness >= 0.95
