"""What a run can be told, and what it tells at the end. Imports nothing heavy."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from numbers import Rational
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from vidstyle.core.errors import SettingError, UsageError
from vidstyle.imaging.sizes import MIN_PAINT_SIZE, MIN_SIDE, PaintSize
from vidstyle.models.style_code import MOST_STRENGTH

if TYPE_CHECKING:
    from vidstyle.styles.request import StyleRequest
    from vidstyle.styles.source import StyleLike


ColourKeeping = Literal["luma", "local", "match"]
"""How a film keeps its colours."""


@dataclass(frozen=True)
class RunOptions:
    """Settings of `stylize_video`; all are checked when made.

    Raises:
        UsageError: a value out of its range.
    """

    overwrite: bool = False
    """Replace an existing output, and start over where an unfinished run was left."""
    resume: bool = False
    """Go on with an unfinished run of the same output."""
    out_dir: Path | None = None
    """Folder of an output that is given no name; None: the current one."""
    model: str | Path = "compact"
    """Shipped name or checkpoint file."""
    strength: float = 1.0
    """In [0, 2]: 1 is the style, 0 the frame as its own style; above 1 the style's difference from the frame is carried on."""
    paint_size: PaintSize = "auto"
    """Short side at which frames are painted, in pixels (64 or more); "auto": 320 at most; "source": the frame's own. What is
    painted smaller than the frame is carried to full size with the frame's own detail."""
    detail: float = 1.0
    """In [0, 1]: how much of the frame's own detail a painting carried to full size gets; 0 is plain enlargement."""
    preserve_color: bool | ColourKeeping = False
    """Keep the source's colours. "luma", or True: luma from the result, chroma from the source. "local": of the result's luma
    only what differs from its local mean, over that of the source. "match": the style has the film's colours before it is
    encoded, those of each shot in that shot."""
    mask: Path | None = None
    """A grey picture, stretched over the frame: white is the style, black the source itself or, of two styles, the second."""
    regions: Sequence[tuple[Path, str]] = ()
    """Masks, pictures or films, each with a style that is painted where it is white; the last one lies on top. What none
    covers is painted in the styles."""
    keep: Sequence[Path] = ()
    """Masks, pictures or films, where the source itself is seen."""
    keyframes: Path | None = None
    """A file of blends over time (`styles.keyframes`), instead of styles."""
    style_per_shot: Sequence[str] = ()
    """Two styles or more that take turns, a new one with each shot, instead of styles."""
    stabilize: float = 0.0
    """In [0, 1): how much each frame is drawn to the one before, moved along with the source; 0 not at all."""
    start: Fraction | None = None
    """Seconds after the film's first frame; frames from there on are styled."""
    end: Fraction | None = None
    """Seconds after the film's first frame; frames before that are styled."""
    size: tuple[int, int] | None = None
    """Width and height to resize to, in pixels; the picture keeps its shape on the screen by its pixel aspect ratio."""
    max_side: int | None = None
    """The longer side is made no larger than this, in pixels."""
    fps: Fraction | None = None
    """Frames per second of the output: each shows the source frame that is on the screen then. Of numbered pictures:
    their rate. None: every source frame once, at its own time."""
    max_errors: float = 0.1
    """Share of the frames that may be damaged (and are then replaced by the frame before) before the film is refused."""
    codec: str | None = None
    """h264, hevc, av1, vp9, prores, ffv1, gif or an encoder of this FFmpeg; None: what suits the output's suffix."""
    bit_depth: int = 8
    """8, or 10 where the codec can (frames are styled at 8 bits; 10 spare the encoding its rounding)."""
    crf: int | None = None
    """Constant quality of the encoder, lower is better; None: the codec's default."""
    decoder: str = "software"
    """"software", or "cuda" where the GPU can. Its frames come in another memory order, whose way to RGB may round otherwise,
    and it hides damage otherwise; so it has to be asked for, and it is part of what a run is resumed with."""
    device: str = "auto"
    engine: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    """Processor threads of the model and of the encoder, on which bytes depend; None: one a core."""
    chunk: int | None = None
    """Frames per call of the model; None is chosen by frame size and device."""
    style_size: int = 384
    """Short side at which style pictures are read, in pixels; smaller gives coarser strokes."""
    fit: int | None = None
    """Steps for which a style picture that is met for the first time is fitted; 0: styles are used as they are read. None: the
    usual number, and not for films of less than 5 s, which use a fit only where one is remembered."""
    segment: Fraction = field(default=Fraction(10))
    """Seconds of source time a segment: how much work an interruption can cost."""

    def __post_init__(self) -> None:
        for name in (*_NUMBERS, *_COUNTS, *_TIMES, *_PATHS, *_WORDS, *(("size",) if self.size is not None else ())):
            object.__setattr__(self, name, _settled(name, getattr(self, name)))
        check(
            0 <= self.strength <= MOST_STRENGTH,
            f"--strength {self.strength}: must be between 0 and {MOST_STRENGTH:g}.",
        )
        check(
            self.paint_size in ("auto", "source")
            or (isinstance(self.paint_size, int) and self.paint_size >= MIN_PAINT_SIZE),
            f"--paint-size {self.paint_size}: must be at least {MIN_PAINT_SIZE}, or auto, or source.",
        )
        colour = "luma" if self.preserve_color is True else self.preserve_color
        object.__setattr__(self, "preserve_color", colour)
        check(
            colour is False or colour in get_args(ColourKeeping),
            f"--preserve-color {colour}: use luma, local or match.",
        )
        check(
            colour != "match" or not (self.keyframes or self.style_per_shot or self.fit),
            "--preserve-color match does not go with --keyframes, --style-per-shot or --fit; use luma or local.",
        )
        check(0 <= self.detail <= 1, f"--detail {self.detail}: must be between 0 and 1.")
        check(0 <= self.stabilize < 1, f"--stabilize {self.stabilize}: must be at least 0 and less than 1.")
        check(self.chunk is None or self.chunk >= 1, f"--chunk {self.chunk}: must be at least 1, or auto.")
        check(self.threads is None or self.threads >= 1, f"--threads {self.threads}: must be at least 1.")
        check(self.style_size >= MIN_SIDE, f"--style-size {self.style_size}: must be at least {MIN_SIDE}.")
        check(self.fit is None or self.fit >= 0, f"--fit {self.fit}: must be at least 1, or --no-fit.")
        check(self.segment > 0, f"--segment {float(self.segment):g}: must be more than 0 seconds.")
        check(self.size is None or min(self.size) >= MIN_SIDE, f"--size: both sides must be at least {MIN_SIDE}.")
        check(
            self.max_side is None or self.max_side >= MIN_SIDE,
            f"--max-side {self.max_side}: must be at least {MIN_SIDE}.",
        )
        check(self.size is None or self.max_side is None, "--size and --max-side exclude each other; give one.")
        check(self.start is None or self.start >= 0, "--start: must not be negative.")
        check(self.end is None or self.end > (self.start or 0), "--end: must be later than --start (and more than 0).")
        check(self.fps is None or 0 < self.fps <= 1000, f"--fps {self.fps}: must be more than 0 and at most 1000.")
        shots = self.style_per_shot
        check(
            not shots or (len(shots) > 1 and not isinstance(shots, str)),
            f"--style-per-shot {','.join(shots)}: name at least two styles, with commas between them.",
        )
        check(not shots or self.keyframes is None, "--style-per-shot and --keyframes exclude each other; give one.")
        self._check_regions()
        check(0 <= self.max_errors <= 1, f"--max-errors {self.max_errors}: must be between 0% and 100%.")
        check(self.bit_depth in (8, 10), f"--bit-depth {self.bit_depth}: must be 8 or 10.")
        check(self.decoder in ("software", "cuda"), f"--decoder {self.decoder}: use software or cuda.")
        check(
            self.decoder == "software" or self.device.partition(":")[0] in ("auto", "cuda"),
            f"--decoder {self.decoder}: goes with --device cuda.",
        )
        check(self.crf is None or 0 <= self.crf <= 63, f"--crf {self.crf}: must be between 0 and 63.")

    def _check_regions(self) -> None:
        others = self.mask or self.keyframes or self.style_per_shot or self.preserve_color == "match"
        check(
            not (self.regions and others),
            "--mask MASK=ART does not go with --mask MASK alone, --keyframes, --style-per-shot or --preserve-color match.",
        )
        for path in (*(path for path, _ in self.regions), *self.keep):
            check(path.is_file(), f"{path}: is no file; a mask is a grey picture or a film of them.")

    def style_request(self, styles: StyleLike | Sequence[StyleLike]) -> StyleRequest:
        """The styles with what is said about them here, read. Raises as `read_request`."""
        from vidstyle.styles.request import read_per_shot, read_request

        if self.style_per_shot:
            check(
                not isinstance(styles, str | Path) and not len(styles),
                "--style-per-shot names its styles itself; leave --style out, or --style-per-shot.",
            )
            alone = replace(self, mask=None, style_per_shot=())
            return read_per_shot(alone.style_request(tuple(self.style_per_shot)), self.style_per_shot, self.mask)
        if self.regions or self.keep:
            return self._with_regions(styles)
        return read_request(
            styles,
            style_size=self.style_size,
            mask=self.mask,
            keyframes=self.keyframes,
            strength=self.strength,
            preserve_color=self.preserve_color,
            stabilize=self.stabilize,
        )

    def _with_regions(self, styles: StyleLike | Sequence[StyleLike]) -> StyleRequest:
        from vidstyle.styles.request import read_style

        ground = replace(self, regions=(), keep=()).style_request(styles)
        over = [read_style(art, size=self.style_size) for _, art in self.regions]
        return replace(
            ground,
            styles=(*ground.styles, *over),
            regions=tuple(path for path, _ in self.regions),
            keep=tuple(self.keep),
        )


def check(valid: bool, sentence: str) -> None:
    if not valid:
        raise SettingError(sentence)


_NUMBERS = ("strength", "detail", "stabilize", "max_errors")
_COUNTS = ("max_side", "crf", "bit_depth", "chunk", "threads", "style_size", "fit")
_TIMES = ("start", "end", "fps", "segment")
_PATHS = ("out_dir", "mask", "keyframes")
_WORDS = ("codec", "decoder", "device", "engine", "precision")
_OPTIONAL = (
    "max_side",
    "crf",
    "chunk",
    "threads",
    "fit",
    "start",
    "end",
    "fps",
    "out_dir",
    "mask",
    "keyframes",
    "codec",
)


def _settled(name: str, value: Any) -> Any:
    """A setting in the type that the rest takes it in: times as fractions, paths as paths. Raises UsageError for others."""
    shown = f"--{name.replace('_', '-')} {value!r}"
    if value is None and name in _OPTIONAL:
        return None
    if name in _PATHS:
        check(isinstance(value, str | Path), f"{shown}: must be a path.")
        return Path(value)
    if name in _WORDS:
        check(isinstance(value, str), f"{shown}: must be a word.")
        return value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if name in _COUNTS:
        check(whole, f"{shown}: must be a whole number.")
        return value
    if name == "size":
        pair = isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(side, int) for side in value)
        check(pair, f"{shown}: must be a width and a height.")
        return tuple(value)
    check(isinstance(value, Rational | float) and not isinstance(value, bool), f"{shown}: must be a number.")
    check(math.isfinite(value), f"{shown}: must be a finite number.")
    return value if name in _NUMBERS else Fraction(str(value))


def check_arguments(source: object, output: object, options: object) -> None:
    """Raise UsageError where a program hands over something else than paths and options."""
    for name, value in (("source", source), ("output", output)):
        if not isinstance(value, str | Path):
            raise UsageError(f"{name} must be a path, not {type(value).__name__}.")
    if not isinstance(options, RunOptions):
        raise UsageError(f"options must be RunOptions(...), not {type(options).__name__}.")


_TIME = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d+)?)")


def parse_time(text: str) -> Fraction:
    """Seconds of "90", "90.5", "1:30.5" or "0:01:30.5", exactly. Raises UsageError."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no time; write seconds (90.5) or [hours:]minutes:seconds (1:30.5).")
    hours, minutes, seconds = match.groups()
    return Fraction(seconds) + 60 * int(minutes or 0) + 3600 * int(hours or 0)


_NTSC = {"23.976": 24, "23.98": 24, "29.97": 30, "47.952": 48, "59.94": 60, "119.88": 120}
"""What people write for N x 1000 / 1001 frames per second."""


def parse_rate(text: str) -> Fraction:
    """Frames per second of "25", "12.5", "30000/1001" or "29.97" (which means 30000/1001). Raises UsageError."""
    text = text.strip()
    if text in _NTSC:
        return Fraction(1000 * _NTSC[text], 1001)
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(?:/(\d{1,6}))?", text)
    if match is None or Fraction(match[2] or 1) == 0:
        raise UsageError(f"--fps {text}: write frames per second, for example 25, 29.97 or 30000/1001.")
    return Fraction(match[1]) / Fraction(match[2] or 1)


def parse_paint_size(text: str) -> PaintSize:
    """A number of pixels, "auto" or "source". Raises UsageError."""
    wish = text.strip()
    if wish == "auto":
        return "auto"
    if wish == "source":
        return "source"
    if re.fullmatch(r"\d{1,5}", wish) is None:
        raise UsageError(f"--paint-size {text}: write a number of pixels (480), auto or source.")
    return int(wish)


def parse_share(text: str) -> float:
    """A share in [0, 1] of "10%" or "0.1". Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text.strip())
    share = float(match[1]) / (100 if match[2] else 1) if match else 2.0
    if share > 1:
        raise UsageError(f"--max-errors {text}: write a share of the frames, for example 5% or 0.05.")
    return share


def parse_size(text: str) -> tuple[int, int]:
    """Width and height of "640x360". Raises UsageError."""
    match = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip())
    if match is None:
        raise UsageError(f"--size {text}: write width x height in pixels, for example 640x360.")
    return int(match[1]), int(match[2])


@dataclass(frozen=True)
class RunReport:
    """What a run did; `to_dict` has the keys of `run --json`."""

    input: str
    output: str
    frames: int
    """Frames of the output."""
    width: int
    height: int
    """Of the result, in pixels."""
    paint_size: int
    """Short side of the frames that the model saw, in pixels."""
    detail: float
    """Of the option; without effect where `road` is "source"."""
    road: str
    """"source": painted at full size; "planes", "rgb": painted smaller and carried to full size, on planes or in RGB."""
    fit: dict[str, Any]
    """`steps` that styles are fitted for (0: not at all), and for each of the `styles` what became of it: "fitted" now,
    "remembered", "read", or "given" as a file."""
    seconds: float
    """Wall clock, from the call to the finished file."""
    fps: float
    """Frames styled in this run (a resumed one styles only what was missing) a second."""
    engine: str
    device: str
    precision: str
    model: str
    stages: dict[str, float]
    """decode, model, detail, encode: seconds in which each worked."""
    peak_rss_mb: float | None
    """Largest resident memory of the process, in MiB; None where the system does not tell."""
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def peak_rss_mb() -> float | None:
    """Largest resident memory that this process had, in MiB."""
    if sys.platform == "win32":
        return None
    status = Path("/proc/self/status")
    if status.exists():
        # Linux, where getrusage would tell the launcher's peak if that was higher: a program inherits it.
        peaks = [int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return round(peaks[0] / 2**10, 1) if peaks else None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
