"""At what size a film is painted, and on which road the painting gets to full size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from vidstyle.imaging.sizes import MIN_PAINT_SIZE, PaintSize, painting_size
from vidstyle.media.input.planar_reader import PlaneSizes, holds_planes
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.media.output.planar_writer import takes_planes
from vidstyle.media.output.writer import EncodeSettings
from vidstyle.pipeline.plan.run_options import RunOptions

Road = Literal["source", "planes", "rgb"]
""""source": painted at full size; "planes": enlarged on the film's own 4:2:0 planes; "rgb": in RGB."""


@dataclass(frozen=True)
class Painting:
    """How the frames of a film are painted."""

    size: tuple[int, int]
    """Width and height that the model sees."""
    full: tuple[int, int]
    """Width and height of the result."""
    detail: float
    road: Road

    @property
    def planes(self) -> PlaneSizes | None:
        """What the reader makes on the road of planes."""
        return PlaneSizes(self.full, self.size) if self.road == "planes" else None

    def fingerprint(self) -> dict[str, Any]:
        """What of this changes bytes, as JSON values."""
        return {"size": list(self.size), "detail": None if self.road == "source" else self.detail, "road": self.road}


def without_effect(full: tuple[int, int], wish: PaintSize) -> str | None:
    """Why a painting size that was asked for cannot be had in a frame of this width and height; None where it can."""
    short = min(full)
    if not isinstance(wish, int) or wish == short or painting_size(full, wish) != full:
        return None
    why = f"smaller than {MIN_PAINT_SIZE}" if short < MIN_PAINT_SIZE else "not larger than that"
    return f"--paint-size {wish}: the frame's short side is {short}, {why}; it is painted as it is."


def plan_painting(
    info: VideoInfo, full: tuple[int, int], settings: EncodeSettings, options: RunOptions
) -> tuple[Painting, list[str]]:
    """Settle the painting of a film, and what there is to say of it.

    Args:
        full: width and height of the result.
    """
    size = painting_size(full, options.paint_size)
    note = without_effect(full, options.paint_size)
    warnings = [note] if note else []
    if size == full:
        return Painting(full, full, options.detail, "source"), warnings
    # The source's own colours come in at full size.
    mixed = options.preserve_color in ("luma", "local") or options.mask is not None or bool(options.keep)
    planes = not mixed and holds_planes(info) and takes_planes(settings.resolved_pix_fmt()) is not None
    return Painting(size, full, options.detail, "planes" if planes else "rgb"), warnings
