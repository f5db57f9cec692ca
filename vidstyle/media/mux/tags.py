"""The film's tags: which still hold, and which have a place in the container."""

from __future__ import annotations

from collections.abc import Mapping

# Tags that describe bytes which are not there any more, or that the muxer writes itself.
_STALE = ("duration", "encoder", "rotate", "bps", "number_of_", "_statistics_", "major_brand", "minor_version")
# What cameras and telephones write: place, make, model, dates. Only QuickTime's list of keys has room for such names.
_CAMERA = ("com.", "make", "model")


def clean_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags without those that no longer hold for the output."""
    kept = {k: v for k, v in tags.items() if not k.lower().startswith(_STALE) and k.lower() != "compatible_brands"}
    return {_spelled(k): v for k, v in kept.items()}


def _spelled(name: str) -> str:
    """Matroska's capitals back in the spelling of QuickTime's keys."""
    return name.lower().replace("iso6709", "ISO6709") if name.startswith("COM.") else name


def needs_keys(tags: Mapping[str, str], format_: str) -> bool:
    """Whether mp4 or mov can hold the tags only in QuickTime's list of keys, which then holds all of them (FFmpeg's
    `use_metadata_tags`); players look for titles and artists in the other list first."""
    return format_ in ("mp4", "mov") and any(name.lower().startswith(_CAMERA) for name in tags)
