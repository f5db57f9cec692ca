"""GIF output: lossless segments in, one animated GIF out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from vidstyle.imaging.frame import Frame
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.output.spec import OutputSpec
from vidstyle.media.timestamps import rescale

_CLOCK = Fraction(1, 100)


def write_gif(parts: Sequence[Path], info: VideoInfo, output: Path, spec: OutputSpec, *, shift: int) -> list[str]:
    """Encode the frames of `parts` (times in the clock of `spec`, `shift` added) as an animated GIF that loops for ever.

    Every frame has its own palette of 256 colours (median cut), or of 255 and one that is transparent. Times are the
    nearest hundredth of a second; frames that would fall on the same one are shown one hundredth each.

    Returns warnings, one sentence for each stream of the source that is left out.
    """
    with av.open(str(output), "w", format="gif", container_options={"loop": "0", "fflags": "+bitexact"}) as container:
        first = probe(parts[0])
        stream = container.add_stream("gif", rate=spec.rate or 10)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.time_base = first.width, first.height, "pal8", _CLOCK
        last = -1
        for frame in (frame for part in parts for frame in read_frames(probe(part))):
            indexed = _palette_frame(frame)
            ticks = rescale(frame.pts, frame.time_base, spec.time_base) + shift
            last = max(last + 1, rescale(ticks, spec.time_base, _CLOCK))
            indexed.pts, indexed.time_base = last, _CLOCK
            container.mux(stream.encode(indexed))
        container.mux(stream.encode())
    others = [s for s in info.streams if s.index != info.stream_index]
    return [f"{output.suffix} cannot hold {s}; it is left out." for s in others]


def _palette_frame(frame: Frame) -> av.VideoFrame:
    """A frame with a palette (pal8); what is less than half opaque becomes transparent."""
    colours = 256 if frame.alpha is None else 255
    indexed = Image.fromarray(frame.data).quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    indices = np.asarray(indexed, np.uint8).copy()
    rgb = np.array(indexed.getpalette(), np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 4), np.uint8)  # ARGB
    palette[:, 0] = 255  # of unused entries too: the encoder takes the first transparent one
    palette[: len(rgb), 1:] = rgb
    if frame.alpha is not None:
        indices[frame.alpha < 128] = 255
        palette[255] = 0
    return av.VideoFrame.from_ndarray((indices, palette), format="pal8")  # type: ignore[arg-type]
