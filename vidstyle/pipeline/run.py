"""`stylize_video`: the road from a file to a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidstyle.core.errors import VidstyleError
from vidstyle.engines.base import Engine, cores
from vidstyle.engines.choose import make_engine
from vidstyle.engines.cuda.devices import kind, spread
from vidstyle.media.mux.mux import mux
from vidstyle.models.registry import ModelDescriptor, find_model
from vidstyle.pipeline.fitting import SHORT, Fitted, asked_for, from_journal, keep_in_journal, with_fits
from vidstyle.pipeline.plan.checks import OutputExists
from vidstyle.pipeline.plan.fingerprint import file_sample, machine, pictures_sample
from vidstyle.pipeline.plan.journal import Journal, journal_folder, was_finished
from vidstyle.pipeline.plan.plan import VideoPlan, plan_video
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport, check_arguments, peak_rss_mb
from vidstyle.pipeline.stages.batch_size import choose_batch_size
from vidstyle.pipeline.stages.detail import DetailTransfer
from vidstyle.pipeline.stages.segment_runner import Progress, SegmentRunner, ranges_of
from vidstyle.pipeline.stages.stylize import StyleStage
from vidstyle.pipeline.stages.threads import StageSeconds
from vidstyle.styles.request import StyleRequest
from vidstyle.styles.source import StyleLike


def stylize_video(
    source: str | Path,
    output: str | Path | None,
    styles: StyleLike | Sequence[StyleLike] | StyleRequest = (),
    *,
    options: RunOptions | None = None,
    progress: Progress | None = None,
    engine: Engine | Sequence[Engine] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> RunReport:
    """Write a film in the style of one picture, or of a blend of several.

    Args:
        source: a video file.
        output: where to; None is NAME.styled.SUFFIX in the current folder.
        styles: built-in names, picture files or compiled codes, each with ":WEIGHT" if it has one; none where
            `options.keyframes` names them. Or a request that has been read, whose settings then count, not those of `options`.
        progress: told as frames are finished.
        engine: what runs the model, or several of one kind that share the work; it then counts, not what `options` say about
            model and device. None makes one.
        say: told a line where a style is fitted first, or used as it is read.

    Raises:
        InputError: the input or the work failed.
        UsageError: the request was wrong.
        KeyboardInterrupt: interrupted; finished segments are kept for `options.resume`.
    """
    begun = time.perf_counter()
    options = options or RunOptions()
    check_arguments(source, "" if output is None else output, options)
    try:
        video = plan_video(Path(source), None if output is None else Path(output), options, threads=cores())
    except OutputExists as error:
        return finished_before(error, Path(source), options)
    request = styles if isinstance(styles, StyleRequest) else options.style_request(styles)
    request = request.at_size(video.painting.size if request.mixes_two else video.size)
    given = [] if engine is None else list(engine) if isinstance(engine, Sequence) else [engine]
    model = given[0].model if given else find_model(options.model)
    folder = journal_folder(video.output)
    with ExitStack() as stack:
        old = stack.enter_context(Journal.reopen(folder)) if options.resume and folder.is_dir() else None
        first = given[0] if given else engine_like(model, options, old.fingerprint.get("engine", {}) if old else {})
        job = settled(video, request, first, options, old, say)
        if old is None:
            stack.enter_context(job.journal)
        kept = sum(job.journal.done.values())
        devices = [each.device for each in given] or spread(first.device)
        seconds, warnings = work(job, given or [first], devices, options.max_errors, progress)
        frames = sum(job.journal.done.values())
        job.journal.remove()
    elapsed = time.perf_counter() - begun
    return RunReport(
        input=str(video.info.path),
        output=str(video.output),
        frames=frames,
        width=video.size[0],
        height=video.size[1],
        paint_size=min(video.painting.size),
        detail=video.painting.detail,
        road=video.painting.road,
        fit=job.fitted.report(),
        seconds=round(elapsed, 3),
        fps=round((frames - kept) / elapsed, 2),
        engine=first.name,
        device=first.device,
        precision=first.precision,
        model=model.name,
        stages={stage: round(value, 3) for stage, value in vars(seconds).items()},
        peak_rss_mb=peak_rss_mb(),
        warnings=[*video.warnings, *job.request.notes, *dict.fromkeys(warnings)],
    )


@dataclass(frozen=True)
class Job:
    """A run that is settled: all that its bytes depend on is known and stands in the journal."""

    video: VideoPlan
    request: StyleRequest
    fitted: Fitted
    batch_size: int
    journal: Journal


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
    anew = options.fit is not None or not is_short(video)
    fitted = with_fits(request, options, engine, min(video.painting.size), anew=anew, say=say)
    journal = old or Journal.create(journal_folder(video.output), print_)
    return Job(video, keep_in_journal(fitted, journal), fitted, batch_size, journal)


def work(
    job: Job, engines: Sequence[Engine], devices: Sequence[str], max_errors: float, progress: Progress | None
) -> tuple[StageSeconds, list[str]]:
    """Style what is missing, then join it all to the output. Returns the busy times and warnings.

    Args:
        engines: the first one, or all.
        devices: of all; what the first one has no fellow on yet gets one, if there is work for it.
    """
    video, first, batch_size = job.video, engines[0], job.batch_size
    try:
        ranges = ranges_of(video, job.journal, len(devices))
        others = engines[1 : len(ranges)] or [engine_at(device, first) for device in devices[1 : len(ranges)]]
        stage = StyleStage(job.request, first, batch_size=batch_size, origin=video.first_tick)
        stages = [stage, *(stage.on(other) for other in others)]
        finish = None if video.painting.road == "source" else DetailTransfer(video, job.request)
        runner = SegmentRunner(video, job.journal, finish, batch_size, progress, max_errors)
        seconds, warnings = runner.run(ranges, stages)
        warnings += mux(job.journal.parts(), video.info, video.output, video.spec, scratch=job.journal.folder)
    except BaseException as error:
        raise kept_for_resume(error, job.journal) from error
    for limit in {each.limit for each in stages if each.limit}:
        warnings.append(f"memory was short: the model was given {limit} frames a call instead of {batch_size}.")
    return seconds, warnings


def is_short(video: VideoPlan) -> bool:
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


def engine_at(device: str, like: Engine) -> Engine:
    """The same engine on another device of its kind."""
    return make_engine(like.model, engine=like.name, device=device, precision=like.precision, threads=like.threads)


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
