"""Stylizer: arrays of frames in the style of a picture, for programs that bring their own frames."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.engines.backoff import Backoff
from vidstyle.engines.choose import make_engine
from vidstyle.imaging.resize import with_short_side
from vidstyle.imaging.sizes import MIN_SIDE
from vidstyle.models.checkpoint import load_style
from vidstyle.models.registry import ModelDescriptor
from vidstyle.models.style_code import MOST_STRENGTH, StyleCode
from vidstyle.styles.painting import fitted
from vidstyle.styles.request import encode
from vidstyle.styles.resolve import normalised, resolve
from vidstyle.styles.source import Style, StyleImage, StyleLike, StyleSource, read_source

if TYPE_CHECKING:
    from vidstyle.styles.fit.settings import FitSettings


class Stylizer:
    """A model, ready to style frames.

        stylizer = Stylizer()
        code = stylizer.encode_style("mosaic")
        styled = stylizer.stylize(frames, code)  # (N, H, W, 3) uint8 in and out

    May be called from several threads; their calls take turns. Handed to another process it is made anew there with the same
    settings (start processes by "spawn": a forked one cannot use torch's threads).

    Args:
        model: shipped name or checkpoint file.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: "auto", "torch", "openvino" or "torch-compile".
        precision: "auto", "fp32", "bf16", "fp16" or "int8".
        threads: processor threads of a call; None lets the engine decide.
        style_size: short side at which style pictures are encoded, in pixels; smaller gives coarser strokes.

    Raises:
        UsageError: an unknown model, or a combination that this machine cannot do.
        InputError: an unreadable model.
    """

    def __init__(
        self,
        model: str | Path = "compact",
        *,
        device: str = "auto",
        engine: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        style_size: int = 384,
    ) -> None:
        if style_size < MIN_SIDE:
            raise UsageError(f"style_size {style_size}: must be at least {MIN_SIDE}.")
        self._settings: dict[str, Any] = {
            "model": model,
            "device": device,
            "engine": engine,
            "precision": precision,
            "threads": threads,
            "style_size": style_size,
        }
        self._engine = make_engine(model, engine=engine, device=device, precision=precision, threads=threads)
        self._style_size = style_size
        self._turn = threading.Lock()

    @property
    def model(self) -> ModelDescriptor:
        """Name and digest of the model."""
        return self._engine.model

    @property
    def device(self) -> str:
        """Where the model runs: "cpu", "cuda", "cuda:1", "mps"."""
        return self._engine.device

    def encode_style(self, style: StyleLike | Sequence[tuple[StyleLike, float]]) -> StyleCode:
        """The code of a style, or of a blend of several.

        Args:
            style: a built-in name, a picture file, the file of a compiled style, a picture (H, W, 3) uint8 sRGB; or a list of
                (style, weight), whose weights are finite, above 0, and scaled to sum to 1.

        Raises:
            UsageError: an unknown name, a bad weight or array, or a compiled style of another model.
            InputError: a file that cannot be read.
        """
        single = isinstance(style, str | Path | np.ndarray)
        pairs: Sequence[tuple[StyleLike, float]] = [(style, 1.0)] if single else style  # type: ignore[list-item, assignment]
        shares = normalised([weight for _, weight in pairs])
        styles = [
            Style(str(i), self._source(each), w) for i, ((each, _), w) in enumerate(zip(pairs, shares, strict=True))
        ]
        with self._turn:
            return encode(styles, self._engine)

    def fit_style(
        self,
        style: StyleLike | Sequence[tuple[StyleLike, float]],
        path: str | Path,
        *,
        settings: FitSettings | None = None,
        pictures: Sequence[NDArray[np.uint8]] | None = None,
    ) -> StyleCode:
        """Learn a style by gradient descent and keep it in a file, which `load_style` and `--style` read.

        Args:
            style: as of `encode_style`, but pictures only.
            path: of the file (.safetensors).
            settings: None: 40 steps, for frames painted at about 320 pixels.
            pictures: (H, W, 3) uint8 each, to fit on, such as frames of the film; None: photos that come with the package.

        Raises:
            UsageError: a style that is a file of its own already, or a model whose styles cannot be fitted.
            InputError: a picture that cannot be read, or a file that cannot be written.
        """
        from vidstyle.styles.fit.make import make
        from vidstyle.styles.fit.optimise import Art
        from vidstyle.styles.fit.settings import FitSettings

        wanted = replace(settings or FitSettings(), style_size=self._style_size)
        single = isinstance(style, str | Path | np.ndarray)
        pairs: Sequence[tuple[StyleLike, float]] = [(style, 1.0)] if single else style  # type: ignore[list-item, assignment]
        shares = normalised([weight for _, weight in pairs])
        arts = [
            Art(self._pixels(each, self._style_size), self._pixels(each, wanted.target_size), share)
            for (each, _), share in zip(pairs, shares, strict=True)
        ]
        name = " + ".join("picture" if isinstance(each, np.ndarray) else str(each) for each, _ in pairs)
        device = self.device if self.device.startswith("cuda") else "cpu"
        threads = self._engine.threads
        with self._turn:
            network, digest = self.model.load(), self.model.digest
            make(
                network, digest, arts, wanted, Path(path), name=name, pictures=pictures, device=device, threads=threads
            )
        return load_style(path)

    def stylize(self, frames: NDArray[np.uint8], code: StyleCode, *, strength: float = 1.0) -> NDArray[np.uint8]:
        """Frames in a style. Each is styled for itself: how many are given at a time changes none.

        Args:
            frames: (N, H, W, 3) uint8 RGB, both sides at least 16; not changed.
            code: of `encode_style` or `load_style`, for this model.
            strength: in [0, 2]; 1 is the style, 0 the frame as its own style, 2 twice its difference from it.

        Returns:
            (N, H, W, 3) uint8.

        Raises:
            UsageError: arrays of another shape or type, or a code of another model.
            InputError: a single frame does not fit in memory.
        """
        _check_frames(frames)
        if code.model not in (None, self.model.digest):
            raise UsageError(f"the style was encoded by another model than {self.model.name}; encode it again.")
        if not 0 <= strength <= MOST_STRENGTH:
            raise UsageError(f"strength {strength}: must be between 0 and {MOST_STRENGTH:g}.")
        height, width = frames.shape[1:3]
        styled = np.empty(frames.shape, np.uint8)
        with self._turn:
            size = self._engine.good_batch_size(width, height)
            call = Backoff(lambda part: self._engine.stylize(part, code, strength=strength))
            for at in range(0, len(frames), size):
                styled[at : at + size] = call(frames[at : at + size])
        return styled

    def _source(self, style: StyleLike) -> StyleSource:
        if not isinstance(style, np.ndarray):
            return read_source(str(style), size=self._style_size)
        _check_frames(style[None], "a style")
        return StyleImage(fitted(style, self._style_size))

    def _pixels(self, style: StyleLike, size: int) -> NDArray[np.uint8]:
        """A style's picture with a short side of `size`."""
        if isinstance(style, np.ndarray):
            _check_frames(style[None], "a style")
            return with_short_side(style, size)
        picture = resolve(str(style), size=size)
        if isinstance(picture, Path):
            raise UsageError(f"{style}: is a style's file already; name the picture.")
        return picture

    def __getstate__(self) -> dict[str, Any]:
        return self._settings

    def __setstate__(self, settings: dict[str, Any]) -> None:
        self.__init__(**settings)  # type: ignore[misc]

    def __repr__(self) -> str:
        engine = self._engine
        return f"Stylizer({engine.model.name!r}, {engine.name} on {engine.device}, {engine.precision})"


def _check_frames(frames: NDArray[Any], what: str = "frames") -> None:
    """Raise UsageError for what is no array of RGB pictures of at least 16 pixels a side."""
    shape = "(N, H, W, 3)" if what == "frames" else "(H, W, 3)"
    if not isinstance(frames, np.ndarray) or frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        found = f"{frames.shape} {frames.dtype}" if isinstance(frames, np.ndarray) else type(frames).__name__
        raise UsageError(f"{what} must be an array {shape} of uint8 RGB, not {found}.")
    if min(frames.shape[1:3]) < MIN_SIDE:
        raise UsageError(
            f"{what} of {frames.shape[2]}x{frames.shape[1]}: both sides must be at least {MIN_SIDE} pixels."
        )
