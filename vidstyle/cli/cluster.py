"""`vidstyle run --ray`: the films of a command over a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vidstyle.cli import options as opts
from vidstyle.cli.batch import VideoOutcome, check_names, conclude, make_folder, one, videos_of
from vidstyle.cluster.options import ClusterOptions, Listener
from vidstyle.core.errors import InputError, UsageError
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport

Progress = Callable[[str, int, int | None], None]


def run_over_ray(
    sources: Sequence[Path],
    styles: Sequence[str],
    output: Path | None,
    options: RunOptions,
    cluster: tuple[str, bool, float],
    *,
    json: str | None,
    quiet: bool,
) -> None:
    """What `vidstyle run` does where `--ray` is given: address, --mixed and --ray-gpus in `cluster`.

    Raises:
        UsageError: the command was wrong.
        InputError: no cluster, or one or more films failed.
    """
    from vidstyle.cluster.storage import is_url

    settings = ClusterOptions(*cluster)
    say = (lambda _: None) if quiet else opts.print_status
    videos = inputs_of(sources, say)
    single = len(sources) == 1 and videos == [_name(sources[0])]
    if output is not None and (options.out_dir is not None or not single):
        raise UsageError(f"-o {output}: names one film; for {len(videos)} give --out-dir alone.")
    check_names([Path(video) for video in videos if not is_url(video)], styles)
    request = options.style_request(styles)
    if options.out_dir is not None and not is_url(options.out_dir):
        make_folder(options.out_dir)
    from vidstyle.cluster.stylize_videos import stylize_videos  # heavy, so after all that can be wrong in the command

    results: dict[str, Callable[[], RunReport]] = {}
    outcomes: dict[str, VideoOutcome] = {}
    with _progress_bars(quiet, videos) as progress:

        def done(video: str, result: Callable[[], RunReport]) -> None:
            results[video] = result
            if single:
                return
            outcomes[video] = one(Path(video), lambda _: tell(result()), resume=options.resume)

        def tell(report: RunReport) -> RunReport:
            for warning in report.warnings:
                say(f"vidstyle: warning: {warning}")
            say(f"{report.output}: {report.frames} frames, {report.fps:.1f} frames per second")
            return report

        nodes = stylize_videos(
            videos, output, request, options=options, cluster=settings, listener=Listener(done, progress, say)
        )
    if not single:
        conclude([outcomes[video] for video in videos], quiet=quiet, json=json, nodes=nodes)
        return
    report = tell(results[videos[0]]())
    if json is not None:
        opts.emit_json({**report.to_dict(), "nodes": nodes}, json)


def _name(source: Path) -> str:
    """An input as the rest knows it: an address as it was written, a path as it is."""
    from vidstyle.cluster.storage import is_url, url_of

    return url_of(source) if is_url(source) else str(source)


def inputs_of(sources: Sequence[Path], say: Callable[[str], None]) -> list[str]:
    """The films that inputs mean, folders and folders at addresses replaced by what they hold.

    Raises:
        UsageError: as `videos_of`.
        InputError: nothing at an address.
    """
    from vidstyle.cluster.storage import is_url, url_of, videos_at

    paths = [source for source in sources if not is_url(source)]
    local = [str(path) for path in (videos_of(paths, lambda text: say(f"vidstyle: {text}")) if paths else ())]
    remote = [video for source in sources if is_url(source) for video in videos_at(url_of(source))]
    if not local and not remote:
        raise InputError("nothing is left to style; name a film.")
    return [*local, *dict.fromkeys(remote)]


@contextmanager
def _progress_bars(quiet: bool, videos: Sequence[str]) -> Iterator[Progress]:
    """A bar for each film that is being made and one for all, on stderr; nothing where that is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda *_: None
        return
    from rich.markup import escape
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from vidstyle.cli.progress import bar_columns
    from vidstyle.cluster.storage import name_of

    counts: dict[str, tuple[int, int | None]] = dict.fromkeys(videos, (0, None))
    bars_of: dict[str, TaskID] = {}
    with Bars(*bar_columns(), console=console, transient=True) as bars:
        whole = bars.add_task(f"all {len(videos)} films", total=None, visible=len(videos) > 1)

        def progress(video: str, done: int, expected: int | None) -> None:
            if video not in bars_of:
                bars_of[video] = bars.add_task(escape(name_of(video)), total=expected)
            counts[video] = (done, expected)
            ended = expected is not None and done >= expected
            bars.update(bars_of[video], completed=done, total=expected, visible=not ended or len(videos) == 1)
            known: list[Any] = [of for _, of in counts.values() if of is not None]
            # Films that are not begun yet are taken to be as long as the others.
            total = round(sum(known) / len(known) * len(videos)) if known else None
            bars.update(whole, completed=sum(n for n, _ in counts.values()), total=total)

        yield progress
