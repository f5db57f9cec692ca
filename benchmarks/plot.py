"""Pictures of the results, for the README.

    python -m benchmarks.plot [--results DIR] [--out DIR]

Draws what lies in --results (default benchmarks/results) into --out (default: the same folder): attention_scaling.png, fps.png,
peers.png, quality.png, ablation.png. Needs matplotlib.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.record import ROOT, load

MIB = 2**20


def caption(result: dict[str, Any]) -> str:
    """Where and when: no picture without it."""
    machine = result["machine"]
    load_now = f"load {machine['load_1min']} to {machine['load_1min_after']}"
    return f"{machine['processor'].split(' (')[0]}, {machine['cores']} cores, {load_now}, {result['date'][:10]}"


def attention_scaling(result: dict[str, Any]) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for axis, what, plot in (
        ("frame", "seconds", axes[0]),
        ("style", "seconds", axes[1]),
        ("frame", "peak_bytes", axes[2]),
    ):
        exponents = {e["form"]: e for e in result["exponents"] if e["axis"] == axis}
        for form in dict.fromkeys(r["form"] for r in result["rows"]):
            rows = [r for r in result["rows"] if r["axis"] == axis and r["form"] == form]
            points = [
                (r[f"{axis}_points"], r["seconds"]["median"] * 1e3 if what == "seconds" else r[what] / MIB)
                for r in rows
            ]
            points = [p for p in points if p[1] > 0]
            if not points:
                continue
            power = exponents.get(form, {}).get("time_exponent" if what == "seconds" else "memory_exponent")
            plot.loglog(*zip(*points, strict=True), "o-", label=form if power is None else f"{form}: $n^{{{power:g}}}$")
        plot.set_xlabel(f"{axis} points (pixels / 16)")
        plot.set_ylabel("ms" if what == "seconds" else "MiB above the level before")
        plot.legend(fontsize=8)
        plot.grid(alpha=0.3)
    clock = result["rows"][0]["seconds"]["clock"]
    figure.suptitle(f"Attention: {clock} time and memory ({caption(result)})", fontsize=10)
    return figure


def fps(result: dict[str, Any]) -> Figure:
    figure, plot = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for what, mark in (("model", "o-"), ("command", "s--")):
        rows = [r for r in result["rows"] if r["what"] == what]
        for key in dict.fromkeys((r["engine"], r["precision"]) for r in rows):
            points = [(r["width"] * r["height"], r["fps"]) for r in rows if (r["engine"], r["precision"]) == key]
            clock = rows[0]["seconds"]["clock"]
            plot.loglog(*zip(*points, strict=True), mark, label=f"{what}, {key[0]} {key[1]} ({clock} clock)")
    plot.set_xlabel("pixels per frame")
    plot.set_ylabel("frames per second")
    plot.grid(alpha=0.3)
    plot.legend(fontsize=8)
    plot.set_title(caption(result), fontsize=9)
    return figure


def steadiness(result: dict[str, Any], key: str, label: str) -> tuple[Figure, Axes]:
    """E_1 of every row against another of its numbers, a colour a tool; rows without either are left out."""
    figure, plot = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for tool in dict.fromkeys(r["tool"] for r in result["rows"]):
        rows = [r for r in result["rows"] if r["tool"] == tool]
        points = [(r[key], max(r["E_1"], 1e-7)) for r in rows if r[key] is not None and r["E_1"] is not None]
        if points:
            plot.scatter(*zip(*points, strict=True), label=tool)
    plot.set_yscale("log")
    plot.set_xlabel(label)
    plot.set_ylabel("E_1, squared (lower is steadier)")
    plot.grid(alpha=0.3)
    plot.set_title(caption(result), fontsize=9)
    return figure, plot


def peers(result: dict[str, Any]) -> Figure:
    figure, plot = steadiness(result, "ssim", "SSIM to the source (content kept)")
    plot.axhline(
        statistics.median(r["source_E_1"] for r in result["rows"]), color="black", lw=0.8, label="source itself"
    )
    plot.legend(fontsize=8)
    return figure


def quality(result: dict[str, Any]) -> Figure:
    figure, plot = steadiness(result, "style_distance", "style distance (lower is nearer to the style)")
    plot.set_xscale("log")
    if plot.collections:
        plot.legend(fontsize=8)
    return figure


def ablation(result: dict[str, Any]) -> Figure:
    """A panel a number, a bar a variant; the source's own as a line."""
    found = result["means"]
    names = [n for n in found if n != "source"]
    keys = {
        "E_1": "E_1 (lower is steadier)",
        "E_10": "E_10",
        "ssim": "SSIM (content kept)",
        "style_distance": "style distance",
    }
    figure, plots = plt.subplots(1, len(keys), figsize=(13, 3.2), layout="constrained", sharey=True)
    for plot, (key, label) in zip(plots, keys.items(), strict=True):
        plot.barh(names[::-1], [found[n][key] or 0 for n in names[::-1]])
        plot.axvline(found["source"][key], color="black", lw=0.8)
        plot.set_xlabel(label)
    figure.suptitle(f"{result['steps']} steps each; black: the source itself ({caption(result)})", fontsize=9)
    return figure


PICTURES: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "attention_scaling": attention_scaling,
    "fps": fps,
    "peers": peers,
    "quality": quality,
    "ablation": ablation,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results", metavar="DIR")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: --results")
    arguments = parser.parse_args()
    out = arguments.out or arguments.results
    out.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        if (source := arguments.results / f"{name}.json").is_file():
            figure = draw(load(source))
            figure.savefig(out / f"{name}.png", dpi=110)
            plt.close(figure)
            print(out / f"{name}.png")


if __name__ == "__main__":
    main()
