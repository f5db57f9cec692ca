"""What the API takes: checked by pydantic, told in OpenAPI."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from vidstyle.imaging.sizes import AUTO_PAINT_SIZE, MIN_PAINT_SIZE
from vidstyle.models.style_code import MOST_STRENGTH


class Strict(BaseModel):
    """Unknown keys are refused: a mistyped one would be without effect."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class StyleChoice(Strict):
    """One style of a blend."""

    style: Annotated[str, Field(max_length=64, description="Name of a built-in style, or id of an uploaded picture.")]
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0


class PaintSettings(Strict):
    """How a video is painted."""

    styles: Annotated[list[StyleChoice], Field(min_length=1, max_length=6)]
    strength: Annotated[float, Field(ge=0, le=MOST_STRENGTH)] = 1.0
    paint_size: Annotated[int, Field(ge=MIN_PAINT_SIZE, le=4320)] | Literal["auto", "source"] = "auto"
    detail: Annotated[float, Field(ge=0, le=1)] = 1.0
    preserve_color: bool = False
    stabilize: Annotated[float, Field(ge=0, lt=1)] = 0.0
    mask: Annotated[str | None, Field(max_length=64, description="Id of an uploaded grey picture.")] = None
    learned: Annotated[bool, Field(description="Use what has been learned of a style, where something has.")] = True


class PreviewRequest(Strict):
    """A painted frame."""

    video: str
    seconds: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    side: Annotated[int, Field(ge=64, le=2048, description="The longer side of the picture is at most this.")] = 1280
    settings: PaintSettings


class RenderJob(Strict):
    """A whole video, or a part."""

    kind: Literal["render"] = "render"
    video: str
    settings: PaintSettings
    start: Annotated[float | None, Field(ge=0, le=1e6)] = None
    end: Annotated[float | None, Field(gt=0, le=1e6)] = None
    max_side: Annotated[int | None, Field(ge=16, le=16384)] = None


class LoopJob(Strict):
    """Two seconds that move, quickly: painted as the video would be, shown at the painting's own size, without sound."""

    kind: Literal["loop"]
    video: str
    settings: PaintSettings
    start: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    seconds: Annotated[float, Field(gt=0, le=10)] = 2.0


class FitJob(Strict):
    """Learn a style."""

    kind: Literal["fit"]
    style: Annotated[str, Field(max_length=64)]
    steps: Annotated[int, Field(ge=1, le=2000)] = 40
    deep: Annotated[bool, Field(description="The decoder changes as well: nearer, slower, no blends.")] = False
    paint_size: Annotated[int, Field(ge=MIN_PAINT_SIZE, le=4320)] = AUTO_PAINT_SIZE


class EvaluateJob(Strict):
    """How steady a result is, and how true, in numbers."""

    kind: Literal["evaluate"]
    job: Annotated[str, Field(description="Id of a finished render.")]


JobRequest = Annotated[RenderJob | LoopJob | FitJob | EvaluateJob, Field(discriminator="kind")]


class PathRequest(Strict):
    """A video that lies on this machine."""

    path: Annotated[str, Field(max_length=4096)]


class LiveSettings(Strict):
    """How a camera is painted."""

    styles: Annotated[list[StyleChoice], Field(min_length=1, max_length=6)]
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    learned: bool = True
