"""Reading recipes: TOML files, each value checked against the limits that `recipe` writes beside its keys."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.files import cause, check_regular
from vidstyle.training.recipe import Recipe, from_json, with_full_names

_T = TypeVar("_T")


def load_recipe(path: Path) -> Recipe:
    """Read a recipe: TOML, or the JSON of a settled one (`recipe.as_json`), for which pydantic need not be installed.

    Raises:
        InputError: unreadable.
        UsageError: wrong keys or values, each named, or a TOML file where pydantic is not installed.
    """
    check_regular(path)
    try:
        text = path.read_text(encoding="utf-8")
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the recipe ({cause(error)}).") from error
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: cannot read the recipe ({error}).") from error
    if path.suffix == ".json" and not find_spec("pydantic"):
        try:
            return from_json(values)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"{path}: not a settled recipe ({error}).") from error
    return checked(Recipe, _with_shared_keys(values, path), str(path))


def checked(kind: type[_T], values: Mapping[str, Any], name: str = "recipe") -> _T:
    """A table of a recipe from plain values, every one of them checked.

    Args:
        kind: `Recipe`, `Stage` or one of their tables.
        values: as a TOML file has them.
        name: what the sentence of an error begins with.

    Raises:
        UsageError: wrong keys or values, each named, or pydantic is not installed.
    """
    if not find_spec("pydantic"):
        raise UsageError(
            f"{name}: reading a recipe from TOML needs pydantic (pip install pydantic); a settled one needs none."
        )
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(with_full_names(values))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"{name}: {faults}.") from error


def _with_shared_keys(values: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """The stages with what `[shared.KIND]` says of their kind, where they do not say otherwise."""
    if "shared" not in values:
        return values
    shared, stages = values["shared"], values.get("stage")
    rest = {k: v for k, v in values.items() if k != "shared"}
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        return rest  # whose fault is named as any recipe's
    kinds = {stage.get("kind") for stage in stages}
    if not isinstance(shared, dict) or any(k not in kinds or not isinstance(v, dict) for k, v in shared.items()):
        raise UsageError(
            f"{path}: shared holds tables of keys, [shared.KIND], for kinds of stages that the recipe has."
        )
    return rest | {"stage": [shared.get(stage.get("kind"), {}) | stage for stage in stages]}
