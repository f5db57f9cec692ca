"""What a worker does: some segments of a film, with everything that this takes handed to it.

A worker is a process that Ray keeps for the next task; it holds the model that it used last.
"""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import ray

from vidstyle.cluster.delivery import Delivery, Segment, delivered
from vidstyle.cluster.kinds import kind_here, unlike
from vidstyle.cluster.storage import ScratchCopies, TransferError, is_url
from vidstyle.core import cache
from vidstyle.core.errors import InputError, VidstyleError
from vidstyle.core.files import atomic_output
from vidstyle.engines.base import Engine, Precision
from vidstyle.engines.choose import make_engine
from vidstyle.media.input.concealment import ReadReport
from vidstyle.models.model_files import model_path, shipped
from vidstyle.models.registry import ModelDescriptor, find_model
from vidstyle.pipeline.plan.journal import Journal
from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.pipeline.plan.run_options import peak_rss_mb
from vidstyle.pipeline.plan.segments import Range
from vidstyle.pipeline.stages.detail import DetailTransfer
from vidstyle.pipeline.stages.segment_runner import SegmentRunner
from vidstyle.pipeline.stages.stylize import StyleStage
from vidstyle.pipeline.stages.threads import StageSeconds
from vidstyle.styles.request import StyleRequest


@dataclass(frozen=True)
class ModelFile:
    """A model as it travels: by name where it ships with the package, else with its bytes."""

    name: str
    digest: str
    data: bytes | None = field(repr=False, compare=False)

    @classmethod
    def of(cls, model: ModelDescriptor) -> ModelFile:
        """A model that was found on this machine."""
        data = None if model.name in shipped() else model_path(model.name).read_bytes()
        return cls(model.name, model.digest, data)

    def found(self) -> ModelDescriptor:
        """The same model on this machine. Raises InputError where another one has its name."""
        if self.data is None:
            model = find_model(self.name)
        else:
            path = cache.folder() / f"model-{self.digest}.safetensors"
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_output(path) as temporary:
                    temporary.write_bytes(self.data)
            model = replace(find_model(path), name=self.name)
        if model.digest != self.digest:
            raise InputError(f"{self.name}: is another model here; install the same vidstyle everywhere.")
        return model


@dataclass(frozen=True)
class EngineSettings:
    """What an engine is made from."""

    model: ModelFile
    name: str
    device: str
    precision: Precision
    threads: int

    @classmethod
    def of(cls, engine: Engine) -> EngineSettings:
        """Those of an engine, for any GPU that a task is given instead of its own."""
        device = engine.device.partition(":")[0]
        return cls(ModelFile.of(engine.model), engine.name, device, engine.precision, engine.threads)


@lru_cache(maxsize=1)
def _engine_of(settings: EngineSettings) -> Engine:
    """The engine, made once a process."""
    return make_engine(
        settings.model.found(),
        engine=settings.name,
        device=settings.device,
        precision=settings.precision,
        threads=settings.threads,
    )


@dataclass(frozen=True)
class VideoTask:
    """What all tasks of a film share; it is sent to a machine once."""

    source: str
    """The film: an absolute path that all machines see, or an address without credentials."""
    video: VideoPlan
    request: StyleRequest
    """With codes, not pictures."""
    engine: EngineSettings
    batch_size: int
    max_errors: float
    kind: Mapping[str, Any] | None
    """Of the machines that may do it; None: any."""
    delivery: Delivery


@dataclass(frozen=True)
class Worked:
    """Where and how long a task worked."""

    node: str
    host: str
    seconds: float
    peak_rss_mb: float | None


@dataclass(frozen=True)
class Made:
    """Finished segments of a range, and what there is to say of them."""

    worked: Worked
    segments: tuple[Segment, ...]
    empty: tuple[tuple[int, int], ...]
    """Stretches of segments in which no frame is shown."""
    total: int | None
    """Segments of the whole film, where its end was reached."""
    stages: StageSeconds
    warnings: tuple[str, ...]
    report: ReadReport
    limit: int | None
    """Frames per call that memory sufficed for; None where it always did."""


@dataclass(frozen=True)
class Failed:
    """Why a range was not made."""

    worked: Worked
    sentence: str
    other_kind: bool = False
    """The machine is not of the kind that may do it: another one can."""


def make_range(task: VideoTask, segments: Range) -> Made | Failed:
    """Make the segments of a range. What a user can mend comes back as a sentence; all else is raised.

    Raises:
        TransferError: the film did not come through, which may go better the next time.
    """
    begun = time.perf_counter()

    def worked() -> Worked:
        node = ray.get_runtime_context().get_node_id()
        return Worked(node, platform.node(), time.perf_counter() - begun, peak_rss_mb())

    here = kind_here(task.engine.device)
    if task.kind is not None and task.kind != here:
        return Failed(worked(), unlike(task.kind, here), other_kind=True)
    try:
        with tempfile.TemporaryDirectory(prefix="vidstyle-") as folder:
            video = _with_source_here(task)
            with Journal.create(Path(folder) / "segments", {}) as journal:
                runner, limit = run(replace(task, video=video), segments, journal)
                made = delivered(journal, task.delivery)
            return Made(
                worked(),
                made,
                tuple(journal.empty),
                journal.total,
                runner.seconds,
                tuple(runner.warnings),
                runner.report,
                limit,
            )
    except TransferError:
        raise
    except VidstyleError as error:
        return Failed(worked(), str(error))


def run(task: VideoTask, segments: Range, journal: Journal) -> tuple[SegmentRunner, int | None]:
    """The range into a journal. Returns what counted it, and the frames per call that memory sufficed for."""
    video = task.video
    stage = StyleStage(task.request, _engine_of(task.engine), batch_size=task.batch_size, origin=video.first_tick)
    finish = None if video.painting.road == "source" else DetailTransfer(video, task.request)
    runner = SegmentRunner(video, journal, finish, task.batch_size, None, task.max_errors)
    runner.run_range(stage, segments, lambda: None)
    return runner, stage.limit


def _with_source_here(task: VideoTask) -> VideoPlan:
    """The film as it is read on this machine. Raises InputError where it is not seen here."""
    video = task.video
    if is_url(task.source):
        return replace(video, info=replace(video.info, path=ScratchCopies().get(task.source)))
    if not video.info.path.exists():
        raise InputError(
            f"{video.info.path}: is not seen there; put it where all machines see it under this name, or give an address."
        )
    return video
