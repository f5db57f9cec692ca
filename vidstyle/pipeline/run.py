"""`stylize_video`: the road from a file to a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from vidstyle.engines.base import Engine, cores
from vidstyle.engines.choose import make_engine
from vidstyle.engines.cuda.devices import spread
from vidstyle.media.mux.mux import mux
from vidstyle.models.registry import find_model
from vidstyle.pipeline.job import Job, engine_like, finished_before, kept_for_resume, settled
from vidstyle.pipeline.plan.checks import OutputExists
from vidstyle.pipeline.plan.journal import Journal, journal_folder
from vidstyle.pipeline.plan.plan import plan_video
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport, check_arguments
from vidstyle.pipeline.plan.shots import needs_shots, with_shots
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
        video = plan_video(
            Path(source), None if output is None else Path(output), options, threads=options.threads or cores()
        )
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
        if needs_shots(request):
            say("looking for shots ...")
        request = with_shots(request, video, old.fingerprint if old else {})
        job = settled(video, request, first, options, old, say)
        if old is None:
            stack.enter_context(job.journal)
        kept = sum(job.journal.done.values())
        devices = [each.device for each in given] or spread(first.device)
        seconds, warnings = work(job, given or [first], devices, options.max_errors, progress)
        frames = sum(job.journal.done.values())
        job.journal.remove()
    return job.report(first, seconds, warnings, frames=frames, kept=kept, elapsed=time.perf_counter() - begun)


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
        warnings.append(f"memory was short: the model was given {limit} frames per call instead of {batch_size}.")
    return seconds, warnings


def engine_at(device: str, like: Engine) -> Engine:
    """The same engine on another device of its kind."""
    return make_engine(like.model, engine=like.name, device=device, precision=like.precision, threads=like.threads)
