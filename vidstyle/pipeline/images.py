"""`stylize_image`: pictures in the style of pictures, with the video's model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError, UsageError, VidstyleError
from vidstyle.core.provenance import XMP
from vidstyle.engines.backoff import Backoff
from vidstyle.engines.base import Engine
from vidstyle.imaging.detail import add_detail
from vidstyle.imaging.frame import Frame
from vidstyle.imaging.image_io import write_image
from vidstyle.imaging.sizes import painting_size
from vidstyle.imaging.transforms import resized, target_size, with_small_copy
from vidstyle.models.registry import find_model
from vidstyle.pipeline.fitting import with_fits
from vidstyle.pipeline.job import engine_like
from vidstyle.pipeline.picture import read_picture
from vidstyle.pipeline.plan.checks import check_output
from vidstyle.pipeline.plan.painting import without_effect
from vidstyle.pipeline.plan.run_options import RunOptions, check_arguments
from vidstyle.pipeline.stages.detail import with_source
from vidstyle.styles.film_colours import Palette, in_palette
from vidstyle.styles.request import StyleRequest
from vidstyle.styles.source import StyleLike

Frames = NDArray[np.uint8]
_USUAL = 1080
"""Short side of pictures where there are several, pixels: what styles are fitted for."""


def stylize_image(
    source: str | Path,
    output: str | Path,
    styles: StyleLike | Sequence[StyleLike] | StyleRequest,
    *,
    options: RunOptions | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Write a picture in a style; formats by suffix. Options that concern time, encoding or resuming have no effect.

    Raises:
        InputError: the picture or the place of the output is at fault.
        UsageError: the request was wrong.
    """
    check_arguments(source, output, options or RunOptions())
    for _, _, error in stylize_images([(Path(source), Path(output))], styles, options=options, say=say):
        if error is not None:
            raise error


def stylize_images(
    pairs: Sequence[tuple[Path, Path]],
    styles: StyleLike | Sequence[StyleLike] | StyleRequest,
    *,
    options: RunOptions | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[Path, Path, VidstyleError | None]]:
    """As `stylize_image`, for many: the model is loaded and the style encoded once. A fit is used where one is remembered, and
    made only where `options.fit` asks for it.

    Args:
        say: is given what the user should know, a sentence at a time: of the styles, and what an output cannot keep.

    Yields:
        (source, output, None or what went wrong with it); one failure does not stop the others.
    """
    options = options or RunOptions()
    for source, output in pairs:
        check_output(source, output, overwrite=options.overwrite)
    request = styles if isinstance(styles, StyleRequest) else options.style_request(styles)
    if request.mask is not None or request.keyframes is not None or request.regions or request.keep:
        raise UsageError("--mask and --keyframes are for films; leave them out for pictures.")
    for note in request.notes:
        say(note)
    model = find_model(options.model)
    # Refuse a bad single input before the model is loaded.
    first = read_picture(*pairs[0]) if len(pairs) == 1 else None
    engine = engine_like(model, options, {})
    # One size for all: pictures are mostly larger than what is painted.
    full = (_USUAL, _USUAL) if first is None else (first.rgb.shape[1], first.rgb.shape[0])
    paint_size = min(painting_size(full, options.paint_size))
    request = with_fits(request, options, engine, paint_size, anew=options.fit is not None, say=say).request
    match = request.preserve_color == "match"
    stylize = None if match else _painter(request, engine)
    for source, output in pairs:
        try:
            picture = read_picture(source, output) if first is None else first
            for note in picture.notes:
                say(note)
            height, width = picture.rgb.shape[:2]
            try:
                size = target_size(width, height, size=options.size, max_side=options.max_side)
            except InputError as error:
                raise InputError(f"{source}: {error}") from None
            frame = resized(Frame(picture.rgb, 0, 0, Fraction(1), picture.alpha), size)
            if vain := without_effect(size, options.paint_size):
                say(f"{source}: {vain}")
            paint = stylize or _painter(
                replace(request, styles=in_palette(request.styles, Palette.of(frame.data))), engine
            )
            styled = painted(frame.data, paint, options)
            styled = with_source(styled[None], frame.data[None], request)[0]
            whole = styled if frame.alpha is None else np.dstack([styled, frame.alpha])
            write_image(output, whole, picture.tags, xmp=XMP)
        except InputError as error:
            yield source, output, error
        else:
            yield source, output, None


def _painter(request: StyleRequest, engine: Engine) -> Backoff:
    code = request.codes(engine)[0]
    return Backoff(lambda frames: engine.stylize(frames, code, strength=request.strength))


def painted(frame: Frames, stylize: Callable[[Frames], Frames], options: RunOptions) -> Frames:
    """A picture (H, W, 3) in the style, painted at the size that the options say and carried to its own."""
    full = (frame.shape[1], frame.shape[0])
    size = painting_size(full, options.paint_size)
    if size == full:
        return np.asarray(stylize(frame[None])[0])
    small = with_small_copy(Frame(frame, 0, 0, Fraction(1)), size).data
    return add_detail(stylize(small[None])[0], small, frame, options.detail)
