"""`stylize_videos`: films over a cluster, each as `stylize_video` would make it on a machine of that kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.cluster.connection import connected
from vidstyle.cluster.options import ClusterOptions, Listener
from vidstyle.cluster.outputs import Outputs
from vidstyle.cluster.storage import ScratchCopies, is_url, shown, url_of
from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.models.registry import find_model
from vidstyle.pipeline.job import engine_like, finished_before
from vidstyle.pipeline.plan.checks import OutputExists
from vidstyle.pipeline.plan.journal import journal_folder
from vidstyle.pipeline.plan.plan import plan_video
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport
from vidstyle.styles.request import StyleRequest

if TYPE_CHECKING:
    from vidstyle.cluster.open_video import PlannedVideo


def stylize_videos(
    sources: Sequence[str | Path],
    output: str | Path | None,
    request: StyleRequest,
    *,
    options: RunOptions,
    cluster: ClusterOptions,
    listener: Listener,
) -> list[dict[str, Any]]:
    """Write films in a style, their segments made by all machines of a Ray cluster.

    Args:
        sources: videos by path, which all machines have to see, or by address.
        output: of a single film: a path or an address; None: as `options.out_dir` says.
        listener: told of films that are finished or fail.

    Returns:
        What each machine did (`figures.NodeFigures`).

    Raises:
        UsageError: the command was wrong, or no machine fits.
        InputError: no cluster.
        KeyboardInterrupt: interrupted; finished segments are kept for `options.resume`.
    """
    outputs = Outputs.of(output, options)
    videos = _planned(sources, outputs, options, listener)
    if not videos:
        return []
    with connected(cluster.address):
        from vidstyle.cluster.driver import Driver
        from vidstyle.cluster.kinds import chosen, kind_here, survey
        from vidstyle.cluster.open_video import OpenVideo

        frozen = _frozen(videos) if options.resume else {}
        model = find_model(options.model)
        first = engine_like(model, options, frozen)
        own = kind_here(first.device)
        choice = chosen(survey(first.device), own, mixed=cluster.mixed)
        for warning in choice.warnings:
            listener.say(f"vidstyle: warning: {warning}")
        threads = options.threads or frozen.get("threads") or min(node.cpus for node in choice.nodes)
        options = replace(options, threads=threads)
        engine = engine_like(model, options, frozen)
        driver = Driver(engine, options, cluster, choice, None if cluster.mixed else own, listener.say)

        def open_(video: PlannedVideo) -> OpenVideo:
            settings = replace(video.plan.settings, threads=threads)
            video = replace(video, plan=replace(video.plan, settings=settings))
            return OpenVideo(
                video,
                request,
                engine,
                options,
                progress=lambda n, of: listener.progress(video.source, n, of),
                say=listener.say,
            )

        driver.run(videos, open_, lambda video, result: listener.done(video.source, result))
        return driver.figures.to_list()


def _planned(
    sources: Sequence[str | Path], outputs: Outputs, options: RunOptions, listener: Listener
) -> list[PlannedVideo]:
    """The films that can be made; the others are done with at once."""
    from vidstyle.cluster.open_video import PlannedVideo

    videos: list[PlannedVideo] = []
    taken: dict[Path, str] = {}
    for each in sources:
        source = url_of(each) if is_url(each) else str(each)
        try:
            path = ScratchCopies().get(source) if is_url(source) else Path(source)
            try:
                plan = plan_video(path, outputs.local, outputs.options, threads=options.threads or 1)
            except OutputExists as error:
                report = finished_before(error, path, options)
                listener.done(source, lambda report=report: report)  # type: ignore[misc]
                continue
            if plan.output in taken:
                raise UsageError(
                    f"{shown(source)} and {shown(taken[plan.output])}: their outputs would have one name; "
                    "style them one by one with -o."
                )
            taken[plan.output] = source
            videos.append(PlannedVideo(source, plan, outputs.target(plan.output)))
        except VidstyleError as error:
            listener.done(source, _raising(error))
    return videos


def _raising(error: VidstyleError) -> Callable[[], RunReport]:
    def raise_() -> RunReport:
        raise error

    return raise_


def _frozen(videos: Sequence[PlannedVideo]) -> Mapping[str, Any]:
    """The engine of the first of the films that has an unfinished run; what the options leave open stays as that had it."""
    for video in videos:
        with suppress(OSError, ValueError, KeyError):
            told = json.loads((journal_folder(video.plan.output) / "run.json").read_text())
            return dict(told["engine"])
    return {}
