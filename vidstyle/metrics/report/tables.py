"""The result on the terminal, and every frame's numbers as CSV."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import rich.table

from vidstyle.core.files import atomic_output
from vidstyle.metrics.evaluation import Evaluation

_MEANING = {
    "E": "warp error along the source's motion, {g} frame{s} apart; lower is steadier",
    "flicker": "mean change where the source stands still; lower is steadier",
    "ssim": "structure kept from the source; 1 is all of it",
    "ms_ssim": "the same over five scales; 1 is all of it",
    "style_distance": "VGG statistics against the style; lower is nearer",
    "gram_relu5_1": "VGG's deepest Gram matrix against the style; lower is nearer",
    "patch_distance": "7x7 patches against the style's, levels of 255; lower is nearer",
    "flashes": "most flashes within a second, over a quarter of the picture; more than 3 harm",
    "red_flashes": "the same of saturated red",
    "visible": "share of pixels that could be followed",
}


def number(value: float | None, key: str = "") -> str:
    """A number as people read it; "-" for None."""
    if value is None:
        return "-"
    if key == "visible":
        return f"{value:.1%}"
    if key.endswith("flashes"):
        return f"{value:g}"
    return f"{value:.6f}" if key.startswith("E_") else f"{value:.4f}"


def metric_rows(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(key, film, source, meaning) of each metric of a summary, in order."""
    rows = []
    for key in result:
        kind = "E" if key.startswith("E_") else key
        if kind in _MEANING:
            gap = key.removeprefix("E_")
            meaning = _MEANING[kind].format(g=gap, s="" if gap == "1" else "s")
            source = (
                "-" if key == "visible" else "1" if key in ("ssim", "ms_ssim") else number(result["source"][key], key)
            )
            rows.append((key, number(result[key], key), source, meaning))
    return rows


def terminal_table(result: dict[str, Any], title: str) -> rich.table.Table:
    """The summary as a table, its sentences as caption."""
    table = rich.table.Table(title=title, caption_justify="left", title_justify="left", caption_style="dim")
    for name in ("", "film", "source", "what it is"):
        table.add_column(name, justify="right" if name in ("film", "source") else "left")
    for row in metric_rows(result):
        table.add_row(*row)
    lines = [f"{result['frames']} frames, flow {result['flow']}. The source's column is the noise floor."]
    lines += [f"{key}: {text}." for key, text in result["why"].items()]
    table.caption = "\n".join(lines)
    return table


def write_csv(result: Evaluation, path: Path) -> None:
    """One line a frame; columns as `vidstyle.metrics.evaluation.columns`, empty where there is no number.

    Raises:
        InputError: the file cannot be written.
    """
    table = result.table
    data = [table[name] for name in table.names]
    with atomic_output(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["frame", *table.names])
        for row, values in enumerate(zip(*data, strict=True)):
            writer.writerow([row, *("" if math.isnan(v) else f"{v:.9g}" for v in values)])
