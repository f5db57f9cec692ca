"""`vidstyle run` on one film, and on several: one after the other, a failure stops none of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.cli import options as opts
from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import cause

if TYPE_CHECKING:
    from vidstyle.pipeline.plan.run_options import RunOptions, RunReport
    from vidstyle.styles.request import StyleRequest

Style = Callable[[Path], "RunReport"]


def check_names(videos: Sequence[Path], styles: Sequence[str]) -> None:
    """Refuse at once a style that is not there, and a video that is the only input. Raises InputError or UsageError."""
    from vidstyle.core.files import check_readable
    from vidstyle.media.paths import NumberedName
    from vidstyle.styles.resolve import located, parse

    if len(videos) == 1 and not videos[0].is_dir() and NumberedName.parse(videos[0]) is None:
        check_readable(videos[0])
    for style in styles:
        located(parse(style).ref)


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out-dir {folder}: cannot be made ({cause(error)}); choose another.") from error


def videos_of(sources: Sequence[Path], print_status: Callable[[str], None] = lambda _: None) -> list[Path]:
    """The inputs with folders of videos replaced by what they hold, without films of our own making; a folder of pictures is
    one film.

    Raises:
        UsageError: a folder of both, or inputs whose outputs would have one name.
    """
    from vidstyle.media.paths import find_images, find_videos

    found: list[Path] = []
    for source in sources:
        videos = find_videos(source) if source.is_dir() else ()
        if videos and find_images(source):
            raise UsageError(
                f"{source}: holds videos and pictures; name the files, or {source}/%06d.png for the pictures."
            )
        if not videos:
            found.append(source)
            continue
        from vidstyle.media.made_here import made_here  # opens files: PyAV is not imported for a name

        own = [video for video in videos if made_here(video)]
        if own:
            print_status(
                f"{source}: {len(own)} films in it were made by vidstyle and are left out; name them to style them again."
            )
        found += [video for video in videos if video not in own]
    if not found:
        raise UsageError("nothing is left to style; name a film.")
    names: dict[str, Path] = {}
    for name, namesakes in _by_name(found).items():
        for video in namesakes:
            output = (name if len(namesakes) == 1 else _output_name(video)).casefold()
            other = names.setdefault(output, video)
            if other is not video:
                raise UsageError(
                    f"{other} and {video}: their outputs would have one name; style them one by one with -o."
                )
    return found


def _by_name(videos: Sequence[Path]) -> dict[str, list[Path]]:
    """Films by what their outputs are named after."""
    from vidstyle.media.paths import video_name

    found: dict[str, list[Path]] = {}
    for video in videos:
        found.setdefault(video_name(video).casefold(), []).append(video)
    return found


def _output_name(video: Path) -> str:
    """Name of a film's output where another film has the same: by its suffix they may differ. One that cannot be read has none,
    and is told when its turn comes."""
    from vidstyle.core.errors import VidstyleError
    from vidstyle.media.input.probe import probe
    from vidstyle.media.output.containers import default_suffix
    from vidstyle.media.paths import find_images, video_name

    if find_images(video):
        return f"{video_name(video)}.mp4"
    try:
        return f"{video_name(video)}{default_suffix(probe(video))}"
    except VidstyleError:
        return str(video.absolute())


def style_one(
    video: Path,
    output: Path | None,
    request: StyleRequest,
    options: RunOptions,
    *,
    title: str,
    say: Callable[[str], None] | None,
    watch: Callable[[], None] | None = None,
) -> RunReport:
    """Style a film with a progress bar, and tell what there is to tell of it.

    Args:
        title: of the bar.
        say: takes what is told; None: tell nothing, and show no bar.
        watch: called as frames are finished; what it raises ends the work.
    """
    from vidstyle.cli.progress import progress_bar
    from vidstyle.pipeline.run import stylize_video  # heavy, so after all that can be wrong in the command

    with progress_bar(say is None, title) as bar:

        def progress(done: int, total: int | None) -> None:
            if watch is not None:
                watch()
            if bar is not None:
                bar(done, total)

        told = say or (lambda _: None)
        report = stylize_video(video, output, request, options=options, progress=progress, say=told)
    for warning in report.warnings:
        told(f"vidstyle: warning: {warning}")
    told(f"{report.output}: {report.frames} frames, {report.fps:.1f} frames per second")
    return report


@dataclass(frozen=True)
class VideoOutcome:
    """What became of one film."""

    source: Path
    report: RunReport | None = None
    error: str | None = None
    kept: bool = False
    """Its output was there already, and --resume was given."""

    def to_dict(self) -> dict[str, Any]:
        if self.report is not None:
            return self.report.to_dict()
        return {"input": str(self.source), "error": self.error, "kept": self.kept}


def run_all(videos: Sequence[Path], style: Style, *, resume: bool, quiet: bool, json: str | None) -> None:
    """Style all films, then tell what became of each: a table on stderr, one JSON object with `films` and `failed`.

    Raises:
        InputError: one or more failed; the others are done.
    """
    conclude([one(video, style, resume=resume) for video in videos], quiet=quiet, json=json)


def conclude(outcomes: Sequence[VideoOutcome], *, quiet: bool, json: str | None, **more: Any) -> None:
    """Tell what became of all films; `more` goes into the JSON object.

    Raises:
        InputError: one or more failed.
    """
    failed = sum(outcome.error is not None for outcome in outcomes)
    if not quiet:
        _print_table(outcomes)
    if json is not None:
        opts.emit_json({"films": [outcome.to_dict() for outcome in outcomes], "failed": failed, **more}, json)
    if failed:
        raise InputError(f"{failed} of {len(outcomes)} films failed; the others are done.")


def one(video: Path, style: Style, *, resume: bool) -> VideoOutcome:
    from vidstyle.cli import system_sentence
    from vidstyle.core.errors import VidstyleError
    from vidstyle.pipeline.plan.checks import OutputExists

    try:
        return VideoOutcome(video, report=style(video))
    except OutputExists as error:
        if resume:
            return VideoOutcome(video, kept=True)
        sentence = str(error)
    except VidstyleError as error:
        sentence = str(error)
    except (OSError, MemoryError) as error:
        sentence = f"{video}: {system_sentence(error)}"
    opts.print_status(f"vidstyle: {sentence}")
    return VideoOutcome(video, error=sentence)


def _print_table(outcomes: Sequence[VideoOutcome]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("film", "result", "frames", "frames per second", "warnings")
    for outcome in outcomes:
        report = outcome.report
        if report is not None:
            row = (report.output, str(report.frames), f"{report.fps:.1f}", str(len(report.warnings) or ""))
        else:
            row = ("was there already" if outcome.kept else f"failed: {outcome.error}", "", "", "")
        table.add_row(Text(str(outcome.source)), *map(Text, row))
    Console(stderr=True).print(table)
