"""Twenty commands whose results may not change by accident.

Most of them run a very small network that lies beside this file, so that a change of the shipped weights changes those
results only which are named SHIPPED.
"""

from __future__ import annotations

from dataclasses import dataclass

TINY = "tiny.safetensors"
_FAST = ("--model", TINY, "--style-size", "48", "--engine", "torch", "--device", "cpu", "--precision", "fp32", "-q")
_TORCH = ("--engine", "torch", "--device", "cpu", "--precision", "fp32", "-q")
_WRITTEN = ("--json", "numbers.json", "--csv", "frames.csv")


@dataclass(frozen=True)
class Command:
    """A command line of vidstyle, run in a folder that holds the inputs and what earlier commands wrote."""

    name: str
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    """Files or folders that it writes."""
    slow: bool = False
    """It converts the network for OpenVINO, which takes ten seconds."""


def _run(name: str, source: str, output: str, *options: str) -> Command:
    return Command(name, ("run", source, "-o", output, *_FAST, *options), (output,))


def _openvino(name: str, output: str, style: str, precision: str) -> Command:
    chosen = ("--engine", "openvino", "--device", "cpu", "--precision", precision, "-q")
    return Command(name, ("run", "other.mkv", "-o", output, "--style", style, *chosen), (output,), slow=True)


COMMANDS = (
    _run("run", "film.mp4", "plain.mp4", "--style", "art.png"),
    _run("run-gallery-lossless", "film.mp4", "lossless.mkv", "--style", "mosaic", "--codec", "ffv1"),
    _run("run-blend", "film.mp4", "blend.mkv", "--style", "art.png:2", "--style", "art2.png:1", "--codec", "ffv1"),
    _run("run-strength", "film.mp4", "soft.mkv", "--style", "art.png", "--strength", "0.6", "--codec", "ffv1"),
    _run("run-colours", "film.mp4", "colours.mkv", "--style", "art.png", "--preserve-color", "--codec", "ffv1"),
    _run("run-mask", "film.mp4", "mask.mkv", "--style", "art.png", "--style", "art2.png", "--mask", "mask.png"),
    _run("run-keyframes", "film.mp4", "keys.mkv", "--keyframes", "keys.csv", "--codec", "ffv1"),
    _run("run-stabilize", "film.mp4", "steady.mkv", "--style", "art.png", "--stabilize", "0.5", "--codec", "ffv1"),
    _run("run-part", "film.mp4", "part.mp4", "--style", "art.png", "--start", "0.1", "--end", "0.3", "--fps", "12.5"),
    _run("run-segments", "uneven.mkv", "uneven.mkv.mkv", "--style", "art.png", "--segment", "0.15", "--chunk", "2"),
    _run("run-small-webm", "film.mp4", "small.webm", "--style", "art.png", "--max-side", "64", "--crf", "30"),
    _run("run-ten-bits", "ten.mkv", "ten.mp4", "--style", "art.png", "--bit-depth", "10"),
    _run("run-odd-gif", "odd.mkv", "odd.gif", "--style", "art.png"),
    Command(
        "run-pictures",
        ("run", "numbered", "-o", "painted/%04d.png", "--fps", "24", "--style", "art.png", *_FAST),
        ("painted",),
    ),
    Command(
        "image-many",
        ("image", "photo.png", "second.png", "cutout.png", "-o", "pictures", "--style", "art2.png", *_FAST),
        ("pictures",),
    ),
    Command(
        "SHIPPED-image", ("image", "photo.png", "-o", "shipped.png", "--style", "mosaic", *_TORCH), ("shipped.png",)
    ),
    Command("SHIPPED-styles-compile", ("styles", "compile", "art.png", "-o", "art.safetensors"), ("art.safetensors",)),
    Command("styles-preview", ("styles", "preview", "-o", "sheet.png"), ("sheet.png",)),
    Command(
        "evaluate",
        ("evaluate", "lossless.mkv", "--source", "film.mp4", *_WRITTEN, "--gap", "1", "--gap", "3", "-q"),
        ("numbers.json", "frames.csv"),
    ),
    _openvino("SHIPPED-run-openvino", "fp32.mkv", "mosaic", "fp32"),
    _openvino("SHIPPED-run-int8", "int8.mkv", "cubist", "int8"),
    Command(
        "export",
        ("export", "--format", "openvino", "--size", "64x48", "--model", TINY, "-o", "tiny.xml"),
        ("tiny.xml", "tiny.bin"),
        slow=True,
    ),
)
