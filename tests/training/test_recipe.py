"""Recipes: the shipped one loads, misspelt keys do not, steps are counted over stages."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.errors import InputError, UsageError
from vidstyle.training.recipe import Recipe, Stage, load_recipe

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_recipe_loads() -> None:
    plan = load_recipe(ROOT / "pipelines" / "compact.toml")
    assert [s.kind for s in plan.stage][:3] == ["distil", "autoencode", "style"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sead = 1\n[[stage]]\nkind='style'\nsteps=1", "sead"),
        ("[[stage]]\nkind='style'\nsteps=0", "steps"),
        ("[[stage]]\nkind='paint'\nsteps=1", "kind"),
        ("[[stage]]\nkind='style'\nsteps=1\nweights={x=1}", "weights"),
        ("[[stage]]\nkind='style'\nsteps=1\njpeg=[90, 20]", "least quality comes first"),
        ("seed = 1", "stage"),
    ],
)
def test_a_fault_is_named(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=fault):
        load_recipe(path)


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
