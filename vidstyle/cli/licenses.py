"""`vidstyle info --licenses`: under what terms vidstyle, its files and all that was installed with it are had."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vidstyle._version import __version__


def collect_licenses() -> dict[str, Any]:
    """Everything that `info --licenses --json` prints."""
    from vidstyle.core.credits import LICENCE, credits_of_files
    from vidstyle.core.dependencies import dependencies
    from vidstyle.media.ffmpeg_build import ffmpeg_build

    build = ffmpeg_build()
    rows = []
    for package in dependencies():
        row = asdict(package)
        row["bundled"] = dict(package.bundled)
        rows.append(row)
    return {
        "vidstyle": {"version": __version__, "licence": LICENCE},
        "files": [asdict(credit) for credit in credits_of_files()],
        "dependencies": rows,
        "ffmpeg": {**asdict(build), "sentence": build.sentence},
    }


def print_licenses(report: dict[str, Any]) -> None:
    """The same as text."""
    own = report["vidstyle"]
    print(f"vidstyle {own['version']}: {own['licence']}")
    print("\nin the package, beside its code:")
    for file in report["files"]:
        print(f"  {file['file']:36} {file['licence']:24} {file['by']}: {file['what']}")
    print("\ninstalled for it, as each package says of itself:")
    for package in report["dependencies"]:
        extras = f"  (extra {', '.join(package['extras'])})" if package["extras"] else ""
        print(f"  {package['name'] + ' ' + package['version']:36} {package['licence']}{extras}")
        by_licence: dict[str, list[str]] = {}
        for library, licence in package["bundled"].items():
            by_licence.setdefault(licence, []).append(library)
        for licence, libraries in by_licence.items():
            print(f"  {'':36} contains {', '.join(libraries)}: {licence}")
    print(f"\n{report['ffmpeg']['sentence']}")
    print("This is what packages say of themselves, no legal advice; their licence texts lie beside them.")
