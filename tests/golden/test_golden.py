"""What vidstyle's commands write is, to the bit, what they wrote when it was last recorded on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden import digests
from tests.golden.__main__ import expected, results
from tests.golden.commands import COMMANDS


@pytest.fixture(scope="module")
def wanted() -> dict[str, Any]:
    known = expected()
    if isinstance(known, str):
        pytest.skip(f"recorded on another kind of machine: {known}; python -m tests.golden make records this one")
    return known


@pytest.fixture(scope="module")
def found(wanted: dict[str, Any]) -> dict[str, Any]:
    return results(slow=False)


@pytest.mark.timeout(600)  # the first one waits for all commands
@pytest.mark.parametrize("name", [c.name for c in COMMANDS if not c.slow])
def test_nothing_changed(name: str, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    assert name in wanted, "not recorded yet: python -m tests.golden make"
    assert digests.differences(wanted[name], found[name]) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_changed_in_any(wanted: dict[str, Any]) -> None:
    assert digests.differences(wanted, results()) == []


def test_differences_are_told_and_growth_is_none() -> None:
    one = {"a": {"b": 1, "c": [1, 2]}}
    assert digests.differences(one, {"a": {"b": 1, "c": [1, 2], "new": 3}, "d": 4}) == []
    assert digests.differences(one, {"a": {"b": 2, "c": [1, 2]}}) == ["/a/b: 2 instead of 1"]
    assert digests.differences(one, {"a": {"b": 1}}) == ["/a/c: None instead of [1, 2]"]
    assert digests.differences(one, {}) == ["/a: None instead of {'b': 1, 'c': [1, 2]}"]
