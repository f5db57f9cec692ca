"""Recipes: the shipped one loads, misspelt keys do not, steps are counted over stages."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.core.errors import InputError, UsageError
from vidstyle.training.recipe import LossWeights, Recipe, Stage, as_json, from_json
from vidstyle.training.recipe_file import checked, load_recipe

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_recipe_loads() -> None:
    plan = load_recipe(ROOT / "pipelines" / "compact.toml")
    assert [s.kind for s in plan.stage][:3] == ["distil", "autoencode", "style"]


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines").glob("*.toml")), ids=lambda path: path.stem)
def test_all_recipes_are_valid_and_settle(path: Path) -> None:
    plan = load_recipe(path)
    assert from_json(json.loads(json.dumps(as_json(plan)))) == plan
    assert plan.steps == sum(stage.steps for stage in plan.stage) > 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sead = 1\n[[stage]]\nkind='style'\nsteps=1", "sead"),
        ("[[stage]]\nkind='style'\nsteps=0", "steps"),
        ("[[stage]]\nkind='paint'\nsteps=1", "kind"),
        ("[[stage]]\nkind='style'\nsteps=1\nweights={x=1}", "weights"),
        ("[[stage]]\nkind='style'\nsteps=1\njpeg=[90, 20]", "least quality comes first"),
        ("seed = 1", "stage"),
        ("[shared.style]\nlr=1\n[[stage]]\nkind='distil'\nsteps=1", "shared"),
        ("shared=3\n[[stage]]\nkind='style'\nsteps=1", "shared"),
        ("stage=3\n[shared.style]\nlr=1", "stage"),
        ("[shared.style]\nrl=1\n[[stage]]\nkind='style'\nsteps=1", "rl"),
    ],
)
def test_a_fault_is_named(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=fault):
        load_recipe(path)


def test_stages_have_what_their_kind_shares_unless_they_say_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    stages = "[[stage]]\nkind='style'\nsteps=1\n[[stage]]\nkind='style'\nsteps=2\ncrop=256\n[[stage]]\nkind='distil'\nsteps=3"
    path.write_text(f"[shared.style]\ncrop=192\nlr=1e-3\n{stages}")
    plan = load_recipe(path)
    assert [(s.crop, s.lr) for s in plan.stage[:2]] == [(192, 1e-3), (256, 1e-3)]
    assert plan.stage[2] == Stage(kind="distil", steps=3)
    settled = json.loads(json.dumps(as_json(plan)))
    assert from_json(settled) == plan
    path.with_suffix(".json").write_text(json.dumps(settled))
    assert load_recipe(path.with_suffix(".json")) == plan


def test_without_pydantic_a_settled_recipe_is_read_and_toml_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Recipe(stage=(Stage(kind="style", steps=3, weights=LossWeights(clips=2.0), jpeg=(15, 95)),))
    settled, toml = tmp_path / "r.json", ROOT / "pipelines" / "compact.toml"
    settled.write_text(json.dumps(as_json(plan)))
    monkeypatch.setitem(sys.modules, "pydantic", None)
    assert load_recipe(settled) == plan
    with pytest.raises(UsageError, match="needs pydantic"):
        load_recipe(toml)
    settled.write_text('{"stage": [{"kind": "style", "stepps": 3}]}')
    with pytest.raises(UsageError, match="stepps"):
        load_recipe(settled)


def test_unreadable_recipes_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("= =")
    for path in (broken, tmp_path / "missing.toml"):
        with pytest.raises(InputError, match=path.name):
            load_recipe(path)


@given(steps=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_locate_walks_through_all_stages(steps: list[int]) -> None:
    plan = Recipe(stage=tuple(Stage(kind="style", steps=n) for n in steps))
    walk = [plan.locate(i) for i in range(plan.steps + 1)]
    assert walk == [(s, i) for s, n in enumerate(steps) for i in range(n)] + [(len(steps), 0)]


def test_the_rate_warms_up_and_falls() -> None:
    stage = Stage(kind="style", steps=100, warmup=10, lr=1.0, lr_end=0.1)
    rates = [stage.rate(i) for i in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == pytest.approx(1)
    assert all(a >= b for a, b in pairwise(rates[9:]))
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


def test_the_letters_of_earlier_recipes_still_load() -> None:
    stage = {"kind": "style", "steps": 3, "batch": 2}
    old = {**stage, "weights": {"g": 1.0, "l": 2.0, "i": 3.0, "t": 4.0, "v": 5.0, "r": 6.0}, "every_t": 7, "every_v": 8}
    new = Stage(
        kind="style",
        steps=3,
        batch=2,
        weights=LossWeights(global_style=1.0, local=2.0, similarity=3.0, temporal=4.0, clips=5.0, identity=6.0),
        every_temporal=7,
        every_clips=8,
    )
    assert checked(Stage, old) == new
    assert from_json({"stage": [{**old, "every_r": 9, "every_i": 10}], "config": {"g": 1}}) == Recipe(
        config={"g": 1}, stage=(replace(new, every_identity=9, every_similarity=10),)
    )
    with pytest.raises(UsageError, match="weights"):
        checked(Stage, {**stage, "weights": {"g": 1.0, "global_style": 2.0}})
