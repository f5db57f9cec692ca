"""`vidstyle run`: a video in the style of a picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import UsageError
from vidstyle.core.files import same_file
from vidstyle.media.paths import is_piped
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport, parse_rate, parse_share, parse_time


def command(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT", help="Video files, folders of them, pictures (a folder, in/%06d.png), an address, or -."
        ),
    ],
    style: opts.MaybeStyles = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="OUT", help="A video, out/%06d.png, or -. Default: NAME.styled.SUFFIX here."
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="F", help="Of -o -: matroska (unless said otherwise), nut, y4m."),
    ] = None,
    out_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for outputs without a name.")] = None,
    overwrite: opts.Overwrite = False,
    model: opts.Model = "compact",
    strength: opts.Strength = 1.0,
    preserve_color: opts.PreserveColor = None,
    paint_size: opts.PaintSizeText = "auto",
    detail: opts.Detail = 1.0,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MASK[=ART]",
            help="Grey picture: white is the style, black the source or a second --style. With =ART, any number, also "
            "films: white is painted in ART, the rest in --style.",
        ),
    ] = None,
    keep: Annotated[
        list[Path] | None,
        typer.Option(metavar="MASK", help="Grey picture or film: where it is white the source itself is seen."),
    ] = None,
    keyframes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Blends that change over time (CSV or TOML), instead of --style."),
    ] = None,
    style_per_shot: Annotated[
        str | None,
        typer.Option(metavar="A,B,..", help="Styles that take turns, a new one with each shot, instead of --style."),
    ] = None,
    stabilize: Annotated[
        float,
        typer.Option(metavar="S", help="Draw each frame to the one before, along the source's motion: 0 to 0.99."),
    ] = 0.0,
    start: Annotated[
        str | None, typer.Option(metavar="T", help="Begin here: seconds or h:m:s; sound is cut between packets.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="T", help="Stop here: seconds or h:m:s.")] = None,
    fps: Annotated[
        str | None,
        typer.Option(metavar="N", help="Constant frame rate: frames are repeated or left out. Default: as the source."),
    ] = None,
    size: opts.Size = None,
    max_side: opts.MaxSide = None,
    codec: Annotated[
        str | None, typer.Option(metavar="C", help="h264, hevc, av1, vp9, prores, ffv1, gif. Default: by suffix.")
    ] = None,
    crf: Annotated[int | None, typer.Option(metavar="N", help="Quality of the encoding; lower is better.")] = None,
    bit_depth: Annotated[int, typer.Option(metavar="8|10", help="Bits a sample of the encoded video.")] = 8,
    decoder: Annotated[
        str, typer.Option(metavar="software|cuda", help="What decodes the source; cuda: the GPU's decoder, if it can.")
    ] = "software",
    device: opts.Device = "auto",
    engine: opts.EngineName = "auto",
    precision: opts.PrecisionName = "auto",
    chunk: Annotated[str, typer.Option(metavar="N|auto", help="Frames per call of the model.")] = "auto",
    style_size: opts.StyleSize = 384,
    fit: opts.Fit = None,
    no_fit: opts.NoFit = False,
    segment: Annotated[float, typer.Option(metavar="SECONDS", help="Film between two points to resume from.")] = 10.0,
    max_errors: Annotated[
        str, typer.Option(metavar="P%", help="Damaged frames to put up with (each repeats the one before).")
    ] = "10%",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Processor threads of model and encoder. Default: one a core.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Spread the work over a Ray cluster (HOST:PORT, or auto: this machine's); alone: here.",
        ),
    ] = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="With --ray: also machines whose results may differ by a little.")
    ] = False,
    ray_gpus: Annotated[
        float, typer.Option(metavar="F", help="With --ray: share of a GPU that a task takes, where there are GPUs.")
    ] = 1.0,
    json: opts.Json = None,
    quiet: opts.Quiet = False,
) -> None:
    """Videos in the style of a picture: their sound, timing and length stay as they are."""
    if chunk != "auto" and not chunk.isdecimal():
        raise UsageError(f"--chunk {chunk}: give a number of frames, or auto.")
    options = RunOptions(
        **opts.image_options(locals()),
        resume=resume,
        out_dir=out_dir,
        **opts.masks(mask or [], keep or []),
        keyframes=keyframes,
        style_per_shot=() if style_per_shot is None else tuple(part.strip() for part in style_per_shot.split(",")),
        stabilize=stabilize,
        start=None if start is None else parse_time(start),
        end=None if end is None else parse_time(end),
        fps=None if fps is None else parse_rate(fps),
        max_errors=parse_share(max_errors),
        codec=codec,
        bit_depth=bit_depth,
        decoder=decoder,
        crf=crf,
        chunk=None if chunk == "auto" else int(chunk),
        threads=threads,
        fit=opts.fit_steps(fit, no_fit),
        segment=Fraction(str(segment)),
    )
    if ray is not None:
        if options.regions or options.keep:
            raise UsageError("--mask MASK=ART and --keep do not go with --ray yet; leave one of them out.")
        if options.preserve_color == "match":
            raise UsageError("--preserve-color match does not go with --ray yet; use luma or local.")
        if style_per_shot is not None:
            raise UsageError("--style-per-shot does not go with --ray yet; leave one of them out.")
        from vidstyle.cli.cluster import run_over_ray

        if opts.STDOUT in (*sources, str(output)) or format_ is not None:
            raise UsageError("--ray: machines share files, not pipes; name the input and the output.")
        run_over_ray(
            [Path(source) for source in sources],
            style or (),
            output,
            options,
            (ray, mixed, ray_gpus),
            json=json,
            quiet=quiet,
        )
        return
    if mixed or ray_gpus != 1.0:
        raise UsageError("--mixed and --ray-gpus go with --ray.")
    if format_ is not None or str(output) == opts.STDOUT or any(map(is_piped, sources)):
        from vidstyle.cli.pipes import run_piped

        if len(sources) != 1:
            raise UsageError("pipes and addresses: one film a command; name it alone.")
        run_piped(sources[0], output, format_, style or (), options, json=json, quiet=quiet)
        return
    from vidstyle.cli.batch import check_names, make_folder, run_all, style_one, videos_of

    paths = [Path(source) for source in sources]
    if json not in (None, opts.STDOUT) and any(same_file(Path(str(json)), path) for path in paths):
        raise UsageError(f"--json {json}: is an input of this command; choose another name.")
    videos = videos_of(paths, lambda sentence: None if quiet else opts.print_status(f"vidstyle: {sentence}"))
    if output is not None and (out_dir is not None or len(videos) != 1):
        raise UsageError(f"-o {output}: names one film; for {len(videos)} give --out-dir alone.")
    check_names(videos, [*(style or ()), *options.style_per_shot])
    request = options.style_request(style or ())  # read once for all films; a wrong name is told before anything else
    if out_dir is not None:
        make_folder(out_dir)

    def styled(video: Path) -> RunReport:
        title = video.name if len(videos) > 1 else "styling"
        return style_one(video, output, request, options, title=title, say=None if quiet else opts.print_status)

    if len(videos) != 1 or videos[0] not in paths:
        run_all(videos, styled, resume=resume, quiet=quiet, json=json)
        return
    report = styled(videos[0])
    if json is not None:
        opts.emit_json(report.to_dict(), json)
