"""What was measured, as one small object: the keys of `vidstyle evaluate --json`, and a sentence where a number needs one."""

from __future__ import annotations

from typing import Any

from vidstyle.metrics.evaluation import Evaluation
from vidstyle.metrics.fidelity import MULTI_SCALE
from vidstyle.metrics.flashes import MOST
from vidstyle.metrics.rulers import STYLE_KEYS

_LITTLE_TEXTURE = 0.3
"""Share of textured pixels below which flow is mostly a guess."""
_LITTLE_SEEN = 0.3
"""Share of visible pixels below which a warp error stands for little of the picture."""
_LITTLE_DETAIL = 0.1
"""Share of the source's detail below which a film counts as empty."""
_STANDARD_GAPS = (1, 10)


def summary(result: Evaluation) -> dict[str, Any]:
    """The result as JSON holds it.

    Returns:
        E_1, E_10 (and E_g of other gaps asked for), flicker, ssim, ms_ssim, style_distance, gram_relu5_1, patch_distance:
        means over frames, None where there is none; flashes, red_flashes: the most within a second; visible: mean
        share of pixels, of the smallest gap; flow; frames: pairs of frames compared; source: the same numbers of the source
        itself; why: a sentence for each number that is None or must be read with care, by key.
    """
    mean = result.table.mean
    gaps = sorted({*_STANDARD_GAPS, *result.gaps})
    errors = {f"E_{g}": mean(f"E_{g}") if g in result.gaps else None for g in gaps}
    return {
        **errors,
        "flicker": mean("flicker"),
        "ssim": mean("ssim"),
        "ms_ssim": mean("ms_ssim"),
        **{key: mean(key) for key in STYLE_KEYS},
        "flashes": result.flashes.most,
        "red_flashes": result.flashes.most_red,
        "visible": mean(f"visible_{min(result.gaps)}"),
        "flow": result.flow,
        "frames": len(result.table),
        "source": {
            **{f"E_{g}": mean(f"source_E_{g}") if g in result.gaps else None for g in gaps},
            "flicker": mean("source_flicker"),
            **{key: mean(f"source_{key}") for key in STYLE_KEYS},
            "flashes": result.source_flashes.most,
            "red_flashes": result.source_flashes.most_red,
        },
        "why": why(result),
    }


def why(result: Evaluation) -> dict[str, str]:
    """Sentences by key of `summary`: why a number is missing, or how far it can be trusted."""
    out: dict[str, str] = {}
    frames, mean = len(result.table), result.table.mean
    for gap in sorted({*_STANDARD_GAPS, *result.gaps}):
        if gap not in result.gaps:
            out[f"E_{gap}"] = f"not asked for; add --gap {gap}"
        elif mean(f"E_{gap}") is None:
            out[f"E_{gap}"] = _no_error(result, gap)
    smallest = min(result.gaps)
    if mean(f"E_{smallest}") is not None and result.detail < _LITTLE_DETAIL:
        out[f"E_{smallest}"] = (
            f"the film shows {result.detail:.0%} of the source's detail: an empty picture wins every warp metric, "
            "so a low E is no merit here; look at ssim and style_distance"
        )
    if mean("flicker") is None:
        out["flicker"] = (
            "it takes two frames" if frames < 2 else "the source never stands still on 2 % of its pixels for two frames"
        )
    if mean("ssim") is None:
        out["ssim"] = "SSIM needs frames of at least 11 x 11 pixels"
    if mean("ms_ssim") is None:
        out["ms_ssim"] = f"MS-SSIM needs frames of at least {MULTI_SCALE} x {MULTI_SCALE} pixels"
    out |= result.missing
    out |= _flashes(result)
    if seen := _seen(result):
        out["visible"] = seen
    if unmatched := _unmatched(result):
        out["frames"] = unmatched
    return out


def _flashes(result: Evaluation) -> dict[str, str]:
    """The warning that a film which flashes needs."""
    film, source = result.flashes, result.source_flashes
    found = (
        ("flashes", film.most, film.worst, source.most),
        ("red_flashes", film.most_red, film.worst_red, source.most_red),
    )
    told = "people with photosensitive epilepsy must be warned of this film (WCAG 2.3.1, ITU-R BT.1702)"
    return {
        key: f"{most:g} within a second over a quarter of the picture, about {when:.1f} s, where {MOST:g} are the most: {told}"
        + (f"; so must they of its source ({before:g})" if before > MOST else "; its source does not flash so")
        for key, most, when, before in found
        if most > MOST and when is not None
    }


def _no_error(result: Evaluation, gap: int) -> str:
    frames = len(result.table)
    if frames <= gap:
        return f"the film has {frames} matched frame{'s' * (frames != 1)}; it takes {gap + 1}"
    if result.table.mean(f"visible_{gap}") is None:
        return f"no scene is longer than {gap} frames"
    return "hardly a pixel could be followed: over 98 % were occluded, outside, or at motion boundaries"


def _seen(result: Evaluation) -> str:
    notes = []
    share = result.table.mean(f"visible_{min(result.gaps)}")
    textured = result.table.mean("textured")
    if share is None:
        notes.append("no pair of frames")
    elif share < _LITTLE_SEEN:
        notes.append(f"only {share:.0%} of the pixels could be followed, E stands for those alone")
    if textured is not None and textured < _LITTLE_TEXTURE:
        notes.append(f"only {textured:.0%} of the source has texture to follow; the flow elsewhere is a guess")
    return "; ".join(notes)


def _unmatched(result: Evaluation) -> str:
    c = result.counts
    if c.source == c.styled == c.matched:
        return ""
    text = f"the source has {c.source} frames, the film {c.styled}; {c.matched} pairs were found by their times"
    if c.matched < 0.9 * min(c.source, c.styled):
        text += "; if the film lost its timing, try --pair order"
    elif c.styled < 0.9 * c.source:
        text += (
            "; if the film is of an excerpt that does not begin with the source, say where with --source-start SECONDS"
        )
    return text
