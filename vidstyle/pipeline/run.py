"""`stylize_video`: the road from a file to a file."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from vidstyle.core.errors import VidstyleError
from vidstyle.engines.base import Engine, cores
from vidstyle.engines.choose import make_engine
from vidstyle.engines.cuda.devices import kind, spread
from vidstyle.media.mux.mux import mux
from vidstyle.media.output.codecs import find_codec
from vidstyle.models.checkpoint import model_digest, model_path
from vidstyle.pipeline.plan.checks import OutputExists
from vidstyle.pipeline.plan.fingerprint import file_sample, machine, pictures_sample
from vidstyle.pipeline.plan.journal import Journal, journal_folder, was_finished
from vidstyle.pipeline.plan.plan import Film, plan_film
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport, peak_rss_mb
from vidstyle.pipeline.request import Look, read_look
from vidstyle.pipeline.stages.batch_size import chosen_chunk
from vidstyle.pipeline.stages.detail import DetailTransfer
from vidstyle.pipeline.stages.segment_runner import Filling, Progress, ranges_of
from vidstyle.pipeline.stages.stylize import Painter
from vidstyle.pipeline.stages.threads import StageSeconds


def stylize_video(
    source: str | Path,
    output: str | Path | None,
    styles: str | Sequence[str] = (),
    *,
    options: RunOptions | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Write a film in the style of one picture, or of a blend of several.

    Args:
        source: a video file.
        output: where to; None is NAME.styled.SUFFIX in the current folder.
        styles: built-in names, picture files or compiled codes, each with ":WEIGHT" if it has one; none where
            `options.keyframes` names them.
        progress: told as frames are finished.

    Raises:
        InputError: the input or the work failed.
        UsageError: the request was wrong.
        KeyboardInterrupt: interrupted; finished segments are kept for `options.resume`.
    """
    begun = time.perf_counter()
    options = options or RunOptions()
    try:
        film = plan_film(Path(source), None if output is None else Path(output), options, threads=cores())
    except OutputExists as error:
        journal = was_finished(error.output) if options.resume else None
        if journal is None:
            raise
        with journal:
            journal.remove()
        return report_again(Path(source), error.output, journal, options)
    look = read_look(styles, options, film.size, film.painting.size)
    model_path(options.model)
    folder = journal_folder(film.output)
    with ExitStack() as stack:
        old = stack.enter_context(Journal.reopen(folder)) if options.resume and folder.is_dir() else None
        frozen: Mapping[str, Any] = old.fingerprint if old else {}
        engine = engine_like(options, frozen.get("engine", {}))
        chunk = options.chunk or frozen.get("chunk") or chosen_chunk(engine, options.model, film.painting.size)
        print_ = fingerprint(film, options, look, engine, chunk)
        if old is not None:
            old.require(print_)
        painter = Painter(look, engine, options.model, batch_size=chunk, origin=film.target.start_pts or 0)
        journal = old or stack.enter_context(Journal.create(folder, print_))
        kept = sum(journal.done.values())
        devices = spread(engine.device)
        ranges = ranges_of(film, journal, len(devices))
        painters = [painter, *(painter.twin(engine_at(d, engine, options)) for d in devices[1 : len(ranges)])]
        try:
            finish = None if film.painting.road == "source" else DetailTransfer(film, look)
            filling = Filling(film, journal, finish, chunk, progress, options.max_errors)
            seconds, warnings = filling.run(ranges, painters)
            warnings += mux(
                journal.parts(),
                film.target,
                film.output,
                start=film.start,
                stop=film.stop,
                tag=find_codec(film.settings.codec).tag,
                scratch=journal.folder,
            )
        except BaseException as error:
            raise kept_for_resume(error, journal) from error
        frames = sum(journal.done.values())
        journal.remove()
    for limit in {p.limit for p in painters if p.limit}:
        warnings.append(f"memory was short: the model was given {limit} frames a call instead of {chunk}.")
    elapsed = time.perf_counter() - begun
    return RunReport(
        input=str(film.info.path),
        output=str(film.output),
        frames=frames,
        width=film.size[0],
        height=film.size[1],
        paint_size=min(film.painting.size),
        detail=film.painting.detail,
        road=film.painting.road,
        seconds=round(elapsed, 3),
        fps=round((frames - kept) / elapsed, 2),
        engine=engine.name,
        device=engine.device,
        precision=engine.precision,
        model=str(options.model),
        stages={stage: round(value, 3) for stage, value in vars(seconds).items()},
        peak_rss_mb=peak_rss_mb(),
        warnings=[*film.warnings, *dict.fromkeys(warnings)],
    )


def report_again(source: Path, output: Path, journal: Journal, options: RunOptions) -> RunReport:
    """What there is to say of a film that was finished before this run began."""
    engine, film = journal.fingerprint["engine"], journal.fingerprint["film"]
    return RunReport(
        input=str(source),
        output=str(output),
        frames=sum(journal.done.values()),
        width=film["size"][0],
        height=film["size"][1],
        paint_size=min(film["painting"]["size"]),
        detail=options.detail,
        road=film["painting"]["road"],
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


def engine_like(options: RunOptions, frozen: Mapping[str, Any]) -> Engine:
    """The engine that the options ask for; what they leave open stays as an unfinished run had it."""

    def settled(wish: str, key: str) -> str:
        return str(frozen.get(key, wish)) if wish == "auto" else wish

    return make_engine(
        options.model,
        engine=settled(options.engine, "name"),
        device=settled(options.device, "device"),
        precision=settled(options.precision, "precision"),
        threads=options.threads or frozen.get("threads"),
    )


def engine_at(device: str, like: Engine, options: RunOptions) -> Engine:
    """The same engine on another device of its kind."""
    return make_engine(options.model, engine=like.name, device=device, precision=like.precision, threads=like.threads)


def fingerprint(film: Film, options: RunOptions, look: Look, engine: Engine, chunk: int) -> dict[str, Any]:
    """Everything that the bytes of the result depend on, as JSON values."""
    return {
        "input": pictures_sample(film.info.pictures) if film.info.pictures else file_sample(film.info.path),
        "look": look.fingerprint(),
        "model": model_digest(options.model),
        "film": film.fingerprint(),
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
