"""Functions of the helper that paints single frames, its model kept warm.

It runs the model under torch on processors, also where videos are painted under OpenVINO: that would compile a graph for each
size (seconds), and somebody who moves a slider looks at many sizes. Both give the same picture but for rounding.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidstyle.engines.base import Engine
from vidstyle.engines.choose import make_engine
from vidstyle.imaging.detail import add_detail
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.sizes import painting_size
from vidstyle.imaging.transforms import with_small_copy
from vidstyle.media.frame_at import frame_at
from vidstyle.media.input.probe import probe
from vidstyle.models.attention import blend
from vidstyle.models.style_code import SoftmaxCode, StyleCode
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.pipeline.stages.detail import with_source
from vidstyle.studio.processes.helper import Functions
from vidstyle.studio.processes.inspection import fitted_into, jpeg
from vidstyle.styles.masks import mix
from vidstyle.styles.request import StyleRequest

Kept = TypeVar("Kept")


def functions(model: str, engine: str, device: str) -> Functions:
    """What the helper is asked."""
    painter = StillPainter(model, engine, device)
    return {"paint": painter.paint, "warm": painter.warm}


class StillPainter:
    """Paints frames of videos, and remembers what it was asked for last: a slider that is moved changes little."""

    def __init__(self, model: str, engine: str, device: str) -> None:
        self.model, self.wish, self.device = model, engine, device
        self.made: Engine | None = None
        self.kept: dict[str, OrderedDict[Hashable, Any]] = {}

    @property
    def engine(self) -> Engine:
        if self.made is None:
            engine = make_engine(self.model, engine=self.wish, device=self.device)
            if engine.device == "cpu":
                engine = make_engine(self.model, engine="torch", device="cpu", precision="fp32")
            self.made = engine
        return self.made

    def warm(self) -> str:
        """Load the model and paint once. Returns what runs it."""
        grey = np.full((64, 96, 3), 128, np.uint8)
        code = self.engine.encode_style(grey)
        self.engine.stylize(grey[None], code)
        return f"{self.engine.name} on {self.engine.device}"

    def paint(self, video: str, seconds: float, side: int, look: dict[str, Any]) -> dict[str, Any]:
        """A frame of a video, painted.

        Args:
            video: path.
            seconds: after the video's first frame.
            side: the longer side of the result is at most this; what is painted does not depend on it.
            look: `settings` of the request, `styles` as [path or name, weight], `mask` as path or None.

        Returns:
            jpeg, milliseconds, width and height of what was painted.
        """
        begun = time.perf_counter()
        info = self.remembered("video", video, 8, lambda: probe(Path(video)))
        source = self.remembered("frame", (video, seconds), 4, lambda: frame_at(info, seconds).data)
        settings = look["settings"]
        size = painting_size((info.width, info.height), settings["paint_size"])
        # Shown no larger than it is looked at, but never smaller than it is painted.
        shown = fitted_into(source, max(side, *size))
        painted = self.painted(shown, size, look)
        return {
            "jpeg": jpeg(painted, side),
            "milliseconds": round(1000 * (time.perf_counter() - begun)),
            "width": size[0],
            "height": size[1],
        }

    def painted(self, frame: NDArray[np.uint8], size: tuple[int, int], look: dict[str, Any]) -> NDArray[np.uint8]:
        """(H, W, 3) in the look, painted at `size` and carried to the frame's own."""
        settings, full = look["settings"], (frame.shape[1], frame.shape[0])
        request = self.request(look)
        codes = self.codes(look, request)
        small = frame if size == full else with_small_copy(Frame(frame, 0, 0, Fraction(1)), size).data
        styled = self.styled(small, codes[0], settings["strength"])
        if request.mixes_two:
            other = self.styled(small, codes[1], settings["strength"])
            mask = request.at_size(size).mask
            assert mask is not None
            styled = mix(styled, other, mask)
        if size != full:
            styled = add_detail(styled[0], small, frame, settings["detail"])[None]
        done: NDArray[np.uint8] = with_source(styled, frame[None], request.at_size(full))[0]
        return done

    def styled(self, small: NDArray[np.uint8], code: StyleCode, strength: float) -> NDArray[np.uint8]:
        """(1, h, w, 3): a frame in a style. Its own code, which a strength below 1 needs, is made once for all strengths."""
        if strength >= 1 or code.change is not None or isinstance(code.scales[0], SoftmaxCode):
            return self.engine.stylize(small[None], code, strength=strength)
        frame = hashlib.sha256(small.tobytes()).hexdigest()
        own = self.remembered("own", frame, 4, lambda: self.engine.encode_style(small))
        return self.engine.stylize(small[None], blend([code, own], [strength, 1 - strength]))

    def request(self, look: dict[str, Any]) -> StyleRequest:
        """The styles, read."""
        settings, mask = look["settings"], look["mask"]

        def read() -> StyleRequest:
            options = RunOptions(preserve_color=settings["preserve_color"], mask=None if mask is None else Path(mask))
            return options.style_request([f"{ref}:{weight}" for ref, weight in look["styles"]])

        return self.remembered("request", (_key(look), settings["preserve_color"], mask), 8, read)

    def codes(self, look: dict[str, Any], request: StyleRequest) -> list[StyleCode]:
        return self.remembered("codes", (_key(look), look["mask"]), 16, lambda: request.codes(self.engine))

    def remembered(self, kind: str, key: Hashable, most: int, make: Callable[[], Kept]) -> Kept:
        """What was made for a key, made where it is not there; of each kind the last `most` are kept."""
        held = self.kept.setdefault(kind, OrderedDict())
        if key not in held:
            held[key] = make()
            while len(held) > most:
                held.popitem(last=False)
        held.move_to_end(key)
        value: Kept = held[key]
        return value


def _key(look: dict[str, Any]) -> Hashable:
    """What the styles of a look are read from: a file that was written anew is another one."""
    return tuple(
        (ref, weight, Path(ref).stat().st_mtime_ns if Path(ref).is_file() else 0) for ref, weight in look["styles"]
    )
