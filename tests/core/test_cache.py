"""What the cache gives back is what was put there, or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vidstyle.core import cache


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_back_as_it_was(place: Path) -> None:
    entry = cache.entry("code", model="a", size=3)
    assert cache.load(entry) is None
    cache.save(entry, b"content")
    assert cache.load(entry) == b"content"
    assert list(place.iterdir()) == [entry]  # and no temporary file
    assert cache.entry("code", size=3, model="a") == entry
    assert cache.entry("code", model="a", size=4) != entry


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d[:20], lambda d: b"", lambda d: d[:40] + b"!" + d[41:]]
)
def test_damage_is_absence_and_is_repaired(damage: Callable[[bytes], bytes]) -> None:
    entry = cache.entry("code", model="a")
    cache.save(entry, b"content of some length")
    entry.write_bytes(damage(entry.read_bytes()))
    assert cache.load(entry) is None
    cache.save(entry, b"content of some length")
    assert cache.load(entry) == b"content of some length"


def test_a_folder_that_cannot_be_is_no_failure(place: Path) -> None:
    place.write_text("a file where the folder should be")
    entry = cache.entry("code", model="a")
    cache.save(entry, b"content")
    assert cache.load(entry) is None


def test_what_was_used_longest_ago_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 350)
    entries = [cache.entry("code", model=n) for n in range(4)]
    for age, entry in enumerate(entries[:3]):
        cache.save(entry, bytes(68))  # 100 with its digest
        os.utime(entry, (1000 + age, 1000 + age))
    assert cache.load(entries[0]) is not None  # used: now the youngest
    cache.save(entries[3], bytes(68))
    assert [cache.load(e) is not None for e in entries] == [True, False, True, True]


def test_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VIDSTYLE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache.folder() == tmp_path / "vidstyle"
