"""Whether a saved training is the one that is asked for: what differs, and what of that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidstyle.core.differences import differences
from vidstyle.core.errors import UsageError
from vidstyle.training.recipe import with_full_names

_FIXED_IN_A_STAGE = ("kind", "optimiser", "rates")
"""Keys of a stage that say what its optimiser remembers: they cannot change while it runs, and neither can its teacher."""


def check_resumable(saved: Mapping[str, Any], now: Mapping[str, Any], step: int, out: Path) -> list[str]:
    """Compare a saved training with the one that is to go on from it.

    Args:
        saved: what the state says of itself; states of earlier versions have no "recipe".
        now: the same keys: "recipe" (plain values), and "data" (`Folders.about`).
        step: that was reached.
        out: the folder, for the sentence.

    Returns:
        what differs, in words; training can go on all the same.

    Raises:
        UsageError: the state does not fit what is asked for: another network, or the stage that was in progress is another.
    """
    if "recipe" not in saved:
        return []
    saved = {**saved, "recipe": with_full_names(saved["recipe"])}
    old, new = _by_name(saved), _by_name(now)
    found = differences(old, new)
    then, present = (_in_progress(x["recipe"], step) for x in (saved, now))
    if then != present or any(saved["recipe"][k] != now["recipe"][k] for k in ("architecture", "config")):
        raise UsageError(
            f"{out}: cannot go on from step {step}, because of {', '.join(found)}; give the recipe that it was begun with, "
            "or start another training in another --out, with --weights from this one."
        )
    return found


def _by_name(about: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the stages as a table, so that what differs has a name; of the data what a person can compare."""
    recipe = dict(about["recipe"])
    stages = {f"{n} ({stage['kind']})": stage for n, stage in enumerate(recipe.pop("stage"), 1)}
    data = {
        name: f"{folder['sha256'][:6]} of {folder.get('pictures', folder.get('clips'))}"
        for name, folder in about["data"].items()
    }
    return {"recipe": {**recipe, "stage": stages}, "data": data}


def _in_progress(recipe: Mapping[str, Any], step: int) -> list[Any]:
    """Number of the stage that `step` lies in, steps done in it, and what of it cannot change; none at a stage's beginning."""
    for number, stage in enumerate(recipe["stage"]):
        if step < stage["steps"]:
            return [number, step, *((*(stage[key] for key in _FIXED_IN_A_STAGE), _teacher(stage)) if step else ())]
        step -= stage["steps"]
    return [len(recipe["stage"])]


def _teacher(stage: Mapping[str, Any]) -> Any:
    """Configuration of a stage's frozen teacher; None where it has none, as those of earlier versions."""
    taught = any(stage.get("weights", {}).get(term) for term in ("teacher", "sharpness"))
    return stage["teacher"]["config"] if taught else None
