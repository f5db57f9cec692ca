"""A film's run, settled: all that its bytes depend on is known and stands in the journal before the first frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidstyle.core.errors import VidstyleError
from vidstyle.engines.base import Engine
from vidstyle.engines.choose import make_engine
from vidstyle.engines.cuda.devices import kind
from vidstyle.models.registry import ModelDescriptor
from vidstyle.pipeline.fitting import SHORT, Fitted, asked_for, from_journal, keep_in_journal, with_fits
from vidstyle.pipeline.plan.checks import OutputExists
from vidstyle.pipeline.plan.fingerprint import file_sample, machine, pictures_sample
from vidstyle.pipeline.plan.journal import Journal, journal_folder, was_finished
from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport, peak_rss_mb
from vidstyle.pipeline.stages.batch_size import choose_batch_size
from vidstyle.pipeline.stages.threads import StageSeconds
from vidstyle.styles.request import StyleRequest


@dataclass(frozen=True)
class Job:
    """A run that is settled."""

    video: VideoPlan
    request: StyleRequest
    fitted: Fitted
    batch_size: int
    journal: Journal

    def report(
        self,
        engine: Engine,
        seconds: StageSeconds,
        warnings: Sequence[str],
        *,
        frames: int,
        kept: int,
        elapsed: float,
    ) -> RunReport:
        """What there is to say of the finished film.

        Args:
            seconds, warnings: of the work.
            frames: of the output; `kept` of them had been finished before this run.
            elapsed: seconds of wall clock.
        """
        video = self.video
        return RunReport(
            input=str(video.info.path),
            output=str(video.output),
            frames=frames,
            width=video.size[0],
            height=video.size[1],
            paint_size=min(video.painting.size),
            detail=video.painting.detail,
            road=video.painting.road,
            fit=self.fitted.report(),
            seconds=round(elapsed, 3),
            fps=round((frames - kept) / elapsed, 2),
            engine=engine.name,
            device=engine.device,
            precision=engine.precision,
            model=engine.model.name,
            stages={stage: round(value, 3) for stage, value in vars(seconds).items()},
            peak_rss_mb=peak_rss_mb(),
            warnings=[*video.warnings, *self.request.notes, *dict.fromkeys(warnings)],
        )


def settled(
    video: VideoPlan,
    request: StyleRequest,
    engine: Engine,
    options: RunOptions,
    old: Journal | None,
    say: Callable[[str], None],
) -> Job:
    """Settle a run: as `old`, an unfinished one, had it, or anew in a journal of its own.

    Raises:
        UsageError: an unfinished run that would have given other bytes.
    """
    frozen: Mapping[str, Any] = old.fingerprint if old else {}
    batch_size = options.chunk or frozen.get("chunk") or choose_batch_size(engine, video.painting.size)
    print_ = {**fingerprint(video, request, engine, batch_size), "fit": asked_for(options)}
    if old is not None:
        old.require(print_)
        if old.covered():
            fitted = from_journal(request, options, old)
            return Job(video, fitted.request, fitted, batch_size, old)
    anew = options.fit is not None or not _is_short(video)
    fitted = with_fits(request, options, engine, min(video.painting.size), anew=anew, say=say)
    journal = old or Journal.create(journal_folder(video.output), print_)
    return Job(video, keep_in_journal(fitted, journal), fitted, batch_size, journal)


def _is_short(video: VideoPlan) -> bool:
    """Whether less than SHORT seconds are styled; a film that does not say its length is long."""
    base = video.clock.time_base
    if video.info.duration is None and video.stop is None:
        return False
    begin = video.first_tick
    ends = [
        end
        for end in (video.stop, None if video.info.duration is None else begin + video.info.duration / base)
        if end is not None
    ]
    return (min(ends) - (video.start or begin)) * base < SHORT


def finished_before(error: OutputExists, source: Path, options: RunOptions) -> RunReport:
    """What there is to say of a film that was finished before this run began, and only its journal was left.

    Raises:
        OutputExists: `error`, where that is not so.
    """
    output = error.output
    journal = was_finished(output) if options.resume else None
    if journal is None:
        raise error
    with journal:
        journal.remove()
    engine, video = journal.fingerprint["engine"], journal.fingerprint["video"]
    return RunReport(
        input=str(source),
        output=str(output),
        frames=sum(journal.done.values()),
        width=video["size"][0],
        height=video["size"][1],
        paint_size=min(video["painting"]["size"]),
        detail=options.detail,
        road=video["painting"]["road"],
        fit={"steps": journal.fingerprint["fit"], "styles": []},
        seconds=0.0,
        fps=0.0,
        engine=engine["name"],
        device=engine["device"],
        precision=engine["precision"],
        model=str(options.model),
        stages=vars(StageSeconds()),
        peak_rss_mb=peak_rss_mb(),
        warnings=[f"{output}: was finished before the last run was interrupted; nothing was left to do."],
    )


def engine_like(model: ModelDescriptor, options: RunOptions, frozen: Mapping[str, Any]) -> Engine:
    """The engine that the options ask for; what they leave open stays as an unfinished run had it."""

    def settled(wish: str, key: str) -> str:
        return str(frozen.get(key, wish)) if wish == "auto" else wish

    return make_engine(
        model,
        engine=settled(options.engine, "name"),
        device=settled(options.device, "device"),
        precision=settled(options.precision, "precision"),
        threads=options.threads or frozen.get("threads"),
    )


def fingerprint(video: VideoPlan, request: StyleRequest, engine: Engine, chunk: int) -> dict[str, Any]:
    """Everything that the bytes of the result depend on, as JSON values."""
    return {
        "input": pictures_sample(video.info.pictures) if video.info.pictures else file_sample(video.info.path),
        "style": request.fingerprint(),
        "model": engine.model.digest,
        "video": video.fingerprint(),
        "engine": {
            "name": engine.name,
            "device": engine.device,
            "precision": engine.precision,
            "threads": engine.threads,
            **({"gpu": gpu} if (gpu := kind(engine.device)) else {}),
        },
        "chunk": chunk,
        "machine": machine(),
    }


def kept_for_resume(error: BaseException, journal: Journal) -> BaseException:
    """The error to raise: it says that `--resume` helps, where something is finished. An empty journal is removed."""
    if not any(journal.done.values()):
        journal.remove()
        return error
    if isinstance(error, KeyboardInterrupt):
        return KeyboardInterrupt("Interrupted; the same command with --resume goes on from here.")
    if isinstance(error, VidstyleError):
        return type(error)(f"{error} What is finished is kept in {journal.folder}; --resume goes on from there.")
    return error
