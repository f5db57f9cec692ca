"""`vidstyle run` on a film that comes through a pipe or from an address, and one that goes out through a pipe."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidstyle.cli import options as opts
from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.media.paths import PIPE, is_piped
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport

if TYPE_CHECKING:
    from vidstyle.media.pipes.stdout import Stdout

_FORMATS = {"matroska": ".mkv", "nut": ".nut", "y4m": ".mkv"}
"""What goes out, and as what it is written before; y4m is unpacked from lossless frames."""
_LOSSLESS = "ffv1"


def run_piped(
    source: str,
    output: Path | None,
    format_: str | None,
    styles: Sequence[str],
    options: RunOptions,
    *,
    json: str | None,
    quiet: bool,
) -> None:
    """What `vidstyle run` does where its input is "-" or an address, or its output "-".

    The input is written to a temporary file first, the output sent when it is whole.

    Raises:
        UsageError: the command asks for what cannot be done with a pipe.
        InputError: the input or the work failed, or who reads the output has left.
    """
    from vidstyle.cli.batch import check_names, style_one
    from vidstyle.media.pipes.spool import spool

    out = output is not None and str(output) == PIPE
    _check(source, output, format_, options, json=json)
    piped = is_piped(source)
    check_names([] if piped else [Path(source)], [*styles, *options.style_per_shot])
    request = options.style_request(styles)
    if format_ == "y4m":
        options = replace(options, codec=_LOSSLESS)
    with ExitStack() as stack:
        stdout = stack.enter_context(_stdout()) if out else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vidstyle-")))
        target = folder / f"out{_FORMATS[format_ or 'matroska']}" if out else output
        video = Path(source)
        names = {str(target): PIPE} if out else {}
        try:
            _check_target(video, target, options)
            if piped:
                seconds = None if options.end is None else options.end + 1
                video = spool(source, folder, seconds=seconds)
                names[str(video)] = source
            report = style_one(
                video,
                target,
                request,
                options,
                title=source,
                say=None if quiet else lambda sentence: opts.print_status(_renamed(sentence, names)),
                watch=stdout.check_reader if stdout is not None else None,
            )
            if stdout is not None and target is not None:
                report = _sent(stdout, target, format_, options.fps, report, quiet=quiet)
        except VidstyleError as error:
            raise type(error)(_renamed(str(error), names)) from error
    if json is not None:
        opts.emit_json(_renamed(report.to_dict(), names), json)


def _check(source: str, output: Path | None, format_: str | None, options: RunOptions, *, json: str | None) -> None:
    """Refuse what cannot be done with a pipe. Raises UsageError."""
    out = output is not None and str(output) == PIPE
    if format_ is not None and not out:
        raise UsageError(f"--format {format_}: goes with -o -; a file's format is that of its suffix.")
    if format_ is not None and format_ not in _FORMATS:
        raise UsageError(f"--format {format_}: use one of {', '.join(_FORMATS)}.")
    if output is None and source == PIPE:
        raise UsageError("-: what comes through a pipe has no name; name the output with -o, or -o -.")
    if out and options.resume:
        raise UsageError("-o -: what went through a pipe cannot be taken up again; leave --resume out, or name a file.")
    if out and json == opts.STDOUT:
        raise UsageError("--json: standard output is the film's; name a file, --json=report.json.")
    if format_ == "y4m" and (options.codec is not None or options.crf is not None or options.bit_depth != 8):
        raise UsageError("--format y4m: holds raw frames of 8 bits; leave --codec, --crf and --bit-depth out.")


def _check_target(source: Path, target: Path | None, options: RunOptions) -> None:
    """Refuse an output that cannot be before anything is waited for. Raises UsageError or InputError."""
    from vidstyle.media.output.codecs import check_codec
    from vidstyle.pipeline.plan.checks import check_output

    if target is not None:
        if not options.resume:  # which knows better what lies there
            check_output(source, target, overwrite=options.overwrite)
        if options.codec is not None:
            check_codec(options.codec, target)


def _stdout() -> Stdout:
    from vidstyle.media.pipes.stdout import Stdout

    return Stdout()


def _sent(
    stdout: Stdout, target: Path, format_: str | None, rate: Fraction | None, report: RunReport, *, quiet: bool
) -> RunReport:
    """Send the finished film. Returns the report, with what was to be said of sending."""
    if format_ != "y4m":
        stdout.send(target)
        return report
    from vidstyle.media.pipes.y4m import write_y4m

    said = [sentence.replace(str(target), PIPE) for sentence in write_y4m(target, stdout, rate)]
    for sentence in [] if quiet else said:
        opts.print_status(f"vidstyle: warning: {sentence}")
    return replace(report, warnings=[*report.warnings, *said])


def _renamed(told: Any, names: dict[str, str]) -> Any:
    """What is told of temporary files, told of what the user named."""
    if isinstance(told, str):
        for name, shown in names.items():
            told = told.replace(name, shown)
        return told
    if isinstance(told, dict):
        return {key: _renamed(value, names) for key, value in told.items()}
    return [_renamed(each, names) for each in told] if isinstance(told, list) else told
