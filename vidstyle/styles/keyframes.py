"""Styles that change over a film: keys in time, each a blend and a strength, and how they go over into one another.

Codes are linear in their weights, so a film between two keys is attention over the weighted union of both blends' points.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.core.files import cause, check_readable
from vidstyle.models.style_code import MOST_STRENGTH
from vidstyle.styles.resolve import is_built_in

_STRENGTH, _DETAIL, _EASING = "strength", "detail", "easing"
"""Columns of a CSV file, and values of a TOML key, that are no styles."""

Easing = Literal["linear", "smooth", "hold"]
"""How a key goes over into the next: in a straight line, slowly at both ends (3 s^2 - 2 s^3), or not before that one's time."""

if TYPE_CHECKING:
    from vidstyle.models.style_code import StyleCode


@dataclass(frozen=True)
class Keyframes:
    """Weights of several styles at several times."""

    refs: tuple[str, ...]
    """What `resolve` understands: one reference a style."""
    times: NDArray[np.float64]
    """(K,) seconds after the film's first frame, strictly increasing."""
    weights: NDArray[np.float64]
    """(K, R): each row is not negative and sums to 1."""
    strengths: NDArray[np.float64]
    """(K,) in [0, 2]: how much style, 1 where the file does not say."""
    easings: tuple[Easing, ...] = ()
    """Of each key up to the next one; empty: all linear."""
    details: tuple[float | None, ...] = ()
    """(K,) in [0, 1]: how much of a frame's own detail its painting gets; None, or no values: as much as the run says."""

    def _between(self, seconds: NDArray[np.floating] | Sequence[float]) -> tuple[Any, Any, NDArray[np.float64]]:
        """For N times the key before, the key after, and how far the way from one to the other is done, (N,) each."""
        t = np.asarray(seconds, np.float64)
        right = np.clip(np.searchsorted(self.times, t, side="right"), 1, max(1, len(self.times) - 1))
        left = right - 1
        right = np.minimum(right, len(self.times) - 1)
        low, high = self.times[left], self.times[right]
        share = (np.clip(t, low, high) - low) / np.where(high > low, high - low, 1)
        if self.easings:
            kinds = np.array(self.easings)[left]
            share = np.where(kinds == "smooth", share * share * (3 - 2 * share), share)
            share = np.where(kinds == "hold", np.floor(share), share)
        return left, right, share

    def at(self, seconds: NDArray[np.floating] | Sequence[float]) -> NDArray[np.float64]:
        """(N, R) weights at N times; before the first and after the last key they stand still. Exact at the keys."""
        left, right, share = self._between(seconds)
        part = share[:, None]
        return np.asarray(self.weights[left] * (1 - part) + self.weights[right] * part)

    def strength_at(self, seconds: NDArray[np.floating] | Sequence[float]) -> NDArray[np.float64]:
        """(N,) strengths at N times, as `at`."""
        left, right, share = self._between(seconds)
        begin, end = self.strengths[left], self.strengths[right]
        return np.asarray(np.where(share == 1, end, begin + (end - begin) * share))

    def detail_at(self, seconds: float, usual: float) -> float:
        """The amount of detail at a time, as `at`. `usual`: of keys that say nothing of it."""
        if not self.details:
            return usual
        left, right, share = self._between([seconds])
        begin, end = (usual if d is None else d for d in (self.details[int(left[0])], self.details[int(right[0])]))
        return end if share[0] == 1 else float(begin + (end - begin) * share[0])

    def codes(self, seconds: Sequence[float], styles: Sequence[StyleCode]) -> StyleCode:
        """The code of each of N frames, as one code of batch N.

        Args:
            seconds: time of each frame after the film's first.
            styles: code of each of `refs`, in order, batch 1, of one network.
        """
        import torch

        from vidstyle.models.attention import blend

        rows = self.at(seconds)
        used = np.flatnonzero(rows.any(0)).tolist()
        if len(used) == 1:
            n = len(rows)
            return styles[used[0]].tensors().map(lambda x: x.expand(n, *x.shape[1:]))
        return blend([styles[i] for i in used], [torch.from_numpy(rows[:, i]).float() for i in used])


@dataclass(frozen=True)
class Key:
    """One key of a file, its numbers checked."""

    time: float
    styles: Mapping[str, float]
    strength: float
    easing: Easing
    detail: float | None


def read_keyframes(path: Path) -> Keyframes:
    """Read a file of keys.

    CSV (with commas, or with semicolons throughout): a header `time,STYLE,STYLE...`, then a row a key: seconds, and a weight
    for each style. Pictures are looked for beside the file first. TOML: a table a key,

        [[key]]
        time = 2.5
        styles = { mosaic = 0.7, "art.jpg" = 0.3 }
        strength = 0.5
        detail = 0.2
        easing = "smooth"

    Weights of a key are scaled to sum to 1. All others are optional: the strength (1), the frame's own detail (as the run
    says), the easing, which is the way to the next key: linear (if nothing is said), smooth or hold. In CSV they are columns of
    these names; an empty cell says nothing.

    Raises:
        InputError: not readable, or keys that make no sense; the message says which one.
    """
    check_readable(path, kind="text of keyframes")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a text of keyframes ({cause(error)}).") from error
    keys = _toml_keys(path, text) if path.suffix.lower() == ".toml" else _csv_keys(path, text)
    if not keys:
        raise InputError(f"{path}: holds no keyframe; add one with a time and a style.")
    refs = tuple(dict.fromkeys(ref for key in keys for ref in key.styles))
    beside = tuple(_found(ref, path.parent) for ref in refs)
    weights = np.array([[key.styles.get(ref, 0.0) for ref in refs] for key in keys])
    # Divided by the largest first, so that no sum overflows.
    weights /= weights.max(1, keepdims=True)
    times, strengths = np.array([key.time for key in keys]), np.array([key.strength for key in keys])
    easings = tuple(key.easing for key in keys)
    plain = all(easing == "linear" for easing in easings)
    details = tuple(key.detail for key in keys)
    silent = all(detail is None for detail in details)
    shares = weights / weights.sum(1, keepdims=True)
    return Keyframes(beside, times, shares, strengths, () if plain else easings, () if silent else details)


def _found(ref: str, folder: Path) -> str:
    """A style of a file of keys: a built-in name, else a file beside the file of keys, else as the command line has it."""
    return ref if is_built_in(ref) or not (folder / ref).is_file() else str(folder / ref)


Row = tuple[str, Any, Mapping[str, Any], Mapping[str, Any]]
"""Where a key stands in its file, and its time, its styles and what else it says, as they were read."""


def _toml_keys(path: Path, text: str) -> list[Key]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is no valid TOML ({error}).") from error
    rows = table.get("key")
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows) or set(table) != {"key"}:
        raise InputError(f"{path}: must hold [[key]] tables and nothing else.")
    found: list[Row] = []
    for n, row in enumerate(rows, 1):
        more = {name: row[name] for name in (_STRENGTH, _DETAIL, _EASING) if name in row}
        if set(row) - set(more) != {"time", "styles"} or not isinstance(row["styles"], dict):
            raise InputError(
                f"{path}: key {n} must have a time, a table of styles, maybe a strength, detail and easing, and nothing else."
            )
        found.append((f"key {n}", row["time"], row["styles"], more))
    return checked(path, found)


def _csv_keys(path: Path, text: str) -> list[Key]:
    # Spreadsheets of half the world write semicolons, and numbers with a comma.
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = ";" if first.strip().strip('"').lower().startswith("time") and ";" in first else ","
    lines = csv.reader(text.splitlines(), delimiter=separator)
    rows = [(n, row) for n, row in enumerate(lines, 1) if any(cell.strip() for cell in row)]
    if separator == ";":
        rows = rows[:1] + [(n, [cell.replace(",", ".") for cell in row]) for n, row in rows[1:]]
    if not rows:
        return []
    header = [cell.strip() for cell in rows[0][1]]
    if header[0].lower() != "time" or len(header) < 2 or len(set(header)) < len(header) or not all(header):
        raise InputError(f"{path}: its first line must be: time,STYLE,STYLE... with each style once.")
    for n, row in rows[1:]:
        if len(row) != len(header):
            raise InputError(f"{path}: line {n} has {len(row)} values, the header {len(header)}.")
    found: list[Row] = []
    for n, row in rows[1:]:
        styles: dict[str, Any] = dict(zip(header[1:], row[1:], strict=True))
        cells = {name: styles.pop(name).strip() for name in (_STRENGTH, _DETAIL, _EASING) if name in styles}
        found.append((f"line {n}", row[0], styles, {name: cell for name, cell in cells.items() if cell}))
    return checked(path, found)


def checked(path: Path, rows: Sequence[Row]) -> list[Key]:
    """Numbers of the rows; their place in the file goes into the message of what is wrong."""
    out: list[Key] = []
    for where, time, styles, more in rows:
        seconds = number(time)
        weights = {ref: number(w) for ref, w in styles.items()}
        if not seconds >= 0:
            raise InputError(f"{path}: {where}: the time {time!r} must be a number of seconds, at least 0.")
        if out and seconds <= out[-1].time:
            raise InputError(f"{path}: {where}: the time {seconds:g} must be later than that of the key before it.")
        if not all(w >= 0 for w in weights.values()) or not any(weights.values()):
            raise InputError(f"{path}: {where}: weights must be numbers of at least 0, and one of them above 0.")
        numbers: dict[str, float] = {}
        for name, most in ((_STRENGTH, MOST_STRENGTH), (_DETAIL, 1.0)):
            if name in more:
                numbers[name] = number(more[name])
                if not 0 <= numbers[name] <= most:
                    raise InputError(f"{path}: {where}: the {name} {more[name]!r} must be between 0 and {most:g}.")
        easing = more.get(_EASING, "linear")
        if easing not in get_args(Easing):
            raise InputError(f"{path}: {where}: the easing {easing!r} must be linear, smooth or hold.")
        out.append(Key(seconds, weights, numbers.get(_STRENGTH, 1.0), easing, numbers.get(_DETAIL)))
    return out


def number(value: Any) -> float:
    """A finite number of a cell or a TOML value, else NaN."""
    if isinstance(value, bool):
        return math.nan
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return result if math.isfinite(result) else math.nan
