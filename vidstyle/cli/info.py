"""`vidstyle info`: what this installation can do, and why."""

from __future__ import annotations

import platform
from typing import Annotated, Any

import typer

from vidstyle._version import __version__
from vidstyle.cli import options as opts


def command(
    licenses: Annotated[
        bool, typer.Option("--licenses", help="Instead: licences of vidstyle, of its files and of what it needs.")
    ] = False,
    json: opts.Json = None,
) -> None:
    """Versions, engines and devices, the precision that is chosen and why, models, styles and codecs."""
    if licenses:
        from vidstyle.cli.licenses import collect_licenses, print_licenses

        terms = collect_licenses()
        if json is None:
            print_licenses(terms)
        else:
            opts.emit_json(terms, json)
        return
    report = collect()
    if json is not None:
        opts.emit_json(report, json)
        return
    for name, version in report["versions"].items():
        print(f"{name:24} {version}")
    print(f"{'processor':24} {report['processor']}, {report['cores']} cores")
    print("\nengines, in the order in which `auto` tries them:")
    for row in report["engines"]:
        mark = "->" if row["chosen"] else "  "
        print(f"{mark} {row['engine']:9} on {row['device']:5} {row['precision'] or '-':5} {row['why']}")
    for name in ("models", "styles", "codecs"):
        print(f"\n{name}: {', '.join(report[name]) or 'none'}")


def collect() -> dict[str, Any]:
    """Everything that `info --json` prints."""
    from dataclasses import asdict

    from vidstyle.engines.base import cores
    from vidstyle.engines.choose import explain
    from vidstyle.media.output.codecs import CODECS
    from vidstyle.models.model_files import shipped
    from vidstyle.pipeline.plan.fingerprint import machine
    from vidstyle.styles.gallery import names

    versions = machine()
    processor = versions.pop("processor")
    rows = explain()
    best = next((row for row in rows if row.usable), None)
    return {
        "versions": {**versions, "vidstyle": __version__, "system": platform.platform()},
        "processor": processor,
        "cores": cores(),
        "engines": [{**asdict(row), "chosen": row is best} for row in rows],
        "models": list(shipped()),
        "styles": names(),
        "codecs": list(CODECS),
    }
