"""How long a cluster takes, by simulation: tasks on slots, with measured times, stragglers and lost machines.

    python -m benchmarks.cluster_simulation [--quick] [--out DIR]

Reads the single segments of benchmarks/results/cluster_prediction.json, and says what 10,000 hours of such film take.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.record import environment, load, options, save

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Slots:
    """What works: each slot does a task at a time."""

    count: int
    gap: float = 0.0
    """Seconds between two tasks of a slot."""
    lost_per_hour: float = 0.0
    """Expected losses of a slot an hour; what it was doing is begun again elsewhere."""
    back_after: float = 300.0
    """Seconds until a lost slot is replaced."""
    slow_share: float = 0.0
    """Of tasks, that take `slow_factor` times as long."""
    slow_factor: float = 3.0


@dataclass(frozen=True)
class Outcome:
    """Of a simulated run."""

    seconds: float
    """Until the last task is done."""
    retries: int
    busy: float
    """Share of the slots' time that went into tasks that were brought to their end."""


def simulate(task_seconds: Sequence[float], slots: Slots, seed: int = 0) -> Outcome:
    """Tasks in the order given, each to the slot that is free first; those that are lost come first again."""
    chance = random.Random(seed)
    free = [0.0] * slots.count
    again: list[float] = []
    useful, end, retries, index = 0.0, 0.0, 0, 0
    while index < len(task_seconds) or again:
        if again:
            seconds = again.pop()
        else:
            seconds = task_seconds[index]
            index += 1
            if slots.slow_share and chance.random() < slots.slow_share:
                seconds *= slots.slow_factor
        begun = heapq.heappop(free)
        lost = chance.expovariate(slots.lost_per_hour / 3600) if slots.lost_per_hour else float("inf")
        if lost < seconds:
            retries += 1
            again.append(seconds)
            heapq.heappush(free, begun + lost + slots.back_after)
            continue
        useful += seconds
        end = max(end, begun + seconds)
        heapq.heappush(free, begun + seconds + slots.gap)
    return Outcome(end, retries, useful / (end * slots.count) if end else 1.0)


def fleet(hours: float, prediction: dict[str, Any], slots: Slots, seed: int = 0) -> dict[str, Any]:
    """A row: what so many hours of film take."""
    measured, film = prediction["rows"], prediction["segment_seconds"]
    chance = random.Random(seed)
    tasks = round(hours * 3600 / film)
    times = [row["seconds"] for row in measured]
    outcome = simulate(chance.choices(times, k=tasks), slots, seed)
    out_bytes = sum(row["bytes"] for row in measured) / len(measured)
    in_bytes = prediction["input_bytes_per_second"] * film
    return {
        "hours_of_film": hours,
        "slots": slots.count,
        "lost_per_slot_hour": slots.lost_per_hour,
        "slow_share": slots.slow_share,
        "tasks": tasks,
        "hours": round(outcome.seconds / 3600, 2),
        "retries": outcome.retries,
        "busy": round(outcome.busy, 4),
        "input_tb": round(in_bytes * tasks / 1e12, 3),
        "output_tb": round(out_bytes * tasks / 1e12, 3),
        "driver_in_mb_per_s": round(out_bytes * tasks / outcome.seconds / 1e6, 2),
        "tasks_per_s": round(tasks / outcome.seconds, 2),
    }


def main() -> None:
    arguments = options(__doc__).parse_args()
    prediction = load(RESULTS / "cluster_prediction.json")
    hours = 100 if arguments.quick else 10_000
    gap = prediction["gap_seconds"]
    rows = [
        fleet(hours, prediction, Slots(count, gap, lost, slow_share=slow))
        for count in (512, 2048)
        for lost, slow in ((0.0, 0.0), (0.2, 0.05))
    ]
    for row in rows:
        print(row, flush=True)
    print(save(arguments.out, "cluster_simulation", rows, environment(), quick=arguments.quick))


if __name__ == "__main__":
    main()
