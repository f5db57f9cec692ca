"""Before the first frame, where a fit is asked for: styles that have been fitted already, or are fitted now, take the place of
pictures.

A style is fitted once for each painting size and remembered (`styles/fit/store.py`). A run's journal holds the files that it
uses, so that a resumed run has them whatever became of the others.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.base import Engine
from vidstyle.models.registry import ModelDescriptor
from vidstyle.pipeline.plan.journal import Journal
from vidstyle.pipeline.plan.run_options import RunOptions
from vidstyle.styles.fit.make import can_fit, make
from vidstyle.styles.fit.settings import FitSettings
from vidstyle.styles.fit.store import place, usable
from vidstyle.styles.request import StyleRequest
from vidstyle.styles.resolve import resolve
from vidstyle.styles.source import CompiledStyle, Style, StyleImage

if TYPE_CHECKING:
    from vidstyle.models.checkpoint import StyleModel

SHORT = Fraction(5)
"""Seconds: a film shorter than that is done before a fit would be."""
_EVERY = 15.0
"""Seconds between two lines on how far a fit is."""
Say = Callable[[str], None]


def default_steps() -> int:
    """$VIDSTYLE_FIT, or 0, which is no fit: viewers prefer fitted styles for some paintings only (docs/fitting.md).
    Raises UsageError."""
    text = os.environ.get("VIDSTYLE_FIT", "0")
    if not text.isdecimal():
        raise UsageError(f"VIDSTYLE_FIT={text}: must be a number of steps, 0 for none.")
    return int(text)


def asked_for(options: RunOptions) -> int:
    """Steps that the options ask for; 0 is no fit."""
    return default_steps() if options.fit is None else options.fit


def _is_single(request: StyleRequest) -> bool:
    """Whether the decoder may be fitted too: changes of weights are one style's, and cannot be blended."""
    return len(request.styles) == 1 and request.keyframes is None


@dataclass
class Fitted:
    """A request whose styles are as good as they will be."""

    request: StyleRequest
    steps: int
    """That were asked for; 0 where fitting is off."""
    states: list[str] = field(default_factory=list)
    """Of each style: "fitted" now, "remembered", "read" (not fitted), or "given" (a style's file)."""

    def report(self) -> dict[str, Any]:
        """What `run --json` says."""
        return {"steps": self.steps, "styles": self.states}


def with_fits(
    request: StyleRequest,
    options: RunOptions,
    engine: Engine,
    paint_size: int,
    *,
    anew: bool,
    say: Say = lambda _: None,
) -> Fitted:
    """The request with fitted styles in the place of pictures.

    Args:
        paint_size: short side at which frames are painted, pixels.
        anew: fit what is not remembered; else such styles are read, and that is said.
        say: told one line a style that is fitted.

    Raises:
        InputError: a picture that cannot be read again.
    """
    steps = asked_for(options)
    if not steps:
        return Fitted(request, 0, ["given" if _is_file(s) else "read" for s in request.styles])
    settings = FitSettings(steps=steps, deep=_is_single(request), paint_size=paint_size, style_size=options.style_size)
    work = _Work(engine, settings, anew, say)
    done = [work.style(style) for style in request.styles]
    return Fitted(replace(request, styles=tuple(s for s, _ in done)), steps, [state for _, state in done])


class _Work:
    """Fits of one run."""

    def __init__(self, engine: Engine, settings: FitSettings, anew: bool, say: Say) -> None:
        self.engine, self.settings, self.anew, self.say = engine, settings, anew, say
        self.network: StyleModel | None = None

    @property
    def model(self) -> ModelDescriptor:
        return self.engine.model

    def style(self, style: Style) -> tuple[Style, str]:
        """A style, fitted where that can be, and how it came about."""
        if not isinstance(style.source, StyleImage):
            return style, "given"
        path = place(style.name, style.source.pixels, self.settings, self.model.digest)
        if usable(path, self.model.digest):
            return replace(style, source=CompiledStyle(path)), "remembered"
        if not self.anew:
            self.say(f"{style.name}: used as it is read; to learn it: --fit {self.settings.steps}.")
            return style, "read"
        self.network = self.network or self.model.load()
        if not can_fit(self.network):
            return style, "read"
        self.say(f"learning the style {style.name} ({self.settings.steps} steps, once) ...")
        return replace(style, source=CompiledStyle(self.fitted(style, style.source, path))), "fitted"

    def told(self, name: str) -> Callable[[int, int], None]:
        """What is told of each step: says how far a fit is, now and then."""
        said = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal said
            if time.monotonic() - said >= _EVERY and done < total:
                said = time.monotonic()
                self.say(f"learning the style {name}: step {done} of {total}")

        return tell

    def fitted(self, style: Style, source: StyleImage, path: Path) -> Path:
        """The file of a fit that is made now; where it cannot be remembered it lies in a folder of this process's own."""
        from vidstyle.styles.fit.optimise import Art

        assert self.network is not None
        strokes = resolve(style.name, size=self.settings.target_size)
        assert not isinstance(strokes, Path)
        device = self.engine.device if self.engine.device.startswith("cuda") else "cpu"

        def write(file: Path) -> None:
            assert self.network is not None
            make(
                self.network,
                self.model.digest,
                [Art(source.pixels, strokes)],
                self.settings,
                file,
                name=style.name,
                device=device,
                threads=self.engine.threads,
                progress=self.told(style.name),
            )

        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / path.name
            write(made)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                _put(made, path)
            except OSError as error:
                raise InputError(
                    f"{path.parent}: the fitted style cannot be kept there ({error.strerror}); make room, set "
                    "VIDSTYLE_STYLES to another folder, or go without: --no-fit."
                ) from error
        return path


def _put(made: Path, path: Path) -> None:
    """Copy a finished file to its place, under its name only when it is whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(made, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _is_file(style: Style) -> bool:
    return isinstance(style.source, CompiledStyle)


def keep_in_journal(fitted: Fitted, journal: Journal) -> StyleRequest:
    """Copy fitted styles into a new journal, and use them from there."""
    styles = list(fitted.request.styles)
    for i, (style, state) in enumerate(zip(styles, fitted.states, strict=True)):
        if state in ("fitted", "remembered"):
            assert isinstance(style.source, CompiledStyle)
            target = journal.style_path(i)
            _put(style.source.path, target)
            styles[i] = replace(style, source=CompiledStyle(target))
    return replace(fitted.request, styles=tuple(styles))


def from_journal(request: StyleRequest, options: RunOptions, journal: Journal) -> Fitted:
    """The request as the run that made the journal had it."""
    states, styles = [], []
    for i, style in enumerate(request.styles):
        held = journal.style_path(i)
        if isinstance(style.source, StyleImage) and held.is_file():
            styles.append(replace(style, source=CompiledStyle(held)))
            states.append("remembered")
        else:
            styles.append(style)
            states.append("given" if _is_file(style) else "read")
    return Fitted(replace(request, styles=tuple(styles)), asked_for(options), states)
