"""Votes of blind choices counted: shares with their 95 % Wilson intervals, per pair of methods."""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

JUDGES, SHEETS = 3, 60
"""So many at least, before anything is called preferred."""
Z = 1.959963984540054
"""Of 95 %."""


def wilson(wins: int, trials: int, z: float = Z) -> tuple[float, float]:
    """Wilson's score interval of a share (E. B. Wilson 1927): (low, high) in [0, 1]; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    share = wins / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def read_votes(path: Path, numbers: Sequence[str]) -> dict[str, str]:
    """Sheet -> "A", "B" or "=". Raises ValueError for anything else, for an unknown sheet and for one that was left out."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    votes = {f"{int(row['sheet']):03}": row["vote"].strip().upper() for row in rows}
    wrong = [f"{sheet}: {vote!r}" for sheet, vote in votes.items() if vote not in ("A", "B", "=")]
    if wrong:
        raise ValueError(f"{path}: a vote is A, B or =; not so sheet {', '.join(wrong)}")
    if len(votes) != len(rows) or set(votes) != set(numbers):
        odd = sorted(set(votes) ^ set(numbers))
        raise ValueError(f"{path}: every sheet needs one vote; look at {', '.join(odd) or 'sheets named twice'}")
    return votes


def count(key: Mapping[str, Any], judges: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """A row a pair of methods, in the order of the key's `methods`.

    Args:
        key: what `blind make` wrote: `methods`, and `sheets` with who was A and who B.
        judges: name of a judge -> sheet -> "A", "B" or "=".
    """
    order = list(key["methods"])
    rows: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    for number, sheet in key["sheets"].items():
        first, second = sorted((sheet["A"], sheet["B"]), key=order.index)
        row = rows.setdefault((first, second), {"votes": Counter(), "sheets": Counter(), "agreed": Counter()})
        chosen = Counter(sheet.get(votes[number], "=") for votes in judges.values())
        row["votes"].update(chosen)
        ahead = chosen[first] - chosen[second]
        row["sheets"][first if ahead > 0 else second if ahead < 0 else "="] += 1
        row["agreed"]["all" if len(chosen) == 1 else "not"] += 1
    return [_row(pair, counted, len(judges)) for pair, counted in rows.items()]


def _row(pair: tuple[str, str], counted: Mapping[str, Counter[str]], judges: int) -> dict[str, Any]:
    shares = {what: _share(pair, counted[what]) for what in ("votes", "sheets")}
    low, high = shares["sheets"]["interval"]
    enough = judges >= JUDGES and sum(counted["sheets"].values()) >= SHEETS
    preferred = pair[0] if low > 0.5 else pair[1] if high < 0.5 else None
    return {
        "first": pair[0],
        "second": pair[1],
        "judges": judges,
        **shares,
        "unanimous": counted["agreed"]["all"],
        "enough": enough,
        "preferred": preferred if enough else None,
    }


def _share(pair: tuple[str, str], counted: Counter[str]) -> dict[str, Any]:
    """Of those that are decided, the share of the first method."""
    wins, losses = counted[pair[0]], counted[pair[1]]
    low, high = wilson(wins, wins + losses)
    share = round(wins / (wins + losses), 4) if wins + losses else None
    return {
        "first": wins,
        "second": losses,
        "undecided": counted["="],
        "share_of_first": share,
        "interval": [round(low, 4), round(high, 4)],
    }


def tally(arguments: argparse.Namespace) -> None:
    """Print a line a pair of methods; with --out write them as JSON, with key and votes."""
    key = json.loads(arguments.key.read_text())
    if len({p.stem for p in arguments.votes}) < len(arguments.votes):
        raise SystemExit("benchmarks.blind: judges are told apart by their files' names; two have the same.")
    try:
        judges = {path.stem: read_votes(path, list(key["sheets"])) for path in arguments.votes}
    except (ValueError, KeyError) as error:
        raise SystemExit(f"benchmarks.blind: {error}") from error
    rows = count(key, judges)
    for row in rows:
        for what in ("votes", "sheets"):
            s = row[what]
            low, high = s["interval"]
            print(
                f"{row['first']} against {row['second']}, {what}: {s['first']} to {s['second']}, {s['undecided']} undecided;"
                + (
                    f" share {s['share_of_first']:.3f} ({low:.3f} to {high:.3f})"
                    if s["share_of_first"] is not None
                    else ""
                )
            )
        few = f"no claim: it takes {JUDGES} judges and {SHEETS} sheets"
        print(f"  preferred: {row['preferred'] or ('neither' if row['enough'] else few)}")
    if arguments.out:
        known = {k: v for k, v in key.items() if k != "sheets"}
        result = {**known, "rows": rows, "key": key["sheets"], "judges": judges}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")
        print(arguments.out)
