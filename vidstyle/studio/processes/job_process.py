"""The process of one job: `python -m vidstyle.studio.processes.job_process FOLDER`.

It reads its job, one line of JSON, from standard input, and tells how it goes in lines of JSON on standard output: {done,
total}, {message}, and at last {report, result} or {error}. When standard input closes its server is gone, and it ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from vidstyle.core.errors import InputError, UsageError, VidstyleError

Tell = Callable[..., None]


def main() -> None:
    place = Path(sys.argv[1])
    # What libraries print must not come between our lines.
    told = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # what somebody looks at goes first
    turn = threading.Lock()

    def tell(**news: Any) -> None:
        with turn:
            told.write(json.dumps(news) + "\n")

    try:
        with FileLock(place / "process.lock", timeout=20):  # one whose server was killed may still be ending
            report, result = _WORK[job["kind"]](place, job, tell)
        tell(report=report, result=result)
    except VidstyleError as error:
        tell(error=_without_paths(str(error), place, job))
    except MemoryError:
        tell(error="not enough memory for this; choose a smaller painting size, or make the video smaller.")
    except Exception as error:
        traceback.print_exc()
        tell(error=f"it failed ({type(error).__name__}: {_without_paths(str(error), place, job)[:200]}).")


def _end_with_the_server() -> None:
    sys.stdin.read()
    os._exit(1)


def _without_paths(sentence: str, place: Path, job: dict[str, Any]) -> str:
    """A sentence with the user's names in the place of our paths, and without advice about a command line."""
    for path, name in ((job.get("video"), job.get("video_name")), *job.get("names", ())):
        if path and name:
            sentence = sentence.replace(str(path), str(name))
    sentence = sentence.replace(f"{place}{os.sep}", "")
    return sentence.partition(" What is finished is kept in ")[0]


def progress(tell: Tell) -> Callable[[int, int | None], None]:
    """Tells frames or steps that are finished, ten times per second at most."""
    last = [0.0]

    def told(done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - last[0] > 0.1 or done == total:
            last[0] = now
            tell(done=done, total=total)

    return told


def render(place: Path, job: dict[str, Any], tell: Tell) -> tuple[dict[str, Any], str]:
    """Paint a video, or go on with one."""
    from dataclasses import replace
    from fractions import Fraction

    from vidstyle.media.input.probe import probe
    from vidstyle.media.output.containers import default_suffix
    from vidstyle.pipeline.plan.journal import journal_folder
    from vidstyle.pipeline.plan.run_options import RunOptions
    from vidstyle.pipeline.run import stylize_video

    tell(message="looking at the video")
    video, request = Path(job["video"]), job["request"]
    output = place / f"result{default_suffix(probe(video))}"
    resumable = journal_folder(output).is_dir()
    if output.exists() and not resumable:
        return job.get("report") or {}, output.name  # finished by a process that could not say so any more
    start, end = request.get("start"), request.get("end")
    options = RunOptions(
        **_run_settings(job),
        start=None if start is None else Fraction(str(start)),
        end=None if end is None else Fraction(str(end)),
        max_side=request.get("max_side"),
        segment=Fraction(4),
        resume=resumable,
    )
    tell(message="preparing the model")
    given = [f"{ref}:{weight}" for ref, weight in job["styles"]]
    try:
        report = stylize_video(video, output, given, options=options, progress=progress(tell))
    except UsageError:
        if not resumable:
            raise
        options = replace(options, resume=False, overwrite=True)  # of another version: what there is cannot be used
        report = stylize_video(video, output, given, options=options, progress=progress(tell))
    told = report.to_dict()
    told |= {"input": job["video_name"], "output": output.name}
    told["warnings"] = [_without_paths(warning, place, job) for warning in report.warnings]
    return told, output.name


def _run_settings(job: dict[str, Any]) -> dict[str, Any]:
    """Of the job's painting, as `RunOptions` takes it. What has been learned is used as a file; nothing is fitted here."""
    wish = job["request"]["settings"]
    same = ("strength", "paint_size", "detail", "preserve_color", "stabilize")
    where = {name: job[name] for name in ("model", "engine", "device")}
    return {**{name: wish[name] for name in same}, **where, "mask": job["mask"], "fit": 0}


def loop(place: Path, job: dict[str, Any], tell: Tell) -> tuple[dict[str, Any], str]:
    """Two seconds at the size of the painting."""
    from fractions import Fraction

    from vidstyle.imaging.sizes import painting_size
    from vidstyle.media.input.probe import probe
    from vidstyle.pipeline.plan.run_options import RunOptions
    from vidstyle.pipeline.run import stylize_video

    video, request = Path(job["video"]), job["request"]
    tell(message="preparing the model")
    info = probe(video)
    side = max(painting_size((info.width, info.height), request["settings"]["paint_size"]))
    start = Fraction(str(request["start"]))
    options = RunOptions(
        **_run_settings(job),
        start=start,
        end=start + Fraction(str(request["seconds"])),
        max_side=min(side, 1280),
        codec="h264",
        overwrite=True,
    )
    given = [f"{ref}:{weight}" for ref, weight in job["styles"]]
    report = stylize_video(video, place / "result.mp4", given, options=options, progress=progress(tell))
    return {"frames": report.frames, "fps": report.fps, "seconds": report.seconds}, "result.mp4"


def fit(place: Path, job: dict[str, Any], tell: Tell) -> tuple[dict[str, Any], None]:
    """Learn a style into the file that previews and renders look for."""
    from vidstyle.engines.base import cores
    from vidstyle.models.model_files import read_metadata
    from vidstyle.models.registry import find_model
    from vidstyle.styles.fit.make import make
    from vidstyle.styles.fit.optimise import Art
    from vidstyle.styles.fit.settings import FitSettings
    from vidstyle.styles.resolve import resolve

    request, target = job["request"], Path(job["target"])
    settings = FitSettings(steps=request["steps"], deep=request["deep"], paint_size=request["paint_size"])
    tell(message="reading the painting")
    read, strokes = resolve(job["ref"]), resolve(job["ref"], size=settings.target_size)
    if isinstance(read, Path) or isinstance(strokes, Path):
        raise InputError(f"{job['style_name']}: is a style's file already.")
    model = find_model(job["model"])
    told = progress(tell)
    tell(done=0, total=settings.steps)
    make(
        model.load(),
        model.digest,
        [Art(read, strokes)],
        settings,
        target,
        name=job["style_name"],
        threads=cores(),
        progress=told,
    )
    about = read_metadata(target)["fit"]
    before, after = (sum(about[key].values()) for key in ("read", "kept"))
    return {"loss_read": before, "loss_learned": after, "share": about["share"]}, None


def evaluate(place: Path, job: dict[str, Any], tell: Tell) -> tuple[dict[str, Any], None]:
    """Measure a result against its source, as `vidstyle evaluate` does."""
    from vidstyle.imaging.flow import DisFlow
    from vidstyle.losses.network import loss_network
    from vidstyle.media.input.probe import probe
    from vidstyle.metrics.evaluation import Options
    from vidstyle.metrics.evaluation import evaluate as measure
    from vidstyle.metrics.report.summary import summary
    from vidstyle.metrics.rulers import rulers
    from vidstyle.styles.resolve import resolve

    source, styled = probe(Path(job["video"])), probe(Path(job["styled"]))
    picture = resolve(job["ref"], size=512) if job["ref"] else None
    chosen = () if picture is None or isinstance(picture, Path) else rulers(picture, loss_network(), "cpu")
    told = progress(tell)
    result = measure(
        source,
        styled,
        DisFlow(),
        rulers=chosen,
        options=Options(skip=job["start"]),
        progress=lambda n: told(n, styled.frames),
    )
    return summary(result), None


_WORK: dict[str, Callable[[Path, dict[str, Any], Tell], tuple[dict[str, Any], str | None]]] = {
    "render": render,
    "loop": loop,
    "fit": fit,
    "evaluate": evaluate,
}

if __name__ == "__main__":
    main()
