"""What is known of a video before it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from av.stream import Disposition

from vidstyle.media.colour import ColourTags
from vidstyle.media.spherical import SphericalMarks
from vidstyle.media.timestamps import UNCHANGED, Timeline


@dataclass(frozen=True)
class StreamInfo:
    """One stream of a container."""

    index: int
    type: str
    """"video", "audio", "subtitle", "data", "attachment" or "unknown"."""
    codec: str
    """FFmpeg's name of the codec ("h264", "aac"); "unknown" where there is none."""
    language: str | None = None
    title: str | None = None
    disposition: int = 0
    """Bits of FFmpeg's AV_DISPOSITION_*."""
    tag: str = ""
    """Four letters by which mp4 and mov name the kind ("gpmd"); empty where there are none."""

    @property
    def attached_picture(self) -> bool:
        return bool(self.disposition & Disposition.attached_pic)

    def __str__(self) -> str:
        codec = self.tag if self.codec in ("bin_data", "none", "unknown") and self.tag else self.codec
        about = ", ".join(x for x in (codec, self.language, self.title) if x)
        return f"{self.type} stream #{self.index} ({about})"


class ImageTimes(NamedTuple):
    """When the images of a video are shown."""

    time_base: Fraction
    """Seconds per tick."""
    frames: int
    end_pts: int
    """When the last one ends, in ticks."""


@dataclass(frozen=True)
class VideoInfo:
    """The video of a file: geometry is that of the frames `read_frames` gives (rotation applied)."""

    path: Path
    container: str
    """FFmpeg's name of the demuxer, e.g. "mov,mp4,m4a,3gp,3g2,mj2"."""
    width: int
    height: int
    time_base: Fraction
    """Seconds per tick of every pts of this video."""
    average_rate: Fraction | None
    """Frames per second as the file declares them; None where it does not."""
    frames: int | None
    """Number of frames the header declares (what decodes can differ); None where it does not."""
    duration: float | None
    """Seconds; None where unknown."""
    start_pts: int | None
    """First presentation time in ticks, None where unknown."""
    pix_fmt: str
    bit_depth: int
    has_alpha: bool
    rotation: int
    """Degrees clockwise that the reader turns decoded frames by: 0, 90, 180, 270."""
    sample_aspect_ratio: Fraction
    """Width / height of a pixel of the turned frames; 1 where unknown."""
    colour: ColourTags
    stream_index: int
    streams: tuple[StreamInfo, ...]
    codec: str = ""
    end_pts: int | None = None
    """When the last frame ends, in ticks; None where the file does not say it of this stream."""
    mirrored: bool = False
    """Frames are mirrored left-right before they are turned."""
    interlaced: bool = False
    """The first frame says that it is made of two fields."""
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Rows and columns at the top, bottom, left and right of decoded frames that the container has cut off."""
    spherical: SphericalMarks | None = None
    """How a picture of a sphere or of two eyes is to be shown; None for all others."""
    pictures: tuple[Path, ...] = ()
    """The pictures that the film lies as, where it is no video file; `path` is then a folder or a numbered name."""
    timeline: Timeline = UNCHANGED
    """What is added to the file's own times; all times above include it."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """What the user should know, one sentence each."""

    @classmethod
    def of_images(
        cls,
        path: Path,
        *,
        container: str,
        codec: str,
        size: tuple[int, int],
        alpha: bool,
        clock: ImageTimes,
        **more: Any,
    ) -> VideoInfo:
        """A video that lies as images: upright, full-range RGB of 8 bits, from time 0 on.

        Args:
            size: width and height.
            clock: when the images are shown.
            more: other fields.
        """
        return cls(
            path=path,
            container=container,
            width=size[0],
            height=size[1],
            time_base=clock.time_base,
            average_rate=Fraction(clock.frames) / (clock.end_pts * clock.time_base),
            frames=clock.frames,
            duration=float(clock.end_pts * clock.time_base),
            start_pts=0,
            pix_fmt="rgba" if alpha else "rgb24",
            bit_depth=8,
            has_alpha=alpha,
            rotation=0,
            sample_aspect_ratio=Fraction(1),
            colour=ColourTags(matrix="rgb", range="full"),
            stream_index=0,
            streams=(StreamInfo(0, "video", codec),),
            codec=codec,
            end_pts=clock.end_pts,
            **more,
        )

    @property
    def demuxed(self) -> bool:
        """Whether the film lies in a container of FFmpeg's, which may hold more than its picture."""
        return not self.pictures and self.container != "webp"
